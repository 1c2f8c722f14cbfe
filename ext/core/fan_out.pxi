# Handing an event to every call of a table; whatever raises is left to goanna.core.recovery.

cdef int fan_out(Table table, object event, object errors) except -1:
    """Hand the event to every call of the table and count the publish."""
    cdef Py_ssize_t index
    cdef PyObject* result
    for index in range(table.size):
        result = goanna_invoke(&table.row[index], <PyObject*>event)
        if result == NULL:
            recover(table, index, event, errors, [])
            return 0
        Py_XDECREF(result)
    return table.count()


cdef int sift(Table table, object event, object errors) except -1:
    """Hand the event to every call whose conditions it meets and count the publish."""
    cdef Py_ssize_t index
    cdef PyObject* result
    cdef Sieve sieve
    cdef int admitted
    cdef list filtered = None
    for index in range(table.size):
        sieve = (<Call>table.calls[index]).sieve
        if sieve is None:
            result = goanna_invoke(&table.row[index], <PyObject*>event)
            if result == NULL:
                recover(table, index, event, errors, filtered or [])
                return 0
            Py_XDECREF(result)
            continue
        try:
            admitted = sieve.decide(event)
            if admitted:
                sieve.forward(event)
        except BaseException as error:
            setback = Setback(table, index, event, errors, error, filtered or [])
            break
        if not admitted:
            tally(sieve.account, 0, 0, 1)
            if filtered is None:
                filtered = []
            filtered.append(index)
    else:
        if filtered is None:
            table.count()
        else:
            table.finish((), (), filtered)
        return 0
    setback.resume()
    return 0


cdef int recover(Table table, Py_ssize_t index, object event, object errors, list filtered) except -1:
    """Go on with a fan-out in which a call has just raised."""
    try:
        raised()
    except BaseException as error:
        setback = Setback(table, index, event, errors, error, filtered)
    setback.resume()
    return 0

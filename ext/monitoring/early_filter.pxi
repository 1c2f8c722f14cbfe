# Conditions of goanna.where that are tested before an event is built: part of the compiled publish methods.

cdef enum Field:
    COMMAND_NAME
    DATABASE_NAME

FIELDS = {"command_name": COMMAND_NAME, "database_name": DATABASE_NAME}


@cython.final
@cython.no_gc_clear
cdef class EarlyFilters:
    # What can be said of one kind of event of one client before it is built.

    cdef tuple listeners
    # For each listener its filter and its tests, no test at all for one that never wants the event; None where some
    # listener has to see the event.
    cdef list filters
    cdef list tests

    def __cinit__(self, listeners, method, event_type, known):
        self.listeners = tuple(listeners)
        filters = []
        tests = []
        for listener in self.listeners:
            # The methods of goanna's wrappers can't be replaced, so what is looked up now holds for good.
            if method not in getattr(type(listener), "__methods__", ()):
                return
            filter_ = vars(listener).get(method)
            if type(filter_) is not Filter:
                return
            never = filter_.types is not None and not issubclass(event_type, filter_.types)
            found = []
            for name, values in filter_.members:
                if not hasattr(event_type, name):
                    never = True
                elif name in known:
                    found.append(EarlyFilter(FIELDS[name], values))
            if not never and not found:
                return
            filters.append(filter_)
            tests.append([] if never else found)
        if filters:
            self.filters = filters
            self.tests = tests

    cdef bint fits(self, object now):
        """Return whether these are still the listeners."""
        return goanna_is_list(now) and goanna_same_items(now, self.listeners)

    cdef bint rejects(self, PyObject* command_name, PyObject* database_name) except -1:
        """Return whether no listener wants the event, and count it then."""
        cdef Py_ssize_t index, size = len(self.tests)
        cdef EarlyFilter test
        cdef PyObject* value
        cdef bint out
        for index in range(size):
            found = <list>self.tests[index]
            out = not found
            for one in found:
                test = <EarlyFilter>one
                value = command_name if test.index == COMMAND_NAME else database_name
                if value != NULL and goanna_is_text(value) and test.outside(value):
                    out = True
                    break
            if not out:
                return False
        for index in range(size):
            count_filtered(<PyObject*>self.filters[index])
        return True

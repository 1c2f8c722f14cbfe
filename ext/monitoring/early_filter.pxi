# Conditions of goanna.where that are tested before an event is built: part of the compiled publishers.

ctypedef void (*count_function)(PyObject* sieve) noexcept

cdef Py_ssize_t* sieves_made = <Py_ssize_t*>PyCapsule_GetPointer(core._sieves, "goanna.core._compiled._sieves")
cdef count_function count_filtered = <count_function>PyCapsule_GetPointer(core._filtered, "goanna.core._compiled._filtered")

cdef object NOTHING = object()

cdef enum Field:
    COMMAND_NAME
    DATABASE_NAME

FIELDS = {"command_name": COMMAND_NAME, "database_name": DATABASE_NAME}


@cython.final
@cython.no_gc_clear
cdef class Test:
    # A value that must be one of some.

    cdef Field field
    cdef object values
    # The text that was rejected last: programs repeat themselves, and comparing addresses is the fastest test.
    cdef object rejected

    def __cinit__(self, field, values):
        self.rejected = NOTHING  # not None, which is a value like any other
        self.field = field
        self.values = values
        self.rejected = values  # nothing has been yet; not None, which may well be one of the values

    cdef bint outside(self, PyObject* value) except -1:
        if value == <PyObject*>self.rejected:
            return True
        if value == NULL or not goanna_is_text(value) or goanna_in_set(self.values, value):
            return False
        if not GOANNA_SHARED:  # two threads can't replace it at once
            self.rejected = <object>value
        return True


@cython.final
@cython.no_gc_clear
cdef class Screen:
    # What can be said of one kind of event of one client before it is built.

    cdef tuple listeners
    # For each listener its sieve and its tests, no test at all for one that never wants the event; None where some
    # listener has to see the event.
    cdef list sieves
    cdef list tests

    def __cinit__(self, listeners, method, event_type, known):
        self.listeners = tuple(listeners)
        sieves = []
        tests = []
        for listener in self.listeners:
            # The methods of goanna's wrappers can't be replaced, so what is looked up now holds for good.
            if method not in getattr(type(listener), "__methods__", ()):
                return
            sieve = vars(listener).get(method)
            if type(sieve) is not core.Sieve:
                return
            never = sieve.types is not None and not issubclass(event_type, sieve.types)
            found = []
            for name, values in sieve.members:
                if not hasattr(event_type, name):
                    never = True
                elif name in known:
                    found.append(Test(FIELDS[name], values))
            if not never and not found:
                return
            sieves.append(sieve)
            tests.append([] if never else found)
        if sieves:
            self.sieves = sieves
            self.tests = tests

    cdef bint fits(self, object now):
        """Return whether these are still the listeners."""
        return goanna_is_list(now) and goanna_same_items(now, self.listeners)

    cdef bint rejects(self, PyObject* command_name, PyObject* database_name) except -1:
        """Return whether no listener wants the event, and count it then."""
        cdef Py_ssize_t index, size = len(self.tests)
        cdef Test test
        cdef bint out
        for index in range(size):
            found = <list>self.tests[index]
            out = not found
            for one in found:
                test = <Test>one
                if test.outside(command_name if test.field == COMMAND_NAME else database_name):
                    out = True
                    break
            if not out:
                return False
        for index in range(size):
            count_filtered(<PyObject*>self.sieves[index])
        return True

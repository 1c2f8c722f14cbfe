# The methods of a client's listeners, looked up once: what resolve="registration" publishes to.

@cython.final
@cython.no_gc_clear
cdef class ResolvedMethods:
    """The methods of one client's listeners for one kind of event."""

    cdef Py_ssize_t epoch
    cdef tuple listeners
    cdef tuple methods
    cdef goanna_call* calls
    cdef Py_ssize_t size

    def __cinit__(self, listeners, name):
        cdef Py_ssize_t index
        self.epoch = goanna_get(&epoch)
        self.listeners = tuple(listeners)
        self.methods = resolved_methods(self.listeners, name)
        self.size = len(self.methods)
        self.calls = <goanna_call*>PyMem_Malloc(max(self.size, 1) * sizeof(goanna_call))
        if self.calls == NULL:
            raise MemoryError()
        for index in range(self.size):
            goanna_set_call(&self.calls[index], self.methods[index])

    def __dealloc__(self):
        PyMem_Free(self.calls)

    cdef bint fits(self, object now):
        """Return whether these are still the listeners."""
        return self.epoch == goanna_get(&epoch) and goanna_is_list(now) and goanna_same_items(now, self.listeners)

# The handlers that take part in a request, with their methods ready to be called.

@cython.final
@cython.no_gc_clear
cdef class Row:
    """Row(seats, contexts)
--

The handlers that take part in a request, with what each has returned from its ``request_start``.

Args:
    seats: the handlers with their methods.
    contexts: as many contexts of the request."""

    cdef readonly tuple seats
    cdef readonly tuple contexts
    cdef tuple methods
    # The starts, then the ends; they borrow from `methods`.
    cdef goanna_call* calls
    cdef bint* takes_error
    cdef Py_ssize_t size

    def __cinit__(self, seats, contexts):
        cdef Py_ssize_t index
        self.calls = NULL
        self.takes_error = NULL
        self.seats = tuple(seats)
        self.contexts = tuple(contexts)
        if len(self.seats) != len(self.contexts):
            raise ValueError("Row() takes as many contexts as seats")
        self.size = len(self.seats)
        self.methods = (*[one.event_start for one in self.seats], *[one.event_end for one in self.seats])
        self.calls = <goanna_call*>PyMem_Malloc(max(2 * self.size, 1) * sizeof(goanna_call))
        self.takes_error = <bint*>PyMem_Malloc(max(self.size, 1) * sizeof(bint))
        if self.calls == NULL or self.takes_error == NULL:
            raise MemoryError()
        for index in range(self.size):
            self.takes_error[index] = self.seats[index].event_end_takes_error
        for index in range(2 * self.size):
            goanna_set_call(&self.calls[index], self.methods[index])

    def __dealloc__(self):
        PyMem_Free(self.calls)
        PyMem_Free(self.takes_error)

    def __repr__(self):
        return f"<Row of {self.size}>"

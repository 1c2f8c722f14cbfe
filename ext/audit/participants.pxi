# The handlers that take part in a request, with their methods ready to be called.

@cython.final
@cython.no_gc_clear
cdef class Participants:
    """Participants(subscriptions, contexts)
--

The handlers that take part in a request, with what each has returned from its ``request_start``.

Args:
    subscriptions: the handlers with their methods.
    contexts: as many contexts of the request."""

    cdef readonly tuple subscriptions
    cdef readonly tuple contexts
    cdef tuple methods
    # One allocation, the starts and then the ends; they borrow from `methods`.
    cdef goanna_call* starts
    cdef goanna_call* ends
    cdef bint* takes_error
    cdef Py_ssize_t size

    def __cinit__(self, subscriptions, contexts):
        cdef Py_ssize_t index
        goanna_hide(self)
        self.starts = NULL
        self.takes_error = NULL
        self.subscriptions = tuple(subscriptions)
        self.contexts = tuple(contexts)
        if len(self.subscriptions) != len(self.contexts):
            raise ValueError("Participants() takes as many contexts as subscriptions")
        self.size = len(self.subscriptions)
        self.methods = (
            *[one.event_start for one in self.subscriptions],
            *[one.event_end for one in self.subscriptions],
        )
        self.starts = <goanna_call*>PyMem_Malloc(max(2 * self.size, 1) * sizeof(goanna_call))
        self.takes_error = <bint*>PyMem_Malloc(max(self.size, 1) * sizeof(bint))
        if self.starts == NULL or self.takes_error == NULL:
            raise MemoryError()
        self.ends = self.starts + self.size
        for index in range(self.size):
            self.takes_error[index] = self.subscriptions[index].event_end_takes_error
        for index in range(2 * self.size):
            goanna_set_call(&self.starts[index], self.methods[index])
        goanna_show(self)

    def __dealloc__(self):
        PyMem_Free(self.starts)
        PyMem_Free(self.takes_error)

    def __repr__(self):
        return f"<Participants of {self.size}>"

# The way of one method's events into a ring.

@cython.final
@cython.no_gc_clear
cdef class Inlet:
    """Inlet(ring, handler)
--

The way of one method's events into a ring: called with an event it pushes it.

Args:
    ring: where it goes.
    handler: the method that the consumer will call.

Raises:
    TypeError: ``ring`` is no Ring."""

    cdef vectorcallfunc vectorcall
    cdef readonly Ring ring
    cdef readonly object handler

    def __cinit__(self, ring, handler):
        self.vectorcall = <vectorcallfunc>call_inlet
        if not isinstance(ring, Ring):
            raise TypeError(f"an Inlet takes a Ring, not {type(ring).__name__}")
        self.ring = ring
        self.handler = handler
        self.ring.handlers.append(handler)

    __reduce__ = uncopied

    def __call__(self, event):
        """Push the event; nothing is raised, whatever becomes of it."""
        self.ring.push_event(<PyObject*>self.handler, <PyObject*>event)

    def __repr__(self):
        return f"<Inlet of {self.handler!r}>"


cdef object call_inlet(Inlet self, PyObject* const* args, size_t nargsf, PyObject* names):
    if PyVectorcall_NARGS(nargsf) != 1 or names != NULL:
        # The ordinary way, for its TypeError or for the keyword.
        keywords = {}
        positional = tuple([<object>args[index] for index in range(PyVectorcall_NARGS(nargsf))])
        if names != NULL:
            for index, name in enumerate(<tuple>names):
                keywords[name] = <object>args[len(positional) + index]
        return Inlet.__call__(self, *positional, **keywords)
    self.ring.push_event(<PyObject*>self.handler, args[0])
    return None

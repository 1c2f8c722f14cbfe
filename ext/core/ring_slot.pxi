# What stands in a place of the buffer, and why an event may be dropped instead of coming into one.

cdef enum:
    AHEAD = 16

cdef Py_ssize_t NEVER = <Py_ssize_t>1 << 62

cdef enum:
    REASONS_COUNT = 8
    OVERFLOW = 0
    TIMEOUT = 1
    FORK_INHERITED = 6
    REENTRANT = 7
    OPEN = -1

REASONS = (
    "overflow",
    "timeout",
    "closed",
    "exit",
    "loop_closed",
    "quarantined",
    "fork_inherited",
    "reentrant",
)


cdef int reason_number(object reason) except -1:
    if reason not in REASONS:
        raise ValueError(f"reason is {reason!r}; it must be one of {', '.join(REASONS)}")
    return REASONS.index(reason)


# The handler is borrowed from the ring's list of handlers; event and context are owned, the context may be NULL.
cdef struct Slot:
    PyObject* handler
    PyObject* event
    PyObject* context
    long long time
    Py_ssize_t lost
    Py_ssize_t bytes  # only where they are bounded


cdef object own(PyObject* value):
    """Return an object whose reference is taken over."""
    result = <object>value
    Py_XDECREF(value)
    return result

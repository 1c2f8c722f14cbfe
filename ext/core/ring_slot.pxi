# What stands in a place of the buffer.

# The handler is borrowed from the ring's list of handlers; event and context are owned, the context may be NULL.
cdef struct Slot:
    PyObject* handler
    PyObject* event
    PyObject* context
    long long time
    Py_ssize_t lost


cdef object own(PyObject* value):
    """Return an object whose reference is taken over."""
    result = <object>value
    Py_XDECREF(value)
    return result

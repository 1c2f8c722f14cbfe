# What the compiled modules share of native.h; each uses a part of it.

cdef extern from "native.h":
    ctypedef PyObject* (*vectorcallfunc)(PyObject*, PyObject* const*, size_t, PyObject*)
    ctypedef struct goanna_call:
        pass
    Py_ssize_t PyVectorcall_NARGS(size_t nargsf) nogil
    object PyVectorcall_Call(object callable, object args, object kwargs)
    void Py_XDECREF(PyObject* value) noexcept
    # Calls of a listener's method.
    void goanna_set_call(goanna_call* call, object method) noexcept
    PyObject* goanna_invoke(goanna_call* call, PyObject* event) noexcept
    int goanna_set_ran(object function) except -1
    PyObject* goanna_checked(PyObject* result) noexcept
    object goanna_call_one(object function, object argument)
    object goanna_call_none(object function)
    void goanna_is_leaf(object cls) noexcept
    # An object that is being made.
    void goanna_hide(object value) noexcept
    void goanna_show(object value) noexcept
    # Slots by offset.
    Py_ssize_t goanna_slot_offset(object cls, object descriptor) except -1
    int goanna_prepare_readers() except -1
    object goanna_new_reader(object cls, object name, Py_ssize_t offset, object doc)
    object goanna_allocate(PyTypeObject* cls)
    void goanna_store(PyObject* event, Py_ssize_t offset, PyObject* value) noexcept
    PyObject* goanna_load(PyObject* event, Py_ssize_t offset) noexcept
    # Names and values.
    Py_ssize_t goanna_position(PyObject* names, PyObject* name, Py_ssize_t guess) noexcept
    bint goanna_is_text(PyObject* value) noexcept
    bint goanna_is_notable(PyObject* value) noexcept
    int goanna_in_set(object container, PyObject* value) except -1
    object goanna_attribute(object event, object name, object missing)
    unsigned long long goanna_number(object value) except? 0
    # What a type object has to be told.
    object goanna_call_type(object cls, object args, object kwargs)
    bint goanna_is_of_kind(PyObject* value, PyObject* cls) noexcept
    object goanna_call_meta(object cls, object args, object kwargs)
    void goanna_allow_vectorcall(object cls, Py_ssize_t offset) noexcept
    void goanna_rename(object cls, const char* name) noexcept
    void goanna_take_over(object cls, vectorcallfunc function) noexcept
    PyObject* goanna_find_maker(PyObject* cls, object key) noexcept
    # References that are borrowed only where there is a GIL.
    void goanna_let_go(PyObject* value) noexcept
    PyObject* goanna_look(PyObject* owner, Py_ssize_t offset) noexcept


cdef inline int raised() except -1:
    """Let the caller's ``try`` meet the exception that a C call has left."""
    return -1

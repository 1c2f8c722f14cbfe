# What other extension modules of goanna use of the compiled core. Types say here what they hold.

cimport cython
from cpython.object cimport PyObject

cdef Py_ssize_t filters_made

cdef void count_filtered(PyObject* filter) noexcept


@cython.final
@cython.no_gc_clear
cdef class EarlyFilter:
    cdef Py_ssize_t index
    cdef object values
    cdef object rejected
    cdef bint outside(self, PyObject* value) except -1

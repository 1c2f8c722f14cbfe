# cython: language_level=3, binding=True, boundscheck=False, wraparound=False, initializedcheck=False
# cython: embedsignature=False, auto_pickle=False, freethreading_compatible=True
"""The spans of trackers, compiled: the same names and behaviour as ``goanna.audit._pure``, which explains them.

Read the pure ones first; here is only how. A span is its own awaitable: ``__aenter__`` and ``__aexit__`` return the span,
and each step of it steps the coroutine of one handler after the other by PyIter_Send, so that a handler that returns
without suspending is a call and a step. One that suspends is kept in ``waiting`` until it is done, and what it yields,
and what is thrown at it, passes through. Contexts are kept in a tuple by position, with FAILED for a start that has not
returned.
"""

cimport cython
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_INCREF

include "build.pxi"

import sys
import time

from goanna.audit._handler_errors import FAILED as _FAILED
from goanna.audit._handler_errors import awaited, decorated, failed, group_of, in_generator, log, once_only

__all__ = ["OpenSpans", "Participants", "Span", "StrictSpan", "track_event_method"]

include "native.pxi"
include "threads.pxi"

cdef extern from "observe.h":
    object goanna_own(PyObject* result)
    bint goanna_is_list(object value) noexcept
    Py_ssize_t goanna_list_size(object values) noexcept
    PyObject* goanna_list_item(object values, Py_ssize_t index) noexcept
    unsigned long long goanna_type_version(object cls) noexcept

cdef extern from "drive.h":
    ctypedef int (*goanna_before)(PyObject*)
    ctypedef int (*goanna_advance)(PyObject*, PyObject*, PyObject**)
    ctypedef void (*goanna_after)(PyObject*, int)
    void goanna_allow_send(object cls, goanna_before before, goanna_advance advance, goanna_after after) noexcept
    int goanna_drive(PyObject* span, PyObject* value, PyObject** result) except -1
    int goanna_step(object coroutine, PyObject* value, PyObject** result) noexcept
    bint goanna_is_fresh(object value) noexcept
    bint goanna_can_await(object value) noexcept
    PyObject* goanna_invoke_with(goanna_call* call, PyObject** stack, PyObject* names) noexcept
    PyObject* goanna_call_method_with(PyObject* name, PyObject** stack, PyObject* names) noexcept
    bint goanna_by_identity(object value) noexcept
    object goanna_plain(object cls, tuple nothing)
    PyObject* goanna_look_up_in_slot(object owner, Py_ssize_t offset, object key) noexcept
    tuple goanna_places(Py_ssize_t size, object absent)
    void goanna_put(object values, Py_ssize_t index, object value) noexcept
    PyObject* goanna_peek(object values, Py_ssize_t index) noexcept

cdef extern from *:
    PyObject* PyErr_Occurred() noexcept
    bint PyObject_TypeCheck(object value, PyTypeObject* cls) noexcept

cdef object monotonic = time.monotonic
cdef object FAILED = _FAILED
cdef object EVENT_START = sys.intern("event_start")
cdef object EVENT_END = sys.intern("event_end")
cdef tuple AT_START = (sys.intern("request_context"),)
cdef tuple AT_END = (sys.intern("event_context"), sys.intern("request_context"))
cdef tuple AFTER_ERROR = (sys.intern("event_context"), sys.intern("request_context"), sys.intern("error"))

cdef enum:
    FEW = 16  # handlers among which the same one twice is searched for by comparing

cdef enum State:
    NEW
    ENTERING
    UNDOING  # the ends are called, because the starts went wrong
    OPEN
    LEAVING
    DONE


include "open_spans.pxi"
include "participants.pxi"
include "span_base.pxi"
include "span.pxi"
include "strict_span.pxi"
include "track_event.pxi"

for _cls in (SpanBase, Span, StrictSpan):
    goanna_allow_send(_cls, <goanna_before>before_step, <goanna_advance>advance_span, <goanna_after>after_step)

# cython: language_level=3, binding=True, boundscheck=False, wraparound=False, initializedcheck=False
# cython: embedsignature=False, auto_pickle=False, freethreading_compatible=True
"""The spans of trackers, compiled: the same names and behaviour as ``goanna.audit._pure``, which explains them.

Read the pure ones first; here is only how. A span is its own awaitable: ``__aenter__`` and ``__aexit__`` return the span,
and each step of it steps the coroutine of one handler after the other by PyIter_Send, so that a handler that returns
without suspending is a call and a step. One that suspends is kept in ``waiting`` until it is done, and what it yields,
and what is thrown at it, passes through. Contexts are kept in a tuple by position, which nobody else sees before it is
full; NULL is a start that has not returned.
"""

cimport cython
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New

import time

from goanna.audit._handler_errors import at_once, awaited, decorated, failed, group_of, log, once_only

__all__ = ["Board", "Row", "Span", "StrictSpan", "opener"]

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
    void goanna_put(object row, Py_ssize_t index, object value) noexcept
    PyObject* goanna_peek(object row, Py_ssize_t index) noexcept

cdef extern from *:
    PyObject* PyErr_Occurred() noexcept
    bint PyObject_TypeCheck(object value, PyTypeObject* cls) noexcept

cdef object monotonic = time.monotonic
cdef object EVENT_START = intern("event_start")
cdef object EVENT_END = intern("event_end")
cdef object DATA = intern("data")
cdef tuple AT_START = (intern("request_context"),)
cdef tuple AT_END = (intern("event_context"), intern("request_context"))
cdef tuple AFTER_ERROR = (intern("event_context"), intern("request_context"), intern("error"))

cdef enum:
    FEW = 16  # handlers among which the same one twice is searched for by comparing

cdef enum State:
    NEW
    ENTERING
    UNDOING  # the ends are called, because the starts went wrong
    OPEN
    LEAVING
    DONE


cdef object intern(object text):
    import sys
    return sys.intern(text)


include "open_spans.pxi"
include "participants.pxi"
include "span_base.pxi"
include "span.pxi"
include "strict_span.pxi"


def opener(make, owner):
    """Return the method ``track_event`` of a class of trackers.

    Args:
        make: makes what ``async with`` binds: the class EventSpan.
        owner: the class, with the slots ``_handlers``, ``_request_contexts``, ``_board`` and ``_row``.
    """
    cdef Slots slots = Slots(owner)
    cdef Maker maker = Maker(make)

    def track_event(self, event):
        """Return a context manager for the time that an event takes.

        ``async with tracker.track_event(event) as span`` hands the event to the ``event_start`` of each handler, in the
        order of subscription. The body calls ``span(event)`` with the event as it is at the end; the last call wins.
        When the body ends, that goes to the ``event_end`` of each handler together with what its start has returned.

        Args:
            event: an Event.
        """
        cdef PyObject* found
        if not PyObject_TypeCheck(self, <PyTypeObject*>slots.owner):
            raise TypeError(f"track_event() is a method of {slots.owner.__name__}, not of {type(self).__name__}")
        found = goanna_look(<PyObject*>self, slots.board)
        if found == <PyObject*>None:
            return open_strict_span(self, event, maker, slots)
        if found == NULL:
            raise AttributeError(f"{type(self).__name__}.__init__() was not called")
        cdef Board board = <Board?><object>found
        goanna_let_go(found)
        found = goanna_look(<PyObject*>self, slots.row)
        row = <object>found
        goanna_let_go(found)
        if board.together is None:
            return open_span(<Row?>row, board, event, maker)
        return board.together(row, board, event, make)

    track_event.__qualname__ = f"{owner.__name__}.track_event"
    track_event.__module__ = owner.__module__
    return track_event


cdef int before_step(PyObject* span) except -1:
    # One thread at a time: where there is no GIL, who comes first is said before anything else is asked.
    if GOANNA_SHARED:
        if not goanna_claim(&(<Steps>span).running):
            raise ValueError("coroutine already executing")
        if (<Steps>span).state not in (ENTERING, UNDOING, LEAVING):
            goanna_set(&(<Steps>span).running, 0)
            raise RuntimeError("cannot reuse already awaited coroutine")
        return 0
    (<Steps>span).check()
    (<Steps>span).running = True
    return 0


cdef int advance_span(PyObject* span, PyObject* value, PyObject** result) except -1:
    return (<Steps>span).advance(value, result)


cdef void after_step(PyObject* span, int status) noexcept:
    if status < 0:
        (<Steps>span).state = DONE
    goanna_set(&(<Steps>span).running, 0)


for _cls in (Steps, Span, StrictSpan):
    goanna_allow_send(_cls, <goanna_before>before_step, <goanna_advance>advance_span, <goanna_after>after_step)

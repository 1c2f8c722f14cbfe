# cython: language_level=3, binding=True, boundscheck=False, wraparound=False, initializedcheck=False
# cython: embedsignature=False, auto_pickle=False
"""The spans of trackers, compiled: the same names and behaviour as ``goanna.audit._tracker_py``, which explains them.

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
from types import MethodType

from goanna.audit._setback import at_once, awaited, decorated, failed, group_of, log, once_only

__all__ = ["Board", "Row", "Span", "StrictSpan", "opener"]

cdef extern from "_native.h":
    ctypedef struct goanna_call:
        PyObject* function
        PyObject* instance
    bint goanna_is_function(object value)
    Py_ssize_t goanna_slot_offset(object cls, object descriptor) except -1
    PyObject* goanna_load(PyObject* event, Py_ssize_t offset) noexcept
    void Py_XDECREF(PyObject* value) noexcept

cdef extern from "_observe.h":
    object goanna_own(PyObject* result)
    bint goanna_is_list(object value) noexcept
    Py_ssize_t goanna_list_size(object values) noexcept
    object goanna_list_item(object values, Py_ssize_t index)
    unsigned long long goanna_type_version(object cls) noexcept

cdef extern from "_drive.h":
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


cdef int raised() except -1:
    """Let the caller's ``try`` meet the exception that a C call has left."""
    return -1


@cython.final
cdef class Board:
    """Board(policy, max_open, together)
--

The open spans of a tracker and of its requests, and what becomes of errors.

Args:
    policy: called with an error, its handler and the event; None to collect errors and raise them together.
    max_open: how many open spans are kept in view.
    together: makes the spans where the handlers of one stage run together; None where they don't.

Attributes:
    count: how many spans are open, in view or not."""

    cdef readonly object policy
    cdef readonly Py_ssize_t max_open
    cdef readonly object together
    cdef readonly Py_ssize_t count
    # The span that was entered last, so that one after the other never sees the dictionary; the others by age.
    cdef object latest
    cdef dict spans

    def __init__(self, policy, Py_ssize_t max_open, together):
        self.policy = policy
        self.max_open = max_open
        self.together = together
        self.spans = {}

    def __repr__(self):
        return f"<Board: {self.count} open>"

    cpdef enter(self, span):
        """Take a span in; beyond ``max_open`` the oldest goes out of view."""
        self.count += 1
        if self.latest is not None:
            self.spans[self.latest] = None
            if len(self.spans) >= self.max_open:
                del self.spans[next(iter(self.spans))]
        self.latest = span

    cpdef leave(self, span):
        """Let a span go."""
        self.count -= 1
        if self.latest is span:
            self.latest = None
        else:
            self.spans.pop(span, None)

    def visible(self):
        """Return the open spans in view, the oldest first."""
        return (*self.spans,) if self.latest is None else (*self.spans, self.latest)


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
            method = self.methods[index]
            if type(method) is MethodType and goanna_is_function(method.__func__):
                self.calls[index].function = <PyObject*>method.__func__
                self.calls[index].instance = <PyObject*>method.__self__
            else:
                self.calls[index].function = <PyObject*>method
                self.calls[index].instance = NULL

    def __dealloc__(self):
        PyMem_Free(self.calls)
        PyMem_Free(self.takes_error)

    def __repr__(self):
        return f"<Row of {self.size}>"


@cython.final
cdef class Maker:
    """Makes what ``async with`` binds, without running ``__init__`` where that only sets ``data`` to None."""

    cdef object cls
    cdef unsigned long long version

    def __cinit__(self, cls):
        self.cls = cls
        self.look()

    cdef int look(self) except -1:
        """See what the class is like now."""
        cls = self.cls
        self.version = 0
        if (
            type(cls) is type
            and cls.__new__ is object.__new__
            and cls.__setattr__ is object.__setattr__
            and getattr(cls(), "__dict__", None) == {"data": None}
        ):
            self.version = goanna_type_version(cls)
        return 0

    cdef object make(self):
        if self.version == 0 or self.version != goanna_type_version(self.cls):
            return self.cls()
        made = goanna_plain(self.cls, ())
        made.data = None
        return made


cdef class Steps:
    """What both kinds of span are: a context manager that is its own awaitable."""

    cdef object __weakref__
    cdef Maker maker
    cdef object waiting
    cdef Py_ssize_t index
    cdef State state
    cdef bint running

    cdef int go(self, PyObject** result) except -1:
        """Go on until a handler suspends or the stage ends; return 1 with what is yielded, or 0 with the result."""
        raise NotImplementedError

    cdef int returned(self, object value) except -1:
        """Take what the handler at ``index`` has returned, and make the next one the current one."""
        raise NotImplementedError

    cdef int problem(self) except -1:
        """Deal with what the handler at ``index`` has raised; return if the stage goes on."""
        raise NotImplementedError

    cdef bint suspends(self, object coroutine) except -1:
        """Return whether the stage is to wait for a coroutine that has suspended."""
        return True

    def __await__(self):
        if self.state not in (ENTERING, LEAVING) or self.running or self.waiting is not None:
            raise TypeError(f"object {type(self).__name__} can't be used in 'await' expression; write async with")
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return self.stepped(None)

    def send(self, value):
        """Go on with what an event loop sends."""
        return self.stepped(value)

    cdef object stepped(self, object value):
        cdef PyObject* result = NULL
        if goanna_drive(<PyObject*>self, <PyObject*>value, &result) == 0:
            raise StopIteration(goanna_own(result))
        return goanna_own(result)

    cdef int check(self) except -1:
        if self.running:
            raise ValueError("coroutine already executing")
        if self.state not in (ENTERING, UNDOING, LEAVING):
            raise RuntimeError("cannot reuse already awaited coroutine")
        return 0

    cdef int advance(self, PyObject* value, PyObject** result) except -1:
        """Do one step; goanna_drive() calls it, between before_step() and after_step()."""
        cdef PyObject* got = NULL
        cdef int status
        if self.waiting is not None:
            status = goanna_step(self.waiting, value, &got)
            if status == 1 and self.suspends(self.waiting):
                result[0] = got
                return 1
            if status == 1:
                Py_XDECREF(got)
                self.shut(self.waiting)
            else:
                self.waiting = None
                if status == 0:
                    self.returned(goanna_own(got))
                else:
                    self.problem()
        return self.go(result)

    cdef int shut(self, object coroutine) except -1:
        """Close the coroutine of a handler that can't be waited for."""
        self.waiting = None
        try:
            coroutine.close()
        except BaseException:
            self.caught()
        else:
            self.returned(None)
        return 0

    cdef int caught(self) except -1:
        """Like problem(), within an ``except``."""
        raise NotImplementedError

    def throw(self, kind, value=None, traceback=None):
        """Raise an exception where the stage is suspended."""
        cdef PyObject* result = NULL
        cdef int status
        error = value if isinstance(value, BaseException) else kind
        if isinstance(error, type):
            error = error() if value is None else error(value)
        if traceback is not None:
            error = error.with_traceback(traceback)
        self.check()
        if self.waiting is None:
            self.state = DONE
            raise error
        self.running = True
        try:
            if isinstance(error, GeneratorExit):
                self.closed()
            waiting = self.waiting
            try:
                if isinstance(error, GeneratorExit):
                    waiting.close()
                    raise error
                else:
                    return waiting.throw(error)
            except StopIteration as stop:
                self.waiting = None
                self.returned(stop.value)
            except BaseException:
                self.waiting = None
                self.caught()
            status = self.go(&result)
        except:
            self.state = DONE
            raise
        finally:
            self.running = False
        if status == 0:
            raise StopIteration(goanna_own(result))
        return goanna_own(result)

    cdef int closed(self) except -1:
        """Take note that the coroutine around is being closed."""
        return 0

    def close(self):
        """Raise GeneratorExit where the stage is suspended."""
        if self.state not in (ENTERING, UNDOING, LEAVING):
            return
        try:
            self.throw(GeneratorExit)
        except (GeneratorExit, StopIteration):
            return
        raise RuntimeError("coroutine ignored GeneratorExit")


@cython.final
cdef class Span(Steps):
    """Span(row, board, event, make)
--

One event of a tracker in its own mode, while it lasts and after.

Attributes:
    event: what ``track_event`` was given.
    span: what the ``async with`` statement binds; None before.
    started: ``time.monotonic()`` when it was entered, in seconds; None before."""

    cdef Row row
    cdef Board board
    cdef readonly object event
    cdef readonly object span
    cdef readonly object started
    cdef tuple contexts
    cdef list failures
    cdef object error
    cdef object then
    cdef object data
    cdef bint closing

    def __init__(self, row, board, event, make):
        self.row = row
        self.board = board
        self.event = event
        self.maker = Maker(make)

    def __repr__(self):
        return f"<span of {type(self.event).__name__}>"

    def __call__(self, function):
        """Return a coroutine function that runs within a span like this one."""
        return decorated(lambda: open_span(self.row, self.board, self.event, self.maker), function)

    def __aenter__(self):
        """Call the ``event_start`` of each handler; return the EventSpan."""
        if self.state != NEW:
            raise once_only(True)
        self.state = ENTERING
        return self

    def __aexit__(self, error_type, error, traceback):
        """Call the ``event_end`` of each handler whose start has returned; return False."""
        if self.state != OPEN:
            raise once_only(False)
        self.state = LEAVING
        if error is not None:
            self.error = error
            self.closing = isinstance(error, GeneratorExit)
        self.data = self.span.data
        self.index = 0
        return self

    cdef int go(self, PyObject** result) except -1:
        cdef PyObject* stack[6]
        cdef PyObject* got = NULL
        cdef PyObject* context
        cdef Row row = self.row
        cdef bint starting = self.state == ENTERING
        cdef int status
        if starting and self.started is None:
            self.started = monotonic()
            self.board.enter(self)
            if row.size:
                self.contexts = PyTuple_New(row.size)
        while self.index < row.size:
            if starting:
                stack[2] = <PyObject*>self.event
                stack[3] = <PyObject*>row.contexts[self.index]
                got = goanna_invoke_with(&row.calls[self.index], stack, <PyObject*>AT_START)
            else:
                context = goanna_peek(self.contexts, self.index)
                if context == NULL:
                    self.index += 1
                    continue
                stack[2] = <PyObject*>self.data
                stack[3] = context
                stack[4] = <PyObject*>row.contexts[self.index]
                if self.error is not None and row.takes_error[self.index]:
                    stack[5] = <PyObject*>self.error
                    got = goanna_invoke_with(&row.calls[row.size + self.index], stack, <PyObject*>AFTER_ERROR)
                else:
                    got = goanna_invoke_with(&row.calls[row.size + self.index], stack, <PyObject*>AT_END)
            if got == NULL:
                self.problem()
                starting = self.state == ENTERING
                continue
            made = goanna_own(got)
            if not goanna_can_await(made):
                self.returned(made)
                continue
            if not goanna_is_fresh(made):
                made = awaited(made)
            status = goanna_step(made, <PyObject*>None, &got)
            if status == 0:
                self.returned(goanna_own(got))
            elif status == 1:
                if not self.closing:
                    self.waiting = made
                    result[0] = got
                    return 1
                Py_XDECREF(got)
                self.shut(made)
            else:
                made = None  # its frame goes before the policy is asked, as it does after an await
                self.problem()
                starting = self.state == ENTERING
        return self.finished(result)

    cdef int finished(self, PyObject** result) except -1:
        """End the stage."""
        if self.state == ENTERING:
            if self.failures is not None:
                group = group_of(self.failures, self.event)
                self.failures = None
                self.undo(group)
                return self.go(result)
            self.span = self.maker.make()
            self.state = OPEN
            made = self.span
        else:
            self.board.leave(self)
            self.state = DONE
            self.contexts = None
            made = False
            if self.failures is not None or self.then is not None:
                self.settle()
            self.error = None
        Py_INCREF(made)
        result[0] = <PyObject*>made
        return 0

    cdef int settle(self) except -1:
        """Raise what the ends have left to raise, and log the rest."""
        then, error, failures = self.then, self.error, self.failures
        self.then = self.error = self.failures = None
        if failures is not None:
            if error is None and then is None:
                then = group_of(failures, self.event)
            else:
                log(failures, self.event)
        if then is not None:
            raise then
        return 0

    cdef int undo(self, object error) except -1:
        """Go over to the ends of those that have started; the error is raised after them."""
        self.state = UNDOING
        self.index = 0
        self.error = self.then = error
        self.data = None
        if isinstance(error, GeneratorExit):
            self.closing = True
        return 0

    cdef int returned(self, object value) except -1:
        if self.state == ENTERING:
            goanna_put(self.contexts, self.index, value)
        self.index += 1
        return 0

    cdef int problem(self) except -1:
        try:
            raised()
        except BaseException:
            self.caught()
        return 0

    cdef int caught(self) except -1:
        import sys
        cdef object stopped
        position = self.index
        self.index += 1
        stopped, self.failures = failed(
            self.board.policy, sys.exc_info()[1], self.row.seats[position].handler, self.event, self.failures
        )
        if stopped is None:
            return 0
        if self.state == ENTERING:
            log(self.failures, self.event)
            self.failures = None
            self.undo(stopped)
        else:
            if isinstance(stopped, GeneratorExit):
                self.closing = True
                self.then = stopped
            elif self.then is None:
                self.then = stopped
        return 0

    cdef bint suspends(self, object coroutine) except -1:
        return not self.closing

    cdef int closed(self) except -1:
        self.closing = True
        return 0


cdef Span open_span(Row row, Board board, object event, Maker maker):
    cdef Span span = Span.__new__(Span)
    span.row = row
    span.board = board
    span.event = event
    span.maker = maker
    return span


@cython.final
cdef class Slots:
    """Where a class of trackers keeps what spans need, as offsets."""

    cdef type owner
    cdef Py_ssize_t handlers, request_contexts, board, row

    def __cinit__(self, owner):
        self.owner = owner
        self.handlers = offset_of(owner, "_handlers")
        self.request_contexts = offset_of(owner, "_request_contexts")
        self.board = offset_of(owner, "_board")
        self.row = offset_of(owner, "_row")


cdef Py_ssize_t offset_of(object cls, object slot) except -1:
    found = vars(cls).get(slot)
    cdef Py_ssize_t offset = goanna_slot_offset(cls, found)
    if offset <= 0:
        raise TypeError(f"{cls.__qualname__} has no slot {slot!r}")
    return offset


@cython.final
cdef class StrictSpan(Steps):
    """StrictSpan(tracker, event, make)
--

One event of a tracker in strict mode: everything happens as in db-ally's generator, and in its order.

The handlers are those in the tracker's list at the time, and their methods are looked up at each call. The contexts
of the request are looked up in the tracker's dictionary. The contexts of the event are found as in a dictionary by
handler; the compiled core makes one only where handlers come and go or define what equals them."""

    cdef Slots slots
    cdef object tracker
    cdef object event
    cdef object span
    cdef object handlers
    cdef object handler
    # Handlers and their contexts by turns, `size` pairs of them, `filled` of which are there; or the dictionary.
    cdef tuple pairs
    cdef Py_ssize_t size
    cdef Py_ssize_t filled
    cdef dict by_handler

    def __init__(self, tracker, event, make):
        self.tracker = tracker
        self.event = event
        self.maker = Maker(make)
        self.slots = Slots(type(tracker))

    def __repr__(self):
        return f"<span of {type(self.event).__name__}>"

    def __call__(self, function):
        """Return a coroutine function that runs within a span like this one."""
        return decorated(lambda: open_strict_span(self.tracker, self.event, self.maker, self.slots), function)

    def __aenter__(self):
        """Call the ``event_start`` of each handler; return the EventSpan."""
        if self.state != NEW:
            raise once_only(True)
        self.state = ENTERING
        return self

    def __aexit__(self, error_type, error, traceback):
        """Call the ``event_end`` of each handler unless the body has raised; return False."""
        if self.state != OPEN:
            raise once_only(False)
        self.state = LEAVING
        if error_type is not None:
            self.handlers = ()
            self.index = 0
        return self

    cdef int go(self, PyObject** result) except -1:
        cdef PyObject* stack[5]
        cdef PyObject* got = NULL
        cdef int status
        cdef bint starting = self.state == ENTERING
        if self.handlers is None:
            self.begin()
        while True:
            if goanna_is_list(self.handlers):
                if self.index >= goanna_list_size(self.handlers):
                    break
                handler = goanna_list_item(self.handlers, self.index)
            elif self.index < len(self.handlers):
                handler = self.handlers[self.index]
            else:
                break
            stack[1] = <PyObject*>handler
            if starting:
                got = goanna_look_up_in_slot(self.tracker, self.slots.request_contexts, handler)
                context = goanna_own(got) if got != NULL else self.missing(handler, EVENT_START)
                stack[2] = <PyObject*>self.event
                stack[3] = <PyObject*>context
                got = goanna_call_method_with(<PyObject*>EVENT_START, stack, <PyObject*>AT_START)
            else:
                data = self.span.data
                event_context = self.event_context(handler)
                got = goanna_look_up_in_slot(self.tracker, self.slots.request_contexts, handler)
                context = goanna_own(got) if got != NULL else self.missing(handler, EVENT_END)
                stack[2] = <PyObject*>data
                stack[3] = <PyObject*>event_context
                stack[4] = <PyObject*>context
                got = goanna_call_method_with(<PyObject*>EVENT_END, stack, <PyObject*>AT_END)
            if got == NULL:
                self.problem()
            made = goanna_own(got)
            if not goanna_is_fresh(made):
                made = awaited(made)
            status = goanna_step(made, <PyObject*>None, &got)
            if status == 0:
                value = goanna_own(got)
                if starting:
                    self.keep(handler, value)
                self.index += 1
            elif status == 1:
                self.waiting = made
                self.handler = handler
                result[0] = got
                return 1
            else:
                self.problem()
        self.handler = self.handlers = None
        if starting:
            self.span = self.maker.make()
            self.state = OPEN
            made = self.span
        else:
            self.state = DONE
            self.pairs = None
            made = False
        Py_INCREF(made)
        result[0] = <PyObject*>made
        return 0

    cdef int begin(self) except -1:
        """Take the tracker's list as it is now."""
        cdef PyObject* found = goanna_load(<PyObject*>self.tracker, self.slots.handlers)
        handlers = self.tracker._handlers if found == NULL else <object>found
        # Only a list changes under the loop in a way that is seen.
        self.handlers = handlers if goanna_is_list(handlers) else tuple(handlers)
        self.index = 0
        if self.state == ENTERING:
            self.size = len(self.handlers)
            if self.size:
                self.pairs = PyTuple_New(2 * self.size)
        return 0

    cdef object missing(self, object handler, object method):
        """Return a context of the request that was not simply there; raise as looking it up after the method would."""
        if PyErr_Occurred() != NULL:
            try:
                raised()
            except BaseException:
                getattr(handler, method)
                raise
        getattr(handler, method)
        return self.tracker._request_contexts[handler]

    cdef inline object event_context(self, object handler):
        """Return what the handler's ``event_start`` has returned the last time."""
        cdef Py_ssize_t index
        if (
            self.by_handler is None
            and self.index < self.filled <= FEW
            and goanna_peek(self.pairs, 2 * self.index) == <PyObject*>handler
        ):
            for index in range(self.filled - 1, self.index, -1):
                if goanna_peek(self.pairs, 2 * index) == <PyObject*>handler:
                    break
            else:
                index = self.index
            return <object>goanna_peek(self.pairs, 2 * index + 1)
        if self.by_handler is None:
            self.go_by_handler()
        if handler not in self.by_handler:
            handler.event_end
        return self.by_handler[handler]

    cdef int go_by_handler(self) except -1:
        """Keep the contexts in a dictionary from now on."""
        cdef Py_ssize_t index
        by_handler = {}
        for index in range(self.filled):
            by_handler[<object>goanna_peek(self.pairs, 2 * index)] = <object>goanna_peek(self.pairs, 2 * index + 1)
        self.by_handler = by_handler
        return 0

    cdef int returned(self, object value) except -1:
        if self.state == ENTERING:
            self.keep(self.handler, value)
        self.index += 1
        return 0

    cdef inline int keep(self, object handler, object value) except -1:
        """Keep what an ``event_start`` has returned."""
        if self.by_handler is None and self.filled < self.size and goanna_by_identity(handler):
            goanna_put(self.pairs, 2 * self.filled, handler)
            goanna_put(self.pairs, 2 * self.filled + 1, value)
            self.filled += 1
            return 0
        if self.by_handler is None:
            self.go_by_handler()
        self.by_handler[handler] = value
        return 0

    cdef int problem(self) except -1:
        try:
            raised()
        except StopIteration as error:
            raise RuntimeError("async generator raised StopIteration") from error
        except StopAsyncIteration as error:
            raise RuntimeError("async generator raised StopAsyncIteration") from error
        return 0

    cdef int caught(self) except -1:
        import sys
        error = sys.exc_info()[1]
        if isinstance(error, StopIteration):
            raise RuntimeError("async generator raised StopIteration") from error
        if isinstance(error, StopAsyncIteration):
            raise RuntimeError("async generator raised StopAsyncIteration") from error
        raise error


cdef StrictSpan open_strict_span(object tracker, object event, Maker maker, Slots slots):
    cdef StrictSpan span = StrictSpan.__new__(StrictSpan)
    span.tracker = tracker
    span.event = event
    span.maker = maker
    span.slots = slots
    return span


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
        found = goanna_load(<PyObject*>self, slots.board)
        if found == <PyObject*>None:
            return open_strict_span(self, event, maker, slots)
        if found == NULL:
            raise AttributeError(f"{type(self).__name__}.__init__() was not called")
        cdef Board board = <Board?><object>found
        if board.together is None:
            return open_span(<Row?><object>goanna_load(<PyObject*>self, slots.row), board, event, maker)
        return board.together(<object>goanna_load(<PyObject*>self, slots.row), board, event, make)

    track_event.__qualname__ = f"{owner.__name__}.track_event"
    track_event.__module__ = owner.__module__
    return track_event


cdef int before_step(PyObject* span) except -1:
    (<Steps>span).check()
    (<Steps>span).running = True
    return 0


cdef int advance_span(PyObject* span, PyObject* value, PyObject** result) except -1:
    return (<Steps>span).advance(value, result)


cdef void after_step(PyObject* span, int status) noexcept:
    (<Steps>span).running = False
    if status < 0:
        (<Steps>span).state = DONE


for _cls in (Steps, Span, StrictSpan):
    goanna_allow_send(_cls, <goanna_before>before_step, <goanna_advance>advance_span, <goanna_after>after_step)

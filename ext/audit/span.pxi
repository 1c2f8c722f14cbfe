# One event of a tracker in guaranteed mode.

@cython.final
cdef class Span(SpanBase):
    """Span(participants, open_spans, event, make)
--

One event of a tracker in guaranteed mode, while it lasts and after.

Attributes:
    event: what ``track_event`` was given.
    span: what the ``async with`` statement binds; None before.
    started: ``time.monotonic()`` when it was entered, in seconds; None before."""

    cdef Participants participants
    cdef OpenSpans open_spans
    cdef readonly object span
    cdef readonly object started
    cdef tuple contexts
    cdef list failures
    cdef object error
    cdef object then
    cdef object data
    cdef bint closing

    def __init__(self, participants, open_spans, event, make):
        if self.state != NEW:
            raise once_only(True)
        if type(participants) is not Participants:
            raise TypeError(f"a Span takes Participants, not {type(participants).__name__}")
        if type(open_spans) is not OpenSpans:
            raise TypeError(f"a Span takes OpenSpans, not {type(open_spans).__name__}")
        factory = SpanFactory(make)
        if self.state != NEW:
            raise once_only(True)
        self.participants = participants
        self.open_spans = open_spans
        self.event = event
        self.factory = factory

    cdef object again(self):
        return open_span(self.participants, self.open_spans, self.event, self.factory)

    def __aexit__(self, error_type, error, traceback):
        """Call the ``event_end`` of each handler whose start has returned; return False."""
        self.leave()
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
        cdef Participants participants = self.participants
        cdef bint starting = self.state == ENTERING
        cdef int status
        if starting and self.started is None:
            self.started = monotonic()
            self.open_spans.enter(self)
            if participants.size:
                self.contexts = goanna_places(participants.size, FAILED)
        while self.index < participants.size:
            if starting:
                stack[2] = <PyObject*>self.event
                stack[3] = <PyObject*>participants.contexts[self.index]
                got = goanna_invoke_with(&participants.starts[self.index], stack, <PyObject*>AT_START)
            else:
                context = goanna_peek(self.contexts, self.index)
                if context == <PyObject*>FAILED:
                    self.index += 1
                    continue
                stack[2] = <PyObject*>self.data
                stack[3] = context
                stack[4] = <PyObject*>participants.contexts[self.index]
                if self.error is not None and participants.takes_error[self.index]:
                    stack[5] = <PyObject*>self.error
                    got = goanna_invoke_with(&participants.ends[self.index], stack, <PyObject*>AFTER_ERROR)
                else:
                    got = goanna_invoke_with(&participants.ends[self.index], stack, <PyObject*>AT_END)
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
            self.span = self.factory.make()
            self.state = OPEN
            made = self.span
        else:
            self.open_spans.leave(self)
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

    cdef int caught(self) except -1:
        cdef object stopped
        handler = self.participants.subscriptions[self.index].handler
        self.index += 1
        stopped, self.failures = failed(self.open_spans.policy, sys.exc_info()[1], handler, self.event, self.failures)
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


cdef Span open_span(Participants participants, OpenSpans open_spans, object event, SpanFactory factory):
    cdef Span span = Span.__new__(Span)
    span.participants = participants
    span.open_spans = open_spans
    span.event = event
    span.factory = factory
    return span

# One event of a tracker in strict mode.

@cython.final
cdef class Slots:
    """Where a class of trackers keeps what spans need, as offsets."""

    cdef type owner
    cdef Py_ssize_t handlers, request_contexts, open_spans, participants

    def __cinit__(self, owner):
        self.owner = owner
        self.handlers = offset_of(owner, "_handlers")
        self.request_contexts = offset_of(owner, "_request_contexts")
        self.open_spans = offset_of(owner, "_open_spans")
        self.participants = offset_of(owner, "_participants")


cdef Py_ssize_t offset_of(object cls, object slot) except -1:
    found = vars(cls).get(slot)
    cdef Py_ssize_t offset = goanna_slot_offset(cls, found)
    if offset <= 0:
        raise TypeError(f"{cls.__qualname__} has no slot {slot!r}")
    return offset


@cython.final
cdef class StrictSpan(SpanBase):
    """StrictSpan(tracker, event, make)
--

One event of a tracker in strict mode: everything happens as in db-ally's generator, and in its order.

The handlers are those in the tracker's list at the time, and their methods are looked up at each call. The contexts
of the request are looked up in the tracker's dictionary. The contexts of the event are found as in a dictionary by
handler; the compiled core makes one only where handlers come and go or define what equals them."""

    cdef Slots slots
    cdef object tracker
    cdef object span
    cdef object handlers
    cdef object handler
    # Handlers and their contexts by turns, `size` pairs of them, `filled` of which are there; or the dictionary.
    cdef tuple pairs
    cdef Py_ssize_t size
    cdef Py_ssize_t filled
    cdef dict by_handler

    def __init__(self, tracker, event, make):
        factory, slots = SpanFactory(make), Slots(type(tracker))
        if self.state != NEW:
            raise once_only(True)
        self.tracker = tracker
        self.event = event
        self.factory = factory
        self.slots = slots

    cdef object again(self):
        return open_strict_span(self.tracker, self.event, self.factory, self.slots)

    def __aexit__(self, error_type, error, traceback):
        """Call the ``event_end`` of each handler unless the body has raised; return False."""
        self.leave()
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
                got = goanna_list_item(self.handlers, self.index)
                if GOANNA_NO_GIL and got == NULL:
                    break
                handler = goanna_own(got)
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
            self.span = self.factory.make()
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
        cdef PyObject* found = goanna_look(<PyObject*>self.tracker, self.slots.handlers)
        handlers = self.tracker._handlers if found == NULL else <object>found
        goanna_let_go(found)
        # Only a list changes under the loop in a way that is seen.
        self.handlers = handlers if goanna_is_list(handlers) else tuple(handlers)
        self.index = 0
        if self.state == ENTERING:
            self.size = len(self.handlers)
            if self.size:
                self.pairs = goanna_places(2 * self.size, FAILED)
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

    cdef int caught(self) except -1:
        error = sys.exc_info()[1]
        if isinstance(error, (StopIteration, StopAsyncIteration)):
            raise in_generator(error) from error
        raise error


cdef StrictSpan open_strict_span(object tracker, object event, SpanFactory factory, Slots slots):
    cdef StrictSpan span = StrictSpan.__new__(StrictSpan)
    span.tracker = tracker
    span.event = event
    span.factory = factory
    span.slots = slots
    return span

# The method ``track_event`` of a class of trackers, which opens the span of one kind or another.

def track_event_method(make, owner):
    """Return the method ``track_event`` of a class of trackers.

    Args:
        make: makes what ``async with`` binds: the class EventSpan.
        owner: the class, with the slots ``_handlers``, ``_request_contexts``, ``_open_spans`` and ``_participants``.
    """
    cdef Slots slots = Slots(owner)
    cdef SpanFactory factory = SpanFactory(make)

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
        found = goanna_look(<PyObject*>self, slots.open_spans)
        if found == <PyObject*>None:
            return open_strict_span(self, event, factory, slots)
        if found == NULL:
            raise AttributeError(f"{type(self).__name__}.__init__() was not called")
        cdef OpenSpans open_spans = <OpenSpans?><object>found
        goanna_let_go(found)
        found = goanna_look(<PyObject*>self, slots.participants)
        if found == NULL:
            raise AttributeError(f"{type(self).__name__}.__init__() was not called")
        participants = <object>found
        goanna_let_go(found)
        if open_spans.concurrent is None:
            return open_span(<Participants?>participants, open_spans, event, factory)
        return open_spans.concurrent(participants, open_spans, event, make)

    track_event.__qualname__ = f"{owner.__name__}.track_event"
    track_event.__module__ = owner.__module__
    return track_event

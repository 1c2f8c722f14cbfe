# The consumer's side: taking events out one by one or several at once, in flight until they are done, and its loop.

cdef object pop_event(Ring ring):
    """Do what :meth:`Ring.pop` says."""
    cdef Slot slot
    cdef Py_ssize_t number
    goanna_acquire(&ring.lock)
    if ring.size == 0:
        goanna_release(&ring.lock)
        return None
    number = ring.removed
    slot = ring.fetch()
    goanna_release(&ring.lock)
    event = own(slot.event)
    context = None if slot.context == NULL else own(slot.context)
    return number, <object>slot.handler, event, context, slot.time, slot.lost


cdef object take_events(Ring ring, Py_ssize_t most):
    """Do what :meth:`Ring.take` says."""
    cdef Slot slot
    cdef Py_ssize_t lost = 0
    cdef list events = []
    cdef list contexts = None
    goanna_acquire(&ring.lock)
    try:
        if ring.size:
            lost = ring.at(0).lost
        while ring.size and len(events) < most and not (events and ring.at(0).lost):
            slot = ring.fetch()
            events.append(own(slot.event))
            if slot.context != NULL:
                if contexts is None:
                    contexts = []
                contexts.append(own(slot.context))  # letting go of it may run any code, so not here
    finally:
        goanna_release(&ring.lock)
    return events, lost


cdef Py_ssize_t drain_events(Ring ring, Py_ssize_t most, long long nanoseconds) except -1:
    """Call the handlers of up to ``most`` events, one after another; return how many."""
    cdef Py_ssize_t handled = 0
    cdef Py_ssize_t lost
    cdef long long begin = goanna_now()
    cdef long long start = begin
    cdef long long end
    cdef Py_ssize_t generation
    cdef Slot slot
    cdef PyObject* result
    while handled < most:
        goanna_acquire(&ring.lock)
        if ring.size == 0:
            lost = ring.tail_lost
            goanna_release(&ring.lock)
            if ring.gap is not None and lost:
                ring.gap(ring.trailing())
            break
        if ring.gap is not None and ring.at(0).lost:
            lost = ring.at(0).lost
            ring.at(0).lost = 0
            goanna_release(&ring.lock)
            ring.gap(lost)  # which may raise: the event is still in its place
            start = goanna_now()
            continue
        slot = ring.fetch()
        goanna_release(&ring.lock)
        handler = <object>slot.handler
        event = own(slot.event)
        context = None if slot.context == NULL else own(slot.context)
        handled += 1
        generation = goanna_get(&ring.generation)
        if context is not None and ring.own is not None:
            context.run(mark, ring.key)
        if context is None:
            result = goanna_checked(goanna_call_event(<PyObject*>handler, <PyObject*>event))
        else:
            result = goanna_checked(goanna_call_within(<PyObject*>context, <PyObject*>handler, <PyObject*>event))
        end = goanna_now()
        if result != NULL:
            Py_XDECREF(result)
            if generation == goanna_get(&ring.generation):
                count_done(ring, 1, 0, end - start)
        else:
            try:
                raised()
            except BaseException as error:
                if generation == goanna_get(&ring.generation):
                    count_done(ring, 0, 1, end - start)
                ring.report(error, handler, event)
        if ring.slow and end - start >= ring.slow and ring.slowed is not None:
            ring.slow = 0
            ring.slowed(handler, event, end - start)
        if end - begin >= nanoseconds:
            break
        event = context = None
        start = end
    return handled

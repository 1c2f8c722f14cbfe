# Taking events out one by one or several at once; they are in flight until they are done.

cdef object popped(Ring ring):
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


cdef object taken(Ring ring, Py_ssize_t most):
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

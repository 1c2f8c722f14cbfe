# The publishers' side where more is to be done than to append: the ring was forked off, is shut, is full or is small.

cdef int push_slowly(Ring ring, PyObject* handler_, PyObject* event_) except -1:
    handler = <object>handler_
    event = <object>event_
    context = None
    cdef Py_ssize_t weight
    if goanna_forks() != goanna_get(&ring.generation):
        start_anew(ring)
    if goanna_get(&reports):
        if threading.get_ident() in reporting:
            count_dropped(ring, REENTRANT)
            return 0
        if in_block():
            return 0
    if is_own(ring):
        count_dropped(ring, REENTRANT)
        return 0
    if goanna_get(&ring.shut_number) != OPEN:
        count_dropped(ring, goanna_get(&ring.shut_number))
        return 0
    if ring.prepare is not None:
        try:
            event = ring.prepare(event)
        except Exception as error:
            goanna_acquire(&ring.lock)
            ring.published += 1
            ring.failed += 1
            goanna_release(&ring.lock)
            ring.report(error, handler, event)
            return 0
    if ring.capture:
        context = contextvars.copy_context()
    weight = weight_of(ring, event)
    if not offer_to(ring, handler, event, context, weight):
        if goanna_get(&ring.shut_number) != OPEN:
            count_dropped(ring, goanna_get(&ring.shut_number))
        elif ring.full is not None:
            ring.full(handler, event, context)
        elif ring.newest:
            count_dropped(ring, OVERFLOW)
        elif ring.sized is not None:
            while not offer_to(ring, handler, event, context, weight):
                if goanna_get(&ring.shut_number) != OPEN:
                    count_dropped(ring, goanna_get(&ring.shut_number))
                    return 0
                drop_first(ring)
        else:
            push_out(ring, handler, event, context)
    return 0


cdef bint is_own(Ring ring) except -1:
    """Return whether what is published here is the consumer's own."""
    if ring.anywhere or ring.consumer == goanna_thread():
        return marked(ring.key)
    return False


cdef object enter_ring(Ring ring):
    """Do what :meth:`Ring.enter` says."""
    if ring.own is None:
        return None
    if not ring.anywhere:
        goanna_acquire(&ring.lock)
        ring.consumer = goanna_thread()
        goanna_release(&ring.lock)
    return mark(ring.key)


cdef Py_ssize_t weight_of(Ring ring, object event) except -1:
    return 0 if ring.sized is None else ring.sized(event)


cdef int drop_first(Ring ring) except -1:
    """Drop the oldest event, if there is one."""
    cdef Slot out
    goanna_acquire(&ring.lock)
    if ring.size == 0:
        goanna_release(&ring.lock)
        return 0
    out = ring.at(0)[0]
    ring.advance()
    ring.dropped[OVERFLOW] += 1
    if ring.size:
        ring.at(0).lost += out.lost + 1
    else:
        ring.tail_lost += out.lost + 1
    goanna_release(&ring.lock)
    Py_XDECREF(out.event)
    Py_XDECREF(out.context)
    return 0


cdef int offer_to(Ring ring, object handler, object event, object context, Py_ssize_t weight) except -1:
    cdef bint wake
    goanna_acquire(&ring.lock)
    if (
        ring.size >= ring.maxsize or ring.shut_number != OPEN
        or (ring.size and weight and ring.bytes + weight > ring.max_bytes)
    ):
        goanna_release(&ring.lock)
        return 0
    if ring.size >= ring.room and not grow(ring):
        goanna_release(&ring.lock)
        raise MemoryError()
    Py_INCREF(event)
    if context is not None:
        Py_INCREF(context)
    wake = ring.append(<PyObject*>handler, <PyObject*>event, <PyObject*>context if context is not None else NULL)
    if ring.sized is not None:
        ring.at(ring.size - 1).bytes = weight
        ring.bytes += weight
        if not wake and weight and 2 * ring.bytes >= ring.max_bytes and ring.wake_at != NEVER:
            ring.wake_at = NEVER  # or it would be full before as many wait as the consumer has asked for
            wake = True
    goanna_release(&ring.lock)
    if wake:
        wake_up(ring)
    return 1


cdef int wake_up(Ring ring) except -1:
    """Wake the consumer; where that is interrupted, the next push is to do it again."""
    try:
        ring.wake()
    except BaseException:
        goanna_acquire(&ring.lock)
        ring.wake_at = 1
        goanna_release(&ring.lock)
        raise
    return 0


cdef bint grow(Ring ring) noexcept:
    """Make the buffer larger, within its bound; return False where there is no memory for it."""
    cdef Py_ssize_t room = min(ring.maxsize, 2 * ring.room)
    cdef Py_ssize_t index
    cdef Slot* slots = <Slot*>PyMem_Malloc(room * sizeof(Slot))
    if slots == NULL:
        return False
    for index in range(ring.size):
        slots[index] = ring.at(index)[0]
    PyMem_Free(ring.slots)
    ring.slots = slots
    ring.room = room
    ring.head = 0
    return True


cdef int push_out(Ring ring, object handler, object event, object context) except -1:
    """Take an event in, at the expense of the oldest one."""
    cdef Slot out
    cdef bint wake
    goanna_acquire(&ring.lock)
    if GOANNA_NO_GIL and (ring.size < ring.room or ring.shut_number != OPEN):
        goanna_release(&ring.lock)
        return push_again(ring, handler, event, context)
    out = ring.at(0)[0]
    ring.advance()
    ring.dropped[OVERFLOW] += 1
    if ring.size:
        ring.at(0).lost += out.lost + 1
    else:
        ring.tail_lost += out.lost + 1
    Py_INCREF(event)
    if context is not None:
        Py_INCREF(context)
    wake = ring.append(<PyObject*>handler, <PyObject*>event, <PyObject*>context if context is not None else NULL)
    goanna_release(&ring.lock)
    try:
        if wake:
            wake_up(ring)
    finally:
        Py_XDECREF(out.event)
        Py_XDECREF(out.context)
    return 0


cdef int push_again(Ring ring, object handler, object event, object context) except -1:
    """Take an event in where the ring has got room, or been shut, since it was found full."""
    if not offer_to(ring, handler, event, context, 0):
        if goanna_get(&ring.shut_number) != OPEN:
            count_dropped(ring, goanna_get(&ring.shut_number))
        else:
            push_out(ring, handler, event, context)
    return 0

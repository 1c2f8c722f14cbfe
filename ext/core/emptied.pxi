# Emptying the buffer, on request or in a process that was forked off.

cdef Py_ssize_t take_out(Ring ring, int reason, list out) except -1:
    """Empty the buffer into ``out``, because letting go of its events may run any code; return how many those are.

    The list is made before, because making one may run the collector, while the counts change in one step.
    """
    cdef Py_ssize_t index, count, room, head
    cdef Slot* slots
    cdef Slot* slot
    cdef Slot* fresh
    goanna_acquire(&ring.lock)
    count, slots, room, head = ring.size, ring.slots, ring.room, ring.head
    fresh = <Slot*>PyMem_Malloc(room * sizeof(Slot))
    if fresh == NULL:
        goanna_release(&ring.lock)
        raise MemoryError()
    ring.slots = fresh
    ring.head = 0
    ring.size = 0
    ring.removed += count
    ring.dropped[reason] += count
    goanna_release(&ring.lock)
    for index in range(count):
        slot = slots + (head + index if head + index < room else head + index - room)
        out.append(own(slot.event))
        if slot.context != NULL:
            out.append(own(slot.context))
    PyMem_Free(slots)
    return count


cdef int start_anew(Ring ring) except -1:
    """Do what :meth:`Ring.check_fork` says."""
    cdef Py_ssize_t generation = goanna_forks()
    cdef Py_ssize_t before = goanna_get(&ring.generation)
    if generation == before:
        return 0
    out = []
    if not goanna_move(&ring.generation, before, generation):
        return 0  # the collector ran, and something that it ended has been here; or another thread has
    goanna_renew(&ring.lock)
    goanna_acquire(&ring.lock)
    ring.dropped[FORK_INHERITED] += ring.in_flight
    ring.in_flight = 0
    ring.wake_at = NEVER
    ring.tail_lost = 0
    goanna_release(&ring.lock)
    take_out(ring, FORK_INHERITED, out)
    reporting.clear()
    goanna_set(&reports, 0)
    if ring.on_fork is not None:
        ring.on_fork()
    del out
    return 0

# Emptying the buffer, on request or in a process that was forked off.

cdef Py_ssize_t take_out(Ring ring, int reason, list out) except -1:
    """Empty the buffer into ``out``, because letting go of its events may run any code; return how many those are.

    The list is made before, because making one may run the collector, while the counts change in one step.
    """
    cdef Py_ssize_t index, count = ring.size
    cdef Slot* slots = ring.slots
    cdef Py_ssize_t room = ring.room
    cdef Py_ssize_t head = ring.head
    cdef Slot* slot
    cdef Slot* fresh = <Slot*>PyMem_Malloc(room * sizeof(Slot))
    if fresh == NULL:
        raise MemoryError()
    ring.slots = fresh
    ring.head = 0
    ring.size = 0
    ring.removed += count
    ring.dropped[reason] += count
    for index in range(count):
        slot = slots + (head + index if head + index < room else head + index - room)
        out.append(own(slot.event))
        if slot.context != NULL:
            out.append(own(slot.context))
    PyMem_Free(slots)
    return count


cdef int start_anew(Ring ring) except -1:
    """Do what :meth:`Ring.check_fork` says."""
    cdef unsigned long generation = goanna_forks()
    global reports
    if generation == ring.generation:
        return 0
    out = []
    if generation == ring.generation:
        return 0  # the collector ran, and something that it ended has been here
    ring.generation = generation
    ring.dropped[FORK_INHERITED] += ring.in_flight
    ring.in_flight = 0
    ring.wake_at = NEVER
    ring.tail_lost = 0
    take_out(ring, FORK_INHERITED, out)
    reporting.clear()
    reports = 0
    if ring.on_fork is not None:
        ring.on_fork()
    del out
    return 0

# The counts, all as they were at one moment, and emptying the buffer, on request or in a process that was forked off.

cdef void count_dropped(Ring ring, Py_ssize_t reason) noexcept:
    goanna_acquire(&ring.lock)
    ring.published += 1
    ring.dropped[reason] += 1
    if reason == OVERFLOW or reason == TIMEOUT:
        ring.tail_lost += 1
    goanna_release(&ring.lock)


cdef void count_done(Ring ring, Py_ssize_t delivered, Py_ssize_t failed, long long nanoseconds) noexcept:
    goanna_acquire(&ring.lock)
    if delivered + failed <= ring.in_flight:  # else the process was forked meanwhile: they have been counted as inherited
        ring.in_flight -= delivered + failed
        ring.delivered += delivered
        ring.failed += failed
        ring.streak = ring.streak + 1 if failed else 0
        ring.total += nanoseconds
        if nanoseconds > ring.longest:
            ring.longest = nanoseconds
        ring.histogram[goanna_bucket(nanoseconds)] += 1
    goanna_release(&ring.lock)


cdef object counts_of(Ring ring):
    """Return what :meth:`Ring.counts` does."""
    cdef Py_ssize_t[REASONS_COUNT] dropped
    cdef Py_ssize_t[GOANNA_BUCKETS] histogram
    cdef Py_ssize_t index, published, delivered, failed, pending, high_water
    cdef long long oldest = 0, total, longest
    if goanna_forks() != goanna_get(&ring.generation):
        start_anew(ring)
    # All is read before the first object is made, because making one may run a finalizer that publishes.
    goanna_acquire(&ring.lock)
    for index in range(REASONS_COUNT):
        dropped[index] = ring.dropped[index]
    for index in range(GOANNA_BUCKETS):
        histogram[index] = ring.histogram[index]
    published, delivered, failed = ring.published, ring.delivered, ring.failed
    pending, high_water = ring.size + ring.in_flight, ring.high_water
    total, longest = ring.total, ring.longest
    if ring.in_flight:
        oldest = max(goanna_now() - ring.flight_time, 0)
    elif ring.size:
        oldest = max(goanna_now() - ring.at(0).time, 0)
    goanna_release(&ring.lock)
    return (
        published,
        delivered,
        failed,
        tuple([dropped[index] for index in range(REASONS_COUNT)]),
        pending,
        high_water,
        oldest,
        total,
        longest,
        tuple([histogram[index] for index in range(GOANNA_BUCKETS)]),
    )


cdef Py_ssize_t discard_events(Ring ring, int reason, list out) except -1:
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
    ring.bytes = 0
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
    fresh = object()
    if not goanna_move(&ring.generation, before, generation):
        return 0  # the collector ran, and something that it ended has been here; or another thread has
    goanna_renew(&ring.lock)
    goanna_acquire(&ring.lock)
    ring.dropped[FORK_INHERITED] += ring.in_flight
    ring.in_flight = 0
    ring.wake_at = NEVER
    ring.tail_lost = 0
    ring.consumer = 0
    goanna_release(&ring.lock)
    ring.key = fresh
    discard_events(ring, FORK_INHERITED, out)
    forget_others()
    if ring.on_fork is not None:
        ring.on_fork()
    del out
    return 0

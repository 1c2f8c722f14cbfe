# What is counted of an event when it is dropped or done, and all counts as they were at one moment.

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


cdef object counted(Ring ring):
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

# The ring itself: what it holds, and its methods, of which the longer ones are functions of the parts that follow.

cdef extern from "fork_page.h":
    void goanna_watch_forks() noexcept
    Py_ssize_t goanna_forks() noexcept

cdef extern from "ring.h":
    enum: GOANNA_BUCKETS
    long long goanna_now() noexcept
    long long goanna_about_now() noexcept
    void goanna_about_to_write(void* place) noexcept
    int goanna_bucket(long long nanoseconds) noexcept
    size_t goanna_thread() noexcept
    bint goanna_has_value(object variable) except -1
    PyObject* goanna_call_event(PyObject* method, PyObject* event) noexcept
    PyObject* goanna_call_within(PyObject* context, PyObject* method, PyObject* event) noexcept


@cython.final
@cython.no_gc_clear
cdef class Ring:
    """Ring(maxsize, wake, failed, *, newest=False, full=None, prepare=None, capture=False, slow=0, slowed=None, gap=None, forked=None, own=None, max_bytes=0, sized=None)
--

A bounded buffer between publishers and one consumer, with the counts of all that went in.

Args:
    maxsize: the most events that wait.
    wake: called without arguments when as many wait as :meth:`arm` asked for. Where a signal interrupts it, the
        next push calls it again.
    failed: called with the error, the handler and the event where a handler or ``prepare`` raised.
    newest: a full ring drops the event that comes instead of the oldest one.
    full: called with the handler, the event and the context instead, when the ring is full; calls :meth:`offer`
        or :meth:`drop` itself. Must not raise.
    prepare: called with each event before it is pushed; what it returns is pushed.
    capture: push the publisher's context too; the handler runs in it.
    slow: a handler that takes this many nanoseconds or more is reported, 0 for none.
    slowed: called with the handler, the event and the nanoseconds the first time that happens.
    gap: called with a count before the event that follows events which were dropped out of the ring's order.
    forked: called in a process that was forked off, when that is noticed.
    own: which events are dropped, "reentrant", once the consumer has called :meth:`enter`: "thread" are those that
        its thread publishes, "context" those of its context and of all that inherit that; None is for none.
    max_bytes: the most bytes of events that wait, by what ``sized`` says of each; one event may wait in any case.
    sized: called with each event before it is pushed, for its bytes; must not raise. None for no bound.

Attributes:
    accepted: how many events went into the buffer.
    removed: how many have left it, taken or dropped; the next to leave has this number, counted from 0.
    in_flight: how many were taken and are not done.
    streak: how many calls have failed in a row.

Raises:
    ValueError: ``maxsize`` is less than 1."""

    cdef goanna_lock lock  # for all that follows up to `streak`
    cdef Slot* slots
    cdef Py_ssize_t room
    cdef Py_ssize_t maxsize
    cdef Py_ssize_t head
    cdef Py_ssize_t size
    cdef Py_ssize_t wake_at
    cdef Py_ssize_t generation
    cdef Py_ssize_t shut_number
    cdef bint newest
    cdef bint capture
    cdef bint unusual
    cdef Py_ssize_t tail_lost
    cdef Py_ssize_t published
    cdef Py_ssize_t delivered
    cdef Py_ssize_t failed
    cdef Py_ssize_t[REASONS_COUNT] dropped
    cdef Py_ssize_t high_water
    cdef long long flight_time
    cdef Py_ssize_t flight_number
    cdef long long slow
    cdef long long total
    cdef long long longest
    cdef Py_ssize_t[GOANNA_BUCKETS] histogram
    cdef readonly Py_ssize_t removed
    cdef readonly Py_ssize_t in_flight
    cdef readonly Py_ssize_t streak
    cdef list handlers
    cdef object wake
    cdef object report
    cdef object full
    cdef object prepare
    cdef object slowed
    cdef object gap
    cdef object on_fork
    cdef object sized
    cdef Py_ssize_t max_bytes
    cdef Py_ssize_t bytes  # of those that wait, where they are bounded
    cdef object key  # the consumer's mark
    cdef object own
    cdef bint anywhere  # its own events may come on any thread
    cdef size_t consumer  # the thread that they come on, 0 for none
    cdef object __weakref__

    def __cinit__(
        self, maxsize, wake, failed, *, newest=False, full=None, prepare=None, capture=False, slow=0, slowed=None,
        gap=None, forked=None, own=None, max_bytes=0, sized=None,
    ):
        goanna_hide(self)
        if maxsize < 1:
            raise ValueError(f"maxsize is {maxsize}; it must be at least 1")
        if own not in (None, "thread", "context"):
            raise ValueError(f"own is {own!r}; it must be None, thread or context")
        self.maxsize = maxsize
        self.room = min(self.maxsize, 16)
        self.slots = <Slot*>PyMem_Malloc(self.room * sizeof(Slot))
        if self.slots == NULL:
            raise MemoryError()
        self.wake_at = NEVER
        self.generation = goanna_forks()
        self.shut_number = OPEN
        self.newest = newest
        self.capture = capture
        self.unusual = capture or prepare is not None or sized is not None
        self.sized = sized
        self.max_bytes = max_bytes
        self.slow = slow
        self.handlers = []
        self.wake = wake
        self.report = failed
        self.full = full
        self.prepare = prepare
        self.slowed = slowed
        self.gap = gap
        self.on_fork = forked
        self.key = object()
        self.own = own
        self.anywhere = own == "context"
        goanna_show(self)

    def __dealloc__(self):
        cdef Py_ssize_t index
        cdef Slot* slot
        for index in range(self.size):
            slot = self.at(index)
            Py_XDECREF(slot.event)
            Py_XDECREF(slot.context)
        PyMem_Free(self.slots)

    cdef Slot* at(self, Py_ssize_t index) noexcept:
        index += self.head
        return self.slots + (index if index < self.room else index - self.room)

    @property
    def accepted(self):
        """How many events went into the buffer."""
        cdef Py_ssize_t accepted
        goanna_acquire(&self.lock)
        accepted = self.removed + self.size
        goanna_release(&self.lock)
        return accepted

    @property
    def shut_for(self):
        """The reason for which events are dropped instead of taken in, or None."""
        cdef Py_ssize_t number = goanna_get(&self.shut_number)
        return None if number == OPEN else REASONS[number]

    def inlet(self, handler):
        """Return the way in for the events of one method."""
        return Inlet(self, handler)

    # The publishers' side.

    def push(self, handler, event):
        """Take an event in, or drop one and count it."""
        self.keep(handler)
        self.push_event(<PyObject*>handler, <PyObject*>event)

    cdef int keep(self, object handler) except -1:
        """See that a handler lives as long as the ring."""
        for one in self.handlers:
            if one is handler:
                return 0
        self.handlers.append(handler)
        return 0

    cdef inline int push_event(self, PyObject* handler, PyObject* event) except -1:
        cdef bint wake
        if goanna_forks() != goanna_get(&self.generation):
            return push_slowly(self, handler, event)
        if self.anywhere and goanna_has_value(marked_here):
            return push_slowly(self, handler, event)
        goanna_acquire(&self.lock)
        if (
            goanna_get(&reports) or self.shut_number != OPEN or self.unusual or self.size >= self.room
            or self.consumer == goanna_thread()
        ):
            goanna_release(&self.lock)
            return push_slowly(self, handler, event)
        Py_INCREF(<object>event)
        wake = self.append(handler, event, NULL)
        goanna_release(&self.lock)
        if wake:
            return wake_up(self)
        return 0

    cdef inline bint append(self, PyObject* handler, PyObject* event, PyObject* context) noexcept:
        """Append to a buffer that has room; the references are taken over. Return whether to wake the consumer."""
        cdef Slot* slot = self.at(self.size)
        cdef Py_ssize_t pending
        # What the worker has taken out on another processor is in that one's cache, too, and having it back for writing
        # takes longer than all the rest here. Behind the end of the buffer, now and then, it is of no use and no harm.
        goanna_about_to_write(slot + AHEAD)
        slot.handler = handler
        slot.event = event
        slot.context = context
        slot.time = goanna_about_now()
        slot.lost = self.tail_lost
        self.tail_lost = 0
        self.size += 1
        self.published += 1
        pending = self.size + self.in_flight
        if pending > self.high_water:
            self.high_water = pending
        if self.size >= self.wake_at:
            self.wake_at = NEVER
            return True
        return False

    def offer(self, handler, event, context=None):
        """Take an event in if there is room and the ring is not shut; return whether."""
        self.keep(handler)
        return bool(offer_to(self, handler, event, context, weight_of(self, event)))

    cdef void advance(self) noexcept:
        """Move the head past the oldest slot; start at the beginning again where that was the last."""
        if self.sized is not None:
            self.bytes -= self.at(0).bytes
        self.size -= 1
        self.removed += 1
        if self.size == 0:
            self.head = 0  # the slots used last are those that are in the processor's cache
        else:
            self.head += 1
            if self.head == self.room:
                self.head = 0

    def drop(self, reason):
        """Count an event that was published and not taken in.

        Raises:
            ValueError: there is no such reason.
        """
        count_dropped(self, reason_number(reason))

    # The consumer's side.

    cdef Slot fetch(self) noexcept:
        """Take the oldest slot, whose references pass to the caller."""
        cdef Slot slot = self.at(0)[0]
        if not self.in_flight:
            self.flight_time = slot.time
            self.flight_number = self.removed
        self.in_flight += 1
        self.advance()
        return slot

    def enter(self):
        """Say that this thread, or context, is the consumer's own; return what :meth:`leave` takes."""
        return enter_ring(self)

    def leave(self, token):
        """Take that back, in the same context."""
        if token is not None:
            unmark(token)

    def pop(self):
        """Take the oldest event; it is in flight until :meth:`done`.

        Returns:
            Its number, its handler, the event, the context or None, when it was pushed (monotonic nanoseconds) and how
            many events were dropped before it; None if there is none.
        """
        return pop_event(self)

    def take(self, Py_ssize_t most):
        """Take up to ``most`` events at once, no further than to the next gap; they are in flight until :meth:`done`.

        Returns:
            The events, and how many were dropped before the first.
        """
        return take_events(self, most)

    def done(self, Py_ssize_t delivered, Py_ssize_t failed, long long nanoseconds):
        """Count events that were in flight, and the time of the call that they took."""
        count_done(self, delivered, failed, nanoseconds)

    def left(self, Py_ssize_t number):
        """Return how many of the first ``number`` events that were taken in wait or are in flight.

        It is exact for a consumer that takes events up in order, one call after another.
        """
        cdef Py_ssize_t count = 0
        goanna_acquire(&self.lock)
        if self.in_flight and self.flight_number < number:
            count = min(self.in_flight, number - self.flight_number)
        count += min(max(number - self.removed, 0), self.size)
        goanna_release(&self.lock)
        return count

    def trailing(self):
        """Return how many events were dropped after the last one that was taken in, and forget it."""
        cdef Py_ssize_t lost
        goanna_acquire(&self.lock)
        lost = self.tail_lost
        self.tail_lost = 0
        goanna_release(&self.lock)
        return lost

    def drain(self, Py_ssize_t most, long long nanoseconds):
        """Call the handlers of up to ``most`` events, one after another.

        Args:
            most: how many at most.
            nanoseconds: take no further event when this much time has gone by.

        Returns:
            How many.
        """
        return drain_events(self, most, nanoseconds)

    def arm(self, Py_ssize_t level):
        """Ask to be woken when this many events wait; return False, and do nothing, if they do already."""
        cdef bint armed = False
        goanna_acquire(&self.lock)
        if self.size < level:
            self.wake_at = level
            armed = True
        goanna_release(&self.lock)
        return bool(armed)

    def disarm(self):
        """Take that back; return False if it is too late and the wake-up has been, or is being, called."""
        cdef bint armed
        goanna_acquire(&self.lock)
        armed = self.wake_at != NEVER
        self.wake_at = NEVER
        goanna_release(&self.lock)
        return bool(armed)

    def wake_now(self):
        """Wake the consumer now if it has asked to be woken at all."""
        if self.disarm():
            wake_up(self)

    # Both sides.

    def shut(self, reason):
        """Drop what is pushed from now on, for this reason; the first reason stays."""
        cdef int number = reason_number(reason)
        goanna_acquire(&self.lock)
        if self.shut_number == OPEN:
            goanna_set(&self.shut_number, number)
        goanna_release(&self.lock)

    def discard(self, reason):
        """Drop what waits, for this reason; return how many events that were."""
        cdef Py_ssize_t removed
        out = []
        removed = discard_events(self, reason_number(reason), out)
        del out
        return removed

    def check_fork(self):
        """In a process that was forked off since the last call: count what it has inherited as that, and start anew."""
        start_anew(self)

    def counts(self):
        """Return all counts as they were at one moment.

        Returns:
            published, delivered, failed, dropped (in the order of REASONS), pending, the most that were pending at
            once, the age of the oldest pending event in nanoseconds, the nanoseconds spent in handlers, the longest
            call, the histogram of calls.
        """
        return counts_of(self)

    __reduce__ = uncopied

    def __len__(self):
        """Return how many events wait."""
        return self.size

    def __bool__(self):
        """Return True: an empty ring is a ring."""
        return True

    def __repr__(self):
        return f"<Ring with {self.size} of {self.maxsize}>"

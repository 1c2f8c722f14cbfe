# cython: language_level=3, binding=True, boundscheck=False, wraparound=False, initializedcheck=False
# cython: embedsignature=False, auto_pickle=False
"""The bounded buffer behind queued and on-loop delivery, compiled: the same as ``goanna._ring_py``, which explains it.

A push takes no lock and allocates nothing: it runs from beginning to end under the interpreter's lock, and whatever
could run other code (a reference that goes away, a wake-up) comes last, when everything is as it must be.
"""

cimport cython
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF

import contextvars
import threading

__all__ = ["BUCKETS", "REASONS", "Inlet", "Ring", "enter_report", "in_report", "leave_report"]

cdef extern from "_native.h":
    ctypedef PyObject* (*vectorcallfunc)(PyObject*, PyObject* const*, size_t, PyObject*)
    Py_ssize_t PyVectorcall_NARGS(size_t nargsf) nogil
    object PyVectorcall_Call(object callable, object args, object kwargs)
    void goanna_allow_vectorcall(object cls, Py_ssize_t offset) noexcept
    void goanna_rename(object cls, const char* name) noexcept
    void Py_XDECREF(PyObject* value) noexcept

cdef extern from "_ring.h":
    enum: GOANNA_BUCKETS
    long long goanna_now() noexcept
    long long goanna_about_now() noexcept
    void goanna_about_to_write(void* place) noexcept
    void goanna_watch_forks() noexcept
    unsigned long goanna_forks() noexcept
    int goanna_bucket(long long nanoseconds) noexcept
    PyObject* goanna_call_event(PyObject* method, PyObject* event) noexcept
    PyObject* goanna_call_within(PyObject* context, PyObject* method, PyObject* event) noexcept
    Py_ssize_t goanna_inlet_vectorcall "offsetof(struct __pyx_obj_6goanna_5_ring_Inlet, vectorcall)"

cdef enum:
    REASONS_COUNT = 8
    AHEAD = 16
    OVERFLOW = 0
    TIMEOUT = 1
    FORK_INHERITED = 6
    REENTRANT = 7
    OPEN = -1

cdef Py_ssize_t NEVER = <Py_ssize_t>1 << 62

REASONS = (
    "overflow",
    "timeout",
    "closed",
    "exit",
    "loop_closed",
    "quarantined",
    "fork_inherited",
    "reentrant",
)

BUCKETS = GOANNA_BUCKETS

# The threads that write a report of goanna's own at this moment, and how many.
cdef set reporting = set()
cdef Py_ssize_t reports = 0


def enter_report():
    """Say that this thread writes a report of goanna's own: what it publishes until the end of it is dropped.

    Returns:
        Whether it did not do so already; then :func:`leave_report` must follow.
    """
    global reports
    thread = threading.get_ident()  # looked up each time: gevent puts that of greenlets there
    if thread in reporting:
        return False
    reporting.add(thread)
    reports = len(reporting)
    return True


def in_report():
    """Return whether this thread writes a report of goanna's own at this moment."""
    return bool(reports and threading.get_ident() in reporting)


def leave_report():
    """Say that the report is written."""
    global reports
    reporting.discard(threading.get_ident())
    reports = len(reporting)


# The handler is borrowed from the ring's list of handlers; event and context are owned, the context may be NULL.
cdef struct Slot:
    PyObject* handler
    PyObject* event
    PyObject* context
    long long time
    Py_ssize_t lost


cdef int reason_number(object reason) except -1:
    if reason not in REASONS:
        raise ValueError(f"reason is {reason!r}; it must be one of {', '.join(REASONS)}")
    return REASONS.index(reason)


@cython.final
@cython.no_gc_clear
cdef class Inlet:
    """Inlet(ring, handler)
--

The way of one method's events into a ring: called with an event it pushes it.

Args:
    ring: where it goes.
    handler: the method that the consumer will call.

Raises:
    TypeError: ``ring`` is no Ring."""

    cdef vectorcallfunc vectorcall
    cdef readonly Ring ring
    cdef readonly object handler

    def __cinit__(self, ring, handler):
        self.vectorcall = <vectorcallfunc>call_inlet
        if not isinstance(ring, Ring):
            raise TypeError(f"an Inlet takes a Ring, not {type(ring).__name__}")
        self.ring = ring
        self.handler = handler
        self.ring.handlers.append(handler)

    def __call__(self, event):
        """Push the event; nothing is raised, whatever becomes of it."""
        self.ring.take_in(<PyObject*>self.handler, <PyObject*>event)

    def __repr__(self):
        return f"<Inlet of {self.handler!r}>"


cdef object call_inlet(Inlet self, PyObject* const* args, size_t nargsf, PyObject* names):
    if PyVectorcall_NARGS(nargsf) != 1 or names != NULL:
        # The ordinary way, for its TypeError or for the keyword.
        keywords = {}
        positional = tuple([<object>args[index] for index in range(PyVectorcall_NARGS(nargsf))])
        if names != NULL:
            for index, name in enumerate(<tuple>names):
                keywords[name] = <object>args[len(positional) + index]
        return Inlet.__call__(self, *positional, **keywords)
    self.ring.take_in(<PyObject*>self.handler, args[0])
    return None


@cython.final
@cython.no_gc_clear
cdef class Ring:
    """Ring(maxsize, wake, failed, *, newest=False, full=None, prepare=None, capture=False, slow=0, slowed=None, gap=None, forked=None)
--

A bounded buffer between publishers and one consumer, with the counts of all that went in.

Args:
    maxsize: the most events that wait.
    wake: called without arguments when as many wait as :meth:`arm` asked for; must not raise.
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

Attributes:
    accepted: how many events went into the buffer.
    removed: how many have left it, taken or dropped; the next to leave has this number, counted from 0.
    in_flight: how many were taken and are not done.
    streak: how many calls have failed in a row.

Raises:
    ValueError: ``maxsize`` is less than 1."""

    cdef Slot* slots
    cdef Py_ssize_t room
    cdef Py_ssize_t maxsize
    cdef Py_ssize_t head
    cdef Py_ssize_t size
    cdef Py_ssize_t wake_at
    cdef unsigned long generation
    cdef int shut_number
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
    cdef object __weakref__

    def __cinit__(
        self, maxsize, wake, failed, *, newest=False, full=None, prepare=None, capture=False, slow=0, slowed=None,
        gap=None, forked=None,
    ):
        if maxsize < 1:
            raise ValueError(f"maxsize is {maxsize}; it must be at least 1")
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
        self.unusual = capture or prepare is not None
        self.slow = slow
        self.handlers = []
        self.wake = wake
        self.report = failed
        self.full = full
        self.prepare = prepare
        self.slowed = slowed
        self.gap = gap
        self.on_fork = forked

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
        return self.removed + self.size

    @property
    def shut_for(self):
        """The reason for which events are dropped instead of taken in, or None."""
        return None if self.shut_number == OPEN else REASONS[self.shut_number]

    def inlet(self, handler):
        """Return the way in for the events of one method."""
        return Inlet(self, handler)

    # The publishers' side.

    def push(self, handler, event):
        """Take an event in, or drop one and count it."""
        self.keep(handler)
        self.take_in(<PyObject*>handler, <PyObject*>event)

    cdef int keep(self, object handler) except -1:
        """See that a handler lives as long as the ring."""
        for one in self.handlers:
            if one is handler:
                return 0
        self.handlers.append(handler)
        return 0

    cdef int take_in(self, PyObject* handler, PyObject* event) except -1:
        if (
            goanna_forks() != self.generation
            or reports
            or self.shut_number != OPEN
            or self.unusual
            or self.size >= self.room
        ):
            return self.take_in_slowly(handler, event)
        Py_INCREF(<object>event)
        return self.append(handler, event, NULL)

    cdef int append(self, PyObject* handler, PyObject* event, PyObject* context) except -1:
        """Append to a buffer that has room; the references are taken over."""
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
            self.wake()
        return 0

    cdef int take_in_slowly(self, PyObject* handler_, PyObject* event_) except -1:
        handler = <object>handler_
        event = <object>event_
        context = None
        if goanna_forks() != self.generation:
            self.check_fork()
        if reports and threading.get_ident() in reporting:
            self.count_dropped(REENTRANT)
            return 0
        if self.shut_number != OPEN:
            self.count_dropped(self.shut_number)
            return 0
        if self.prepare is not None:
            try:
                event = self.prepare(event)
            except Exception as error:
                self.published += 1
                self.failed += 1
                self.report(error, handler, event)
                return 0
        if self.capture:
            context = contextvars.copy_context()
        if not self.offer_it(handler, event, context):
            if self.shut_number != OPEN:
                self.count_dropped(self.shut_number)
            elif self.full is not None:
                self.full(handler, event, context)
            elif self.newest:
                self.count_dropped(OVERFLOW)
            else:
                self.push_out(handler, event, context)
        return 0

    def offer(self, handler, event, context=None):
        """Take an event in if there is room and the ring is not shut; return whether."""
        self.keep(handler)
        return bool(self.offer_it(handler, event, context))

    cdef int offer_it(self, object handler, object event, object context) except -1:
        if self.size >= self.maxsize or self.shut_number != OPEN:
            return 0
        if self.size >= self.room:
            self.grow()
        Py_INCREF(event)
        if context is not None:
            Py_INCREF(context)
        self.append(<PyObject*>handler, <PyObject*>event, <PyObject*>context if context is not None else NULL)
        return 1

    cdef int grow(self) except -1:
        """Make the buffer larger, within its bound."""
        cdef Py_ssize_t room = min(self.maxsize, 2 * self.room)
        cdef Py_ssize_t index
        cdef Slot* slots = <Slot*>PyMem_Malloc(room * sizeof(Slot))
        if slots == NULL:
            raise MemoryError()
        for index in range(self.size):
            slots[index] = self.at(index)[0]
        PyMem_Free(self.slots)
        self.slots = slots
        self.room = room
        self.head = 0
        return 0

    cdef int push_out(self, object handler, object event, object context) except -1:
        """Take an event in, at the expense of the oldest one."""
        cdef Slot out = self.at(0)[0]
        self.advance()
        self.dropped[OVERFLOW] += 1
        if self.size:
            self.at(0).lost += out.lost + 1
        else:
            self.tail_lost += out.lost + 1
        Py_INCREF(event)
        if context is not None:
            Py_INCREF(context)
        try:
            self.append(<PyObject*>handler, <PyObject*>event, <PyObject*>context if context is not None else NULL)
        finally:
            Py_XDECREF(out.event)
            Py_XDECREF(out.context)
        return 0

    cdef void advance(self) noexcept:
        """Move the head past the oldest slot; start at the beginning again where that was the last."""
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
        self.count_dropped(reason_number(reason))

    cdef void count_dropped(self, int reason) noexcept:
        self.published += 1
        self.dropped[reason] += 1
        if reason == OVERFLOW or reason == TIMEOUT:
            self.tail_lost += 1

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

    def pop(self):
        """Take the oldest event; it is in flight until :meth:`done`.

        Returns:
            Its number, its handler, the event, the context or None, when it was pushed (monotonic nanoseconds) and how
            many events were dropped before it; None if there is none.
        """
        cdef Slot slot
        cdef Py_ssize_t number
        if self.size == 0:
            return None
        number = self.removed
        slot = self.fetch()
        event = own(slot.event)
        context = None if slot.context == NULL else own(slot.context)
        return number, <object>slot.handler, event, context, slot.time, slot.lost

    def take(self, Py_ssize_t most):
        """Take up to ``most`` events at once, no further than to the next gap; they are in flight until :meth:`done`.

        Returns:
            The events, and how many were dropped before the first.
        """
        cdef Slot slot
        cdef Py_ssize_t lost = 0
        cdef list events = []
        if self.size:
            lost = self.at(0).lost
        while self.size and len(events) < most and not (events and self.at(0).lost):
            slot = self.fetch()
            events.append(own(slot.event))
            Py_XDECREF(slot.context)
        return events, lost

    def done(self, Py_ssize_t delivered, Py_ssize_t failed, long long nanoseconds):
        """Count events that were in flight, and the time of the call that they took."""
        self.count_done(delivered, failed, nanoseconds)

    cdef void count_done(self, Py_ssize_t delivered, Py_ssize_t failed, long long nanoseconds) noexcept:
        if delivered + failed > self.in_flight:
            return  # the process was forked meanwhile: they have been counted as inherited
        self.in_flight -= delivered + failed
        self.delivered += delivered
        self.failed += failed
        self.streak = self.streak + 1 if failed else 0
        self.total += nanoseconds
        if nanoseconds > self.longest:
            self.longest = nanoseconds
        self.histogram[goanna_bucket(nanoseconds)] += 1

    def left(self, Py_ssize_t number):
        """Return how many of the first ``number`` events that were taken in wait or are in flight.

        It is exact for a consumer that takes events up in order, one call after another.
        """
        cdef Py_ssize_t count = 0
        if self.in_flight and self.flight_number < number:
            count = min(self.in_flight, number - self.flight_number)
        return count + min(max(number - self.removed, 0), self.size)

    def trailing(self):
        """Return how many events were dropped after the last one that was taken in, and forget it."""
        cdef Py_ssize_t lost = self.tail_lost
        self.tail_lost = 0
        return lost

    def drain(self, Py_ssize_t most, long long nanoseconds):
        """Call the handlers of up to ``most`` events, one after another.

        Args:
            most: how many at most.
            nanoseconds: take no further event when this much time has gone by.

        Returns:
            How many.
        """
        cdef Py_ssize_t handled = 0
        cdef Py_ssize_t lost
        cdef long long begin = goanna_now()
        cdef long long start = begin
        cdef long long end
        cdef unsigned long generation
        cdef Slot slot
        cdef PyObject* result
        while handled < most:
            if self.size == 0:
                if self.gap is not None and self.tail_lost:
                    self.gap(self.trailing())
                break
            if self.gap is not None and self.at(0).lost:
                lost = self.at(0).lost
                self.at(0).lost = 0
                self.gap(lost)  # which may raise: the event is still in its place
                start = goanna_now()
                continue
            slot = self.fetch()
            handler = <object>slot.handler
            event = own(slot.event)
            context = None if slot.context == NULL else own(slot.context)
            handled += 1
            generation = self.generation
            if context is None:
                result = goanna_call_event(<PyObject*>handler, <PyObject*>event)
            else:
                result = goanna_call_within(<PyObject*>context, <PyObject*>handler, <PyObject*>event)
            end = goanna_now()
            if result != NULL:
                Py_XDECREF(result)
                if generation == self.generation:
                    self.count_done(1, 0, end - start)
            else:
                try:
                    raised()
                except BaseException as error:
                    if generation == self.generation:
                        self.count_done(0, 1, end - start)
                    self.report(error, handler, event)
            if self.slow and end - start >= self.slow and self.slowed is not None:
                self.slow = 0
                self.slowed(handler, event, end - start)
            if end - begin >= nanoseconds:
                break
            event = context = None
            start = end
        return handled

    def arm(self, Py_ssize_t level):
        """Ask to be woken when this many events wait; return False, and do nothing, if they do already."""
        if self.size >= level:
            return False
        self.wake_at = level
        return True

    def disarm(self):
        """Take that back; return False if it is too late and the wake-up has been, or is being, called."""
        cdef bint armed = self.wake_at != NEVER
        self.wake_at = NEVER
        return bool(armed)

    def rouse(self):
        """Wake the consumer now if it has asked to be woken at all."""
        if self.wake_at != NEVER:
            self.wake_at = NEVER
            self.wake()

    # Both sides.

    def shut(self, reason):
        """Drop what is pushed from now on, for this reason; the first reason stays."""
        cdef int number = reason_number(reason)
        if self.shut_number == OPEN:
            self.shut_number = number

    def discard(self, reason):
        """Drop what waits, for this reason; return how many events that were."""
        cdef Py_ssize_t removed
        out = []
        removed = self.take_out(reason_number(reason), out)
        del out
        return removed

    cdef Py_ssize_t take_out(self, int reason, list out) except -1:
        """Empty the buffer into ``out``, because letting go of its events may run any code; return how many those are.

        The list is made before, because making one may run the collector, while the counts change in one step.
        """
        cdef Py_ssize_t index, count = self.size
        cdef Slot* slots = self.slots
        cdef Py_ssize_t room = self.room
        cdef Py_ssize_t head = self.head
        cdef Slot* slot
        cdef Slot* fresh = <Slot*>PyMem_Malloc(room * sizeof(Slot))
        if fresh == NULL:
            raise MemoryError()
        self.slots = fresh
        self.head = 0
        self.size = 0
        self.removed += count
        self.dropped[reason] += count
        for index in range(count):
            slot = slots + (head + index if head + index < room else head + index - room)
            out.append(own(slot.event))
            if slot.context != NULL:
                out.append(own(slot.context))
        PyMem_Free(slots)
        return count

    def check_fork(self):
        """In a process that was forked off since the last call: count what it has inherited as that, and start anew."""
        cdef unsigned long generation = goanna_forks()
        global reports
        if generation == self.generation:
            return
        out = []
        if generation == self.generation:
            return  # the collector ran, and something that it ended has been here
        self.generation = generation
        self.dropped[FORK_INHERITED] += self.in_flight
        self.in_flight = 0
        self.wake_at = NEVER
        self.tail_lost = 0
        self.take_out(FORK_INHERITED, out)
        reporting.clear()
        reports = 0
        if self.on_fork is not None:
            self.on_fork()
        del out

    def counts(self):
        """Return all counts as they were at one moment.

        Returns:
            published, delivered, failed, dropped (in the order of REASONS), pending, the most that were pending at
            once, the age of the oldest pending event in nanoseconds, the nanoseconds spent in handlers, the longest
            call, the histogram of calls.
        """
        cdef Py_ssize_t[REASONS_COUNT] dropped
        cdef Py_ssize_t[GOANNA_BUCKETS] histogram
        cdef Py_ssize_t index, published, delivered, failed, pending, high_water
        cdef long long oldest = 0, total, longest
        if goanna_forks() != self.generation:
            self.check_fork()
        # All is read before the first object is made, because making one may run a finalizer that publishes.
        for index in range(REASONS_COUNT):
            dropped[index] = self.dropped[index]
        for index in range(GOANNA_BUCKETS):
            histogram[index] = self.histogram[index]
        published, delivered, failed = self.published, self.delivered, self.failed
        pending, high_water = self.size + self.in_flight, self.high_water
        total, longest = self.total, self.longest
        if self.in_flight:
            oldest = max(goanna_now() - self.flight_time, 0)
        elif self.size:
            oldest = max(goanna_now() - self.at(0).time, 0)
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

    def __len__(self):
        """Return how many events wait."""
        return self.size

    def __bool__(self):
        """Return True: an empty ring is a ring."""
        return True

    def __repr__(self):
        return f"<Ring with {self.size} of {self.maxsize}>"


cdef object own(PyObject* value):
    """Return an object whose reference is taken over."""
    result = <object>value
    Py_XDECREF(value)
    return result


cdef int raised() except -1:
    """Let the caller's ``try`` meet the exception that a C call has left."""
    return -1


goanna_watch_forks()
goanna_allow_vectorcall(Inlet, goanna_inlet_vectorcall)
goanna_rename(Inlet, "goanna.core.Inlet")
goanna_rename(Ring, "goanna.core.Ring")
enter_report.__module__ = in_report.__module__ = leave_report.__module__ = "goanna.core"

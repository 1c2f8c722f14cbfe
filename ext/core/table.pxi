# Tables: the resolved calls that one event goes to, with what can be told before it is built.

@cython.final
@cython.no_gc_clear
cdef class Call:
    """Call(method, account, listener)
--

One resolved method of one registration: what a table consists of.

Args:
    method: called with the event as its only argument.
    account: counts what becomes of it.
    listener: handed to the error policy; a weak reference is resolved first.

Attributes:
    filter: the method if it is a Filter, else None.

Raises:
    TypeError: ``method`` can't be called, or ``account`` is not an Account."""

    cdef readonly object method
    cdef readonly Account account
    cdef readonly object listener
    cdef readonly Filter filter

    def __cinit__(self, method, account, listener):
        if not callable(method):
            raise TypeError(f"the method of a Call must be callable, not {type(method).__name__}")
        if not isinstance(account, Account):
            raise TypeError(f"the account of a Call must be an Account, not {type(account).__name__}")
        self.method = method
        self.account = account
        self.listener = listener
        self.filter = method if isinstance(method, Filter) else None

    __reduce__ = uncopied

    def __repr__(self):
        return f"<Call {self.method!r}>"


cdef Py_ssize_t as_position(object one) except? -1:
    return one


@cython.final
@cython.no_gc_clear
cdef class Table:
    """Table(calls=(), maker=None, later=None)
--

The calls that one event goes to, in order; immutable but for its counts.

Args:
    calls: Call objects.
    maker: that of the event, so that conditions on its fields can be tested before it is built; None where the
        table is only for events that are built already.
    later: makes the table that is to be used instead of this one, which has no calls; called with the event class
        when first needed, it puts the new table in the place of this one and returns it.

Attributes:
    calls: them, as a tuple.
    ended: publishes that are to be counted with what went otherwise, each as the positions of the calls that were
        skipped, failed and were filtered out, and the one from which on none was made. Whoever has no room left on
        the stack for a call puts them here.
    finished: how many publishes went through this table to their end.
    has_filters: whether there is a Filter among the methods.
    later: what was given as that.

Raises:
    TypeError: something among ``calls`` is not a Call, ``maker`` is no Maker, or ``later`` can't be called."""

    cdef readonly tuple calls
    cdef readonly list ended
    cdef object event_type  # what it is a table of, by a weak reference, or None
    cdef Py_ssize_t fields
    cdef readonly Py_ssize_t finished
    cdef readonly bint has_filters
    cdef readonly object later
    cdef Py_ssize_t is_retired
    cdef Py_ssize_t settled
    cdef goanna_spinlock lock  # for all counts but `finished`
    cdef Py_ssize_t size
    cdef goanna_call* row
    # For each call how often it was skipped, failed and was filtered out since the last time; NULL until one was.
    cdef Py_ssize_t* exceptions
    # What can be tested before the event is built, in the order of the calls; None where one wants to see the event.
    cdef list early
    # That, and the account, where it is one test of one call; else None.
    cdef EarlyFilter only
    cdef Account only_account

    def __cinit__(self, calls=(), maker=None, later=None):
        cdef Py_ssize_t index
        cdef Call call
        goanna_hide(self)
        self.calls = tuple(calls)
        self.ended = []
        for one in self.calls:
            if not isinstance(one, Call):
                raise TypeError(f"a Table takes Call objects, not {type(one).__name__}")
        if maker is not None and not isinstance(maker, Maker):
            raise TypeError(f"a Table takes a Maker or None, not {type(maker).__name__}")
        if later is not None and not callable(later):
            raise TypeError(f"a Table is made later by what can be called, not {type(later).__name__}")
        self.later = later
        if maker is not None:
            self.event_type = weakref.ref(maker.event_type)
            self.fields = len(maker.fields)
        self.size = len(self.calls)
        self.row = <goanna_call*>PyMem_Malloc(max(self.size, 1) * sizeof(goanna_call))
        if self.row == NULL:
            raise MemoryError()
        for index in range(self.size):
            call = <Call>self.calls[index]
            if call.filter is not None:
                self.has_filters = True
            goanna_set_call(&self.row[index], call.method)
        if self.has_filters and maker is not None:
            self.find_early(maker)
        if GOANNA_NO_GIL:
            self.make_room()
        goanna_show(self)

    @property
    def retired(self):
        return bool(goanna_get(&self.is_retired))

    cdef int find_early(self, Maker maker) except -1:
        """Note what every call tests before the event is built, if they all do."""
        early = []
        for call in self.calls:
            if (<Call>call).filter is None:
                return 0
            never, pairs = (<Call>call).filter.early(maker.event_type, parameters(maker.fields))
            if not never:
                if not pairs:
                    return 0
                early.append([EarlyFilter(index, values) for index, values in pairs])
        self.early = early
        if self.size == 1 and len(early) == 1 and len(early[0]) == 1:
            self.only = <EarlyFilter>early[0][0]
            self.only_account = (<Call>self.calls[0]).filter.account
            self.make_room()
        return 0

    def __dealloc__(self):
        PyMem_Free(self.row)
        PyMem_Free(self.exceptions)

    __reduce__ = uncopied

    def __len__(self):
        """Return the number of calls."""
        return self.size

    cpdef publish(self, event, errors):
        """Hand an event to the calls, and count.

        Args:
            event: an instance of the class that the table is for.
            errors: what to do with an error, as a Channel is told.
        """
        if goanna_get(&reports) and in_block():
            return
        if self.has_filters:
            fan_out_filtered(self, event, errors)
        else:
            fan_out(self, event, errors)

    cpdef settle(self):
        """Add the publishes finished since the last time to the account of every call."""
        cdef Py_ssize_t count, index
        cdef Py_ssize_t* three
        cdef Account account
        self.count_ended()
        goanna_enter(&self.lock)
        count = goanna_get(&self.finished) - self.settled
        if count:
            self.settled += count
            for index in range(self.size):
                account = (<Call>self.calls[index]).account
                if self.exceptions == NULL:
                    tally(account, count, 0, 0)
                else:
                    three = self.exceptions + 3 * index
                    tally(account, count - three[0] - three[1] - three[2], three[1], three[2])
                    three[0] = three[1] = three[2] = 0
        goanna_leave(&self.lock)

    def finish(self, skipped=(), failed=(), filtered=(), due=None):
        """Count one publish that went through this table to its end.

        Args:
            skipped: the positions of the calls that were not made.
            failed: of those that raised.
            filtered: of those that a condition kept the event from.
            due: emptied in the same step; where it is empty already, the publish has been counted.
        """
        if due is None or due:
            self.ended.append((skipped, failed, filtered, self.size))
            if due is not None:
                due.clear()
        self.count_ended()
        if goanna_get(&self.is_retired):
            self.settle()

    cdef int count_ended(self) except -1:
        """Count what :attr:`ended` has."""
        cdef Py_ssize_t position, kind, end
        cdef tuple one, kinds
        while self.ended:
            self.make_room()
            try:
                one = self.ended.pop()
            except IndexError:  # another thread was faster
                break
            kinds = (tuple(one[0]), tuple(one[1]), tuple(one[2]))
            end = one[3]
            if GOANNA_NO_GIL:  # an __index__ is other code, which is not to run under the lock
                kinds = tuple([tuple([as_position(each) for each in <tuple>positions]) for positions in kinds])
            goanna_enter(&self.lock)
            try:
                for kind in range(3):
                    for each in <tuple>kinds[kind]:
                        position = each
                        if 0 <= position < self.size:
                            self.exceptions[3 * position + kind] += 1
                for position in range(max(end, 0), self.size):
                    self.exceptions[3 * position] += 1
                goanna_add(&self.finished, 1)
            finally:
                goanna_leave(&self.lock)
        return 0

    cdef int make_room(self) except -1:
        """Allocate the counts of what went otherwise."""
        cdef Py_ssize_t index
        if self.exceptions == NULL:
            self.exceptions = <Py_ssize_t*>PyMem_Malloc(3 * max(self.size, 1) * sizeof(Py_ssize_t))
            if self.exceptions == NULL:
                raise MemoryError()
            for index in range(3 * self.size):
                self.exceptions[index] = 0
        return 0

    cdef inline int count(self) except -1:
        """Count a publish of which every call returned."""
        goanna_add(&self.finished, 1)
        if goanna_get(&self.is_retired):
            self.settle()
        return 0

    cdef bint rejects(self, PyObject* const* args, Py_ssize_t nargs, PyObject* names, Maker maker) except -1:
        """Return whether the event that these arguments make is for nobody here, and count it then."""
        cdef Py_ssize_t index
        if self.early is None:
            return False
        if (
            self.only is not None
            and names == NULL
            and self.only.index < nargs
            and args[self.only.index] == <PyObject*>self.only.rejected
            and maker.required_positional <= nargs <= maker.positional
            and not maker.required_keywords
        ):
            # The same as below for what programs do most.
            tally(self.only_account, 0, 0, 1)
            goanna_enter(&self.lock)
            self.exceptions[2] += 1
            goanna_add(&self.finished, 1)
            goanna_leave(&self.lock)
            if goanna_get(&self.is_retired):
                self.settle()
            return True
        maker.check(args, nargs, names)
        for index in range(len(self.early)):
            if not one_outside(<list>self.early[index], args, nargs, names, maker):
                return False
        self.make_room()
        for index in range(self.size):
            tally((<Call>self.calls[index]).filter.account, 0, 0, 1)
        goanna_enter(&self.lock)
        for index in range(self.size):
            self.exceptions[3 * index + 2] += 1
        goanna_add(&self.finished, 1)
        goanna_leave(&self.lock)
        if goanna_get(&self.is_retired):
            self.settle()
        return True

    def retire(self):
        """Say that no new publish will use this table; those under way settle it themselves when they end."""
        goanna_set(&self.is_retired, 1)
        self.settle()

    def __repr__(self):
        return f"<Table of {len(self.calls)}>"

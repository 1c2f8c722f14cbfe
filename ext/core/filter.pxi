# A method behind conditions, and what of them is tested before an event is built.

cdef object TWO_TO_THE_64 = 1 << 64


cdef unsigned long long mixed(unsigned long long number) noexcept:
    number += <unsigned long long>0x9E3779B97F4A7C15
    number = (number ^ (number >> 30)) * <unsigned long long>0xBF58476D1CE4E5B9
    number = (number ^ (number >> 27)) * <unsigned long long>0x94D049BB133111EB
    return number ^ (number >> 31)


def sampled(value, threshold):
    """Return whether a value belongs to the sample: always the same answer for the same value in one process.

    Args:
        value: an int, or anything else that has a hash.
        threshold: the share of all values that belong to it, times 2**64.
    """
    return mixed(goanna_number(value)) < threshold


cdef Py_ssize_t filters_made = 0  # how many there ever were: programs that have none need not look for any
cdef object NOTHING = object()


cdef void count_filtered(PyObject* filter) noexcept:
    """Count an event that a filter kept out before it was built."""
    tally((<Filter>filter).account, 0, 0, 1)


@cython.final
@cython.no_gc_clear
cdef class Filter:
    """Filter(target, account, types=None, members=(), least=(), sample=None, rest=None)
--

One method of a listener behind conditions, all of which must hold.

Called with an event it hands it to ``target`` or not, and counts which. A table and a publisher look into it and
reject events before they are built where the arguments tell.

Args:
    target: the method.
    account: counts what becomes of the events; that of the wrapper, shared by its methods.
    types: classes of which the event must be an instance, or None.
    members: pairs of an attribute of the event and the frozenset in which its value must be. An event without
        the attribute does not match, nor does one whose value has no hash.
    least: pairs of an attribute and the smallest value that it may have; the first attribute that the event has
        counts, an event with none of them does not match.
    sample: an attribute and a threshold, see :func:`sampled`, or None; events without the attribute are sampled by
        their number.
    rest: called with the event for all that can't be said with these, or None.

Raises:
    TypeError: ``target`` or ``rest`` can't be called, ``account`` is no Account, or a condition is not as
        described."""

    cdef vectorcallfunc vectorcall
    cdef readonly object target
    cdef readonly Account account
    cdef readonly tuple types
    cdef readonly tuple members
    cdef readonly tuple least
    cdef readonly tuple sample
    cdef readonly object rest
    cdef unsigned long long threshold
    cdef Py_ssize_t seen
    cdef goanna_call call

    def __cinit__(self, target, account, types=None, members=(), least=(), sample=None, rest=None):
        goanna_hide(self)
        goanna_add(&filters_made, 1)
        self.vectorcall = <vectorcallfunc>call_filter
        if not callable(target):
            raise TypeError(f"the target of a Filter must be callable, not {type(target).__name__}")
        if not isinstance(account, Account):
            raise TypeError(f"the account of a Filter must be an Account, not {type(account).__name__}")
        if rest is not None and not callable(rest):
            raise TypeError(f"the rest of a Filter must be callable or None, not {type(rest).__name__}")
        self.target = target
        self.account = account
        members = tuple(members)
        least = tuple(least)
        check_conditions(types, members, least, sample)
        self.types = types
        self.members = tuple([(sys.intern(name), values) for name, values in members])
        self.least = tuple([(sys.intern(name), smallest) for name, smallest in least])
        self.sample = sample
        self.threshold = 0 if sample is None else min(sample[1], TWO_TO_THE_64 - 1)
        self.rest = rest
        goanna_set_call(&self.call, target)
        goanna_show(self)

    __reduce__ = uncopied

    def __call__(self, *args, **kwargs):
        """Hand the event to the target if the conditions hold; what the target or a condition raises propagates."""
        return PyVectorcall_Call(self, args, kwargs)

    def pass_on(self, event):
        """Hand the event to the target, whatever the conditions say, and count."""
        self.forward(event)

    def admits(self, event):
        """Return whether the conditions hold; count nothing unless one raises.

        Raises:
            BaseException: what ``rest`` or a comparison raised, counted as a failure.
        """
        return bool(self.decide(event))

    def before(self, target):
        """Return a Filter with the same conditions and account before another target."""
        return Filter(target, self.account, self.types, self.members, self.least, self.sample, self.rest)

    def early(self, event_type, fields):
        """Return what can be said of events of a class before they are built.

        Returns:
            Whether none of them will be admitted, and pairs of the index of a field and the values it must have.
        """
        if self.types is not None and not issubclass(event_type, self.types):
            return True, ()
        places = {one.name: index for index, one in enumerate(fields)}
        early = tuple([(places[name], values) for name, values in self.members if name in places])
        return any([not hasattr(event_type, name) for name, _ in self.members]), early

    def __repr__(self):
        return f"<Filter before {self.target!r}>"

    cdef int forward(self, object event) except -1:
        cdef PyObject* result = goanna_checked(goanna_invoke(&self.call, <PyObject*>event))
        if result == NULL:
            try:
                raised()
            except Skip:
                raise
            except BaseException:
                tally(self.account, 0, 1, 0)
                raise
        Py_XDECREF(result)
        tally(self.account, 1, 0, 0)
        return 0

    cdef int decide(self, object event) except -1:
        try:
            return self.holds(event)
        except BaseException:
            tally(self.account, 0, 1, 0)
            raise

    cdef int holds(self, object event) except -1:
        if self.types is not None and not isinstance(event, self.types):
            return 0
        for name, values in self.members:
            value = goanna_attribute(event, name, MISSING)
            if not contains(values, <PyObject*>value):
                return 0
        if self.least:
            for name, smallest in self.least:
                value = goanna_attribute(event, name, None)
                if value is not None:
                    if value < smallest:
                        return 0
                    break
            else:
                return 0
        if self.sample is not None:
            value = goanna_attribute(event, self.sample[0], None)
            if value is None:
                if mixed(<unsigned long long>(goanna_add(&self.seen, 1) + 1)) >= self.threshold:
                    return 0
            elif mixed(goanna_number(value)) >= self.threshold:
                return 0
        return self.rest is None or bool(goanna_call_one(self.rest, event))


cdef bint contains(object values, PyObject* value) except -1:
    try:
        return goanna_in_set(values, value)
    except TypeError:
        return False


cdef object call_filter(Filter self, PyObject* const* args, size_t nargsf, PyObject* names):
    if PyVectorcall_NARGS(nargsf) != 1 or names != NULL:
        raise TypeError("a Filter is called with one positional argument, the event")
    if goanna_get(&reports) and in_block():
        return None
    event = <object>args[0]
    if self.decide(event):
        self.forward(event)
    else:
        tally(self.account, 0, 0, 1)
    return None


@cython.final
@cython.no_gc_clear
cdef class EarlyFilter:
    # A value that must be one of some, looked at before its event is built.

    # cdef Py_ssize_t index: which of the event's values that is
    # cdef object values
    # cdef object rejected: the text that was rejected last, because programs repeat themselves, and comparing addresses
    # is the fastest test

    def __cinit__(self, index, values):
        self.rejected = NOTHING  # not None, which is a value like any other
        self.index = index
        self.values = values
        self.rejected = values  # nothing has been yet; not None, which may well be one of the values

    cdef bint outside(self, PyObject* value) except -1:
        """Return whether a value is certainly none of those; one that is not known (NULL) may be."""
        if value == NULL:
            return False
        if value == <PyObject*>self.rejected:
            return True
        if contains(self.values, value):
            return False
        if not GOANNA_NO_GIL and goanna_is_notable(value):  # two threads can't replace it at once
            self.rejected = <object>value
        return True


cdef bint one_outside(list early, PyObject* const* args, Py_ssize_t nargs, PyObject* names, Maker maker) except -1:
    """Return whether one of the arguments is certainly not among the values it must be of."""
    cdef Py_ssize_t index, count
    cdef EarlyFilter one
    cdef PyObject* value
    for index in range(len(early)):
        one = <EarlyFilter>early[index]
        if one.index < nargs:
            value = args[one.index]
        else:
            value = NULL
            if names != NULL:
                for count in range(len(<tuple>names)):
                    if goanna_position(
                        <PyObject*>maker.names, <PyObject*>(<tuple>names)[count], nargs + count
                    ) == one.index:
                        value = args[nargs + count]
                        break
            if value == NULL and maker.defaults[one.index] is not MISSING:
                value = <PyObject*>maker.defaults[one.index]
        if one.outside(value):
            return True
    return False

# Channels: a call of one builds the event and hands it to the calls of its table.

@cython.final
cdef class Channel:
    """Channel(maker, table, errors)
--

Publishes one kind of event: calling it builds the event and hands it to every call in its table.

It is true while its table has calls. Where it has none, a call of it checks the arguments, builds nothing and
returns. Each call in the table is made in order, whatever the ones before it raised; a BaseException that is no
Exception, a RecursionError and a MemoryError propagate at once. In a muted block it publishes nothing.

Args:
    maker: builds the event.
    table: the calls; replaced, never changed.
    errors: called with the error, the listener and the event for each call that raised an Exception; with None
        the errors are collected and raised as an ExceptionGroup after the last call.

Raises:
    TypeError: an argument is of the wrong type, or the arguments of a call don't fit the event."""

    cdef vectorcallfunc vectorcall
    cdef readonly Maker maker
    cdef readonly object errors
    # One of the two, see table_of().
    cdef Table current
    cdef list keeper
    cdef goanna_lock lock
    cdef object __weakref__

    def __cinit__(self, maker, table, errors):
        self.vectorcall = <vectorcallfunc>call_channel
        if not isinstance(maker, Maker):
            raise TypeError(f"a Channel takes a Maker, not {type(maker).__name__}")
        if not isinstance(table, Table):
            raise TypeError(f"a Channel takes a Table, not {type(table).__name__}")
        check_maker(maker, table)
        if errors is not None and not callable(errors):
            raise TypeError(f"the errors of a Channel must be callable or None, not {type(errors).__name__}")
        self.maker = maker
        self.errors = errors
        if GOANNA_NO_GIL:
            self.keeper = [table]
        else:
            self.current = table

    def __call__(self, *args, **kwargs):
        """Build an event from the arguments and hand it to the calls of the table."""
        PyVectorcall_Call(self, args, kwargs)

    def publish(self, event):
        """Hand an event that is already built to the calls of the table.

        Raises:
            TypeError: ``event`` is not an instance of the channel's event class.
        """
        cls = self.maker.event_type
        if not isinstance(event, cls):
            raise TypeError(f"this channel publishes {cls.__qualname__}, not {type(event).__qualname__}")
        made_table(self, table_of(self)).publish(event, self.errors)

    @property
    def table(self):
        """The calls that the next publish makes."""
        return made_table(self, table_of(self))

    def replace_table(self, table):
        """Make the calls of ``table`` from the next publish on; the old table is retired.

        Raises:
            TypeError: ``table`` is not a Table, or one of another event.
        """
        if not isinstance(table, Table):
            raise TypeError(f"a Channel takes a Table, not {type(table).__name__}")
        check_maker(self.maker, table)
        cdef Table old
        if GOANNA_NO_GIL:
            old = <Table>goanna_keep(self.keeper, &self.lock, table)
        else:
            old = self.current
            self.current = table
        old.retire()

    def __getattr__(self, name):
        if name == "__signature__":
            return signature(self.maker.fields)
        raise AttributeError(f"'Channel' object has no attribute {name!r}")

    def __reduce__(self):
        raise TypeError(f"the publisher of {self.maker.event_type.__qualname__} can't be copied or pickled")

    def __bool__(self):
        """Return whether the table has calls."""
        return made_table(self, table_of(self)).size != 0

    def __repr__(self):
        return f"<Channel of {self.maker.event_type.__qualname__} to {len(self.table)}>"


cdef int check_maker(Maker maker, Table table) except -1:
    if table.event_type is not None:
        event_type = table.event_type()
        if event_type is not maker.event_type or table.fields != len(maker.fields):
            raise TypeError(f"a Channel takes a Table of the same event: {maker!r}, and the table is of {event_type!r}")
    return 0


cdef inline Table table_of(Channel self):
    """Return the table with a reference that holds it, whoever replaces it meanwhile; None while the channel ends."""
    if GOANNA_NO_GIL:
        return <Table>goanna_kept(self.keeper)
    return self.current


cdef Table made_table(Channel self, Table table):
    """Return the table, or what is to be used instead if it has been put off."""
    if table is None or table.later is None:
        return table
    made = table.later(self.maker.event_type)
    if not isinstance(made, Table):
        raise TypeError(f"a Table is made later, not {type(made).__name__}")
    return <Table>made


cdef object call_channel(Channel self, PyObject* const* args, size_t nargsf, PyObject* names):
    cdef Table table = table_of(self)
    cdef Py_ssize_t nargs = PyVectorcall_NARGS(nargsf)
    if table is None:
        return None  # the collector is taking the channel apart
    if not self.maker.takes_its_own and (
        nargs == 0 or goanna_is_of_kind(args[0], <PyObject*>self.maker.event_type)
    ):
        self.maker.check_first(args, nargs, names)
    if table.size == 0:
        if table.later is not None:
            table = made_table(self, table)
        if table.size == 0:
            self.maker.check(args, nargs, names)
            return None
    if goanna_get(&reports) and in_block():
        self.maker.check(args, nargs, names)
        return None
    # The calls may make the channel go away, so what is needed after them is held here.
    cdef object errors = self.errors
    if table.has_filters:
        if table.rejects(args, nargs, names, self.maker):
            return None
        fan_out_filtered(table, self.maker.build(args, nargs, names), errors)
        return None
    fan_out(table, self.maker.build(args, nargs, names), errors)
    return None


cdef int fan_out(Table table, object event, object errors) except -1:
    """Hand the event to every call of the table and count the publish."""
    cdef Py_ssize_t index
    cdef PyObject* result
    for index in range(table.size):
        result = goanna_checked(goanna_invoke(&table.row[index], <PyObject*>event))
        if result == NULL:
            recover(table, index, event, errors, ())
            return 0
        Py_XDECREF(result)
    return table.count()


cdef int fan_out_filtered(Table table, object event, object errors) except -1:
    """Hand the event to every call whose conditions it meets and count the publish."""
    cdef Py_ssize_t index
    cdef PyObject* result
    cdef Filter filter_
    cdef int admitted
    cdef list filtered = None
    for index in range(table.size):
        filter_ = (<Call>table.calls[index]).filter
        if filter_ is None:
            result = goanna_checked(goanna_invoke(&table.row[index], <PyObject*>event))
            if result == NULL:
                recover(table, index, event, errors, filtered or ())
                return 0
            Py_XDECREF(result)
            continue
        try:
            admitted = filter_.decide(event)
            if admitted:
                filter_.forward(event)
        except EXHAUSTED:
            stop(table, index, filtered or ())
            raise
        except BaseException as error:
            recovery = recovery_from(error, table, index, event, errors, filtered or ())
            break
        if not admitted:
            tally(filter_.account, 0, 0, 1)
            if filtered is None:
                filtered = []
            filtered.append(index)
    else:
        if filtered is None:
            table.count()
        else:
            table.finish((), (), filtered)
        return 0
    return resume(recovery)


cdef int recover(Table table, Py_ssize_t index, object event, object errors, object filtered) except -1:
    """Go on with a fan-out in which a call has just raised."""
    try:
        raised()
    except EXHAUSTED:
        stop(table, index, filtered)
        raise
    except BaseException as error:
        recovery = recovery_from(error, table, index, event, errors, filtered)
    return resume(recovery)


cdef object recovery_from(object error, Table table, Py_ssize_t index, object event, object errors, object filtered):
    """Return what is left of a publish in which a call raised; see that it is counted if a signal comes in between."""
    recovery = None
    try:
        recovery = Recovery(table, event, errors, index, filtered)
        recovery.raised(error)
    except BaseException:
        if recovery is None:
            stop(table, index, filtered)
        else:
            recovery.give_up()
        raise
    return recovery


cdef int resume(object recovery) except -1:
    """Do what is left of a publish; see that it is counted if a signal comes in between."""
    try:
        recovery.resume()
    except BaseException:
        recovery.give_up()
        raise
    return 0


cdef int stop(Table table, Py_ssize_t index, object filtered) except -1:
    """Count a fan-out that a call has ended."""
    table.ended.append(((), (index,), filtered, index + 1))
    table.count_ended()
    if goanna_get(&table.is_retired):
        table.settle()
    return 0

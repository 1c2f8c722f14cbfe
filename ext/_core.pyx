# cython: language_level=3, binding=True, boundscheck=False, wraparound=False, initializedcheck=False
# cython: embedsignature=False, auto_pickle=False
"""The compiled core: the same names, signatures, texts and behaviour as ``goanna._core_py``, which explains them.

Read the pure core first. What is different here is how, not what:

- an event is allocated by its type and its slots are written at their offsets, ``__init__`` does not run;
- a bound method is kept as function and instance, and called with both, which saves the interpreter a step;
- Maker, Channel and event classes are called through the vectorcall protocol, without a tuple or dict of arguments;
- whatever is irregular (arguments that don't fit, calls that raise) is left to the same Python code as in the pure core.

The C arrays in a Table hold borrowed references to what its tuple of calls owns. Table, Call and Maker can't change
once made, so like tuples they need no tp_clear, and nothing borrowed can go away under a publish.
"""

cimport cython
from cpython.pycapsule cimport PyCapsule_New
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject, PyTypeObject

from types import MethodType

from goanna._common import MISSING, Skip
from goanna._fields import parameters, signature
from goanna._setback import Setback

__all__ = ["Account", "Call", "Channel", "Maker", "Sieve", "Table", "reader", "sampled"]

cdef extern from "_native.h":
    ctypedef PyObject* (*vectorcallfunc)(PyObject*, PyObject* const*, size_t, PyObject*)
    ctypedef struct goanna_call:
        PyObject* function
        PyObject* instance
    Py_ssize_t PyVectorcall_NARGS(size_t nargsf) nogil
    object PyVectorcall_Call(object callable, object args, object kwargs)
    PyObject* goanna_invoke(goanna_call* call, PyObject* event) noexcept
    bint goanna_is_function(object value)
    Py_ssize_t goanna_slot_offset(object cls, object descriptor) except -1
    object goanna_new_reader(object cls, object name, Py_ssize_t offset, object doc)
    object goanna_allocate(PyTypeObject* cls)
    void goanna_store(PyObject* event, Py_ssize_t offset, PyObject* value) noexcept
    PyObject* goanna_load(PyObject* event, Py_ssize_t offset) noexcept
    bint goanna_same_name(PyObject* left, PyObject* right) noexcept
    object goanna_call_type(object cls, object args, object kwargs)
    void goanna_allow_vectorcall(object cls, Py_ssize_t offset) noexcept
    void goanna_rename(object cls, const char* name) noexcept
    void goanna_take_over(object cls, vectorcallfunc function) noexcept
    PyObject* goanna_find_maker(PyObject* cls, object key) noexcept
    void Py_XDECREF(PyObject* value) noexcept
    bint goanna_is_text(PyObject* value) noexcept
    int goanna_in_set(object container, PyObject* value) except -1
    object goanna_attribute(object event, object name, object missing)
    unsigned long long goanna_number(object value) except? 0
    object goanna_call_one(object function, object argument)
    Py_ssize_t goanna_sieve_vectorcall "offsetof(struct __pyx_obj_6goanna_5_core_Sieve, vectorcall)"
    Py_ssize_t goanna_maker_vectorcall "offsetof(struct __pyx_obj_6goanna_5_core_Maker, vectorcall)"
    Py_ssize_t goanna_channel_vectorcall "offsetof(struct __pyx_obj_6goanna_5_core_Channel, vectorcall)"


cdef object MAKER_KEY = "__event_maker__"


cdef object member(object cls, object slot):
    for base in cls.__mro__:
        if slot in base.__dict__:
            found = base.__dict__[slot]
            if goanna_slot_offset(cls, found) > 0:
                return found
            break
    raise TypeError(f"{cls.__qualname__} has no slot {slot!r}")


@cython.final
@cython.no_gc_clear
cdef class Maker:
    """Maker(cls, fields)
--

Builds instances of a slotted class from the arguments of its constructor.

The compiled core writes the slots without running ``cls.__init__``, which must do nothing else than store the
fields. Where the arguments don't fit, the class itself is called, so that the TypeError is the interpreter's own.

Args:
    cls: the class.
    fields: its Field records, in the order of definition.

Raises:
    TypeError: ``cls`` is not a class, or a field's slot is not a slot of it."""

    cdef vectorcallfunc vectorcall
    cdef readonly object event_type
    cdef readonly tuple fields
    # In the order of the parameters: their names, offsets, defaults and factories (NULL where there is none).
    cdef tuple names
    cdef tuple defaults
    cdef tuple factories
    cdef Py_ssize_t* offsets
    cdef Py_ssize_t size
    cdef Py_ssize_t positional
    cdef Py_ssize_t required_positional
    cdef bint required_keywords

    def __cinit__(self, cls, fields):
        self.vectorcall = <vectorcallfunc>call_maker
        self.offsets = NULL
        if not isinstance(cls, type):
            raise TypeError(f"Maker() takes a class, not {type(cls).__name__}")
        self.fields = tuple(fields)
        positional = [one for one in self.fields if not one.kw_only]
        ordered = positional + [one for one in self.fields if one.kw_only]
        self.names = tuple([intern_name(one.name) for one in ordered])
        self.defaults = tuple([one.default for one in ordered])
        self.factories = tuple([one.default_factory for one in ordered])
        self.size = len(ordered)
        self.positional = len(positional)
        self.required_positional = len([one for one in positional if one.required])
        self.required_keywords = any([one.required for one in ordered[len(positional):]])
        self.offsets = <Py_ssize_t*>PyMem_Malloc(max(self.size, 1) * sizeof(Py_ssize_t))
        if self.offsets == NULL:
            raise MemoryError()
        cdef Py_ssize_t index
        for index in range(self.size):
            self.offsets[index] = goanna_slot_offset(cls, member(cls, ordered[index].slot))
        self.event_type = cls

    def __dealloc__(self):
        PyMem_Free(self.offsets)

    def __call__(self, *args, **kwargs):
        """Return a new instance; the arguments are those of the class."""
        return PyVectorcall_Call(self, args, kwargs)

    def take_over(self):
        """Let a direct call of the class build its instances the same way, where this core has a faster one."""
        goanna_take_over(self.event_type, <vectorcallfunc>call_event_type)

    def __repr__(self):
        return f"<Maker of {self.event_type.__qualname__}>"

    cdef object build(self, PyObject* const* args, Py_ssize_t nargs, PyObject* names):
        """Return a new instance from the arguments of a vectorcall."""
        cdef Py_ssize_t index
        if names == NULL and nargs == self.size and nargs == self.positional:
            event = goanna_allocate(<PyTypeObject*>self.event_type)
            for index in range(nargs):
                goanna_store(<PyObject*>event, self.offsets[index], args[index])
            return event
        return self.build_irregular(args, nargs, names)

    cdef object build_irregular(self, PyObject* const* args, Py_ssize_t nargs, PyObject* names):
        """Return a new instance where there are keywords or defaults, or something doesn't fit."""
        cdef Py_ssize_t index, position
        cdef PyObject* value
        cdef object event
        if nargs <= self.positional:
            event = goanna_allocate(<PyTypeObject*>self.event_type)
            for index in range(nargs):
                goanna_store(<PyObject*>event, self.offsets[index], args[index])
            if names == NULL or self.store_keywords(event, args, nargs, <tuple>names):
                for index in range(nargs, self.size):
                    if goanna_load(<PyObject*>event, self.offsets[index]) == NULL:
                        if self.defaults[index] is not MISSING:
                            goanna_store(<PyObject*>event, self.offsets[index], <PyObject*>self.defaults[index])
                        elif self.factories[index] is not MISSING:
                            made = self.factories[index]()
                            goanna_store(<PyObject*>event, self.offsets[index], <PyObject*>made)
                        else:
                            break
                else:
                    return event
        return self.call_class(args, nargs, names)

    cdef bint store_keywords(self, object event, PyObject* const* args, Py_ssize_t nargs, tuple names) except -1:
        """Store the keyword arguments; return whether they all fit."""
        cdef Py_ssize_t count, index
        for count in range(len(names)):
            index = self.find(names[count], nargs + count)
            if index < 0 or goanna_load(<PyObject*>event, self.offsets[index]) != NULL:
                return False
            goanna_store(<PyObject*>event, self.offsets[index], args[nargs + count])
        return True

    cdef Py_ssize_t find(self, object name, Py_ssize_t guess) noexcept:
        """Return the index of a parameter or -1; ``guess`` is right where keywords come in order."""
        cdef Py_ssize_t index
        if guess < self.size and <PyObject*>self.names[guess] == <PyObject*>name:
            return guess
        for index in range(self.size):
            if <PyObject*>self.names[index] == <PyObject*>name:
                return index
        for index in range(self.size):
            if goanna_same_name(<PyObject*>self.names[index], <PyObject*>name):
                return index
        return -1

    cdef object call_class(self, PyObject* const* args, Py_ssize_t nargs, PyObject* names):
        """Return what the class itself makes of the arguments: in general its TypeError."""
        positional = tuple([<object>args[index] for index in range(nargs)])
        keywords = {}
        if names != NULL:
            for index, name in enumerate(<tuple>names):
                keywords[name] = <object>args[nargs + index]
        return goanna_call_type(self.event_type, positional, keywords)

    cdef int check(self, PyObject* const* args, Py_ssize_t nargs, PyObject* names) except -1:
        """Raise TypeError where the arguments don't fit; build nothing where that can be told without."""
        if names == NULL:
            if self.required_positional <= nargs <= self.positional and not self.required_keywords:
                return 0
        elif self.check_keywords(nargs, <tuple>names):
            return 0
        self.call_class(args, nargs, names)
        return 0

    cdef bint check_keywords(self, Py_ssize_t nargs, tuple names) noexcept:
        """Return whether the arguments certainly fit."""
        cdef Py_ssize_t index, count
        cdef unsigned long long given
        if nargs > self.positional or self.size > 64:
            return False
        given = (<unsigned long long>1 << nargs) - 1 if nargs < 64 else ~<unsigned long long>0
        for count in range(len(names)):
            index = self.find(names[count], nargs + count)
            if index < 0 or given >> index & 1:
                return False
            given |= <unsigned long long>1 << index
        for index in range(nargs, self.size):
            if not given >> index & 1:
                if self.defaults[index] is MISSING and self.factories[index] is MISSING:
                    return False
        return True


cdef object intern_name(object name):
    import sys
    return sys.intern(name)


cdef object call_maker(Maker self, PyObject* const* args, size_t nargsf, PyObject* names):
    return self.build(args, PyVectorcall_NARGS(nargsf), names)


cdef object call_event_type(object cls, PyObject* const* args, size_t nargsf, PyObject* names):
    """The vectorcall of an event class: its own maker's, or that of ``type`` where someone has put it away."""
    cdef PyObject* maker = goanna_find_maker(<PyObject*>cls, MAKER_KEY)
    if maker != NULL and type(<object>maker) is Maker and (<Maker>maker).event_type is cls:
        return (<Maker>maker).build(args, PyVectorcall_NARGS(nargsf), names)
    positional = tuple([<object>args[index] for index in range(PyVectorcall_NARGS(nargsf))])
    keywords = {}
    if names != NULL:
        for index, name in enumerate(<tuple>names):
            keywords[name] = <object>args[len(positional) + index]
    return goanna_call_type(cls, positional, keywords)


@cython.final
cdef class Account:
    """Account()
--

The counts of one registration or wrapper.

Attributes:
    delivered: calls that returned, as far as they have been settled.
    failed: calls that raised.
    filtered: events that a condition kept out."""

    cdef readonly Py_ssize_t delivered
    cdef readonly Py_ssize_t failed
    cdef readonly Py_ssize_t filtered

    def add(self, Py_ssize_t delivered, Py_ssize_t failed, Py_ssize_t filtered):
        """Add to the counts, all at once."""
        self.delivered += delivered
        self.failed += failed
        self.filtered += filtered

    def read(self):
        """Return delivered, failed and filtered as they were at one moment."""
        cdef Py_ssize_t delivered = self.delivered, failed = self.failed, filtered = self.filtered
        return delivered, failed, filtered

    def __repr__(self):
        return f"<Account delivered={self.delivered} failed={self.failed} filtered={self.filtered}>"


include "_sieve.pxi"


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
    sieve: the method if it is a Sieve, else None.

Raises:
    TypeError: ``method`` can't be called, or ``account`` is not an Account."""

    cdef readonly object method
    cdef readonly Account account
    cdef readonly object listener
    cdef readonly Sieve sieve

    def __cinit__(self, method, account, listener):
        if not callable(method):
            raise TypeError(f"the method of a Call must be callable, not {type(method).__name__}")
        if not isinstance(account, Account):
            raise TypeError(f"the account of a Call must be an Account, not {type(account).__name__}")
        self.method = method
        self.account = account
        self.listener = listener
        self.sieve = method if isinstance(method, Sieve) else None

    def __repr__(self):
        return f"<Call {self.method!r}>"


@cython.final
@cython.no_gc_clear
cdef class Table:
    """Table(calls=(), maker=None)
--

The calls that one event goes to, in order; immutable but for its counts.

Args:
    calls: Call objects.
    maker: that of the event, so that conditions on its fields can be tested before it is built; None where the
        table is only for events that are built already.

Attributes:
    calls: them, as a tuple.
    finished: how many publishes went through this table to their end.
    sieved: whether there is a Sieve among the methods.

Raises:
    TypeError: something among ``calls`` is not a Call, or ``maker`` is no Maker."""

    cdef readonly tuple calls
    cdef readonly Py_ssize_t finished
    cdef readonly bint retired
    cdef readonly bint sieved
    cdef Py_ssize_t settled
    cdef Py_ssize_t size
    cdef goanna_call* row
    # For each call how often it was skipped, failed and was filtered out since the last time; NULL until one was.
    cdef Py_ssize_t* exceptions
    # What can be tested before the event is built, in the order of the calls; None where one wants to see the event.
    cdef list early

    def __cinit__(self, calls=(), maker=None):
        cdef Py_ssize_t index
        cdef Call call
        self.calls = tuple(calls)
        for one in self.calls:
            if not isinstance(one, Call):
                raise TypeError(f"a Table takes Call objects, not {type(one).__name__}")
        if maker is not None and not isinstance(maker, Maker):
            raise TypeError(f"a Table takes a Maker or None, not {type(maker).__name__}")
        self.size = len(self.calls)
        self.row = <goanna_call*>PyMem_Malloc(max(self.size, 1) * sizeof(goanna_call))
        if self.row == NULL:
            raise MemoryError()
        for index in range(self.size):
            call = <Call>self.calls[index]
            method = call.method
            if call.sieve is not None:
                self.sieved = True
            if type(method) is MethodType and goanna_is_function(method.__func__):
                self.row[index].function = <PyObject*>method.__func__
                self.row[index].instance = <PyObject*>method.__self__
            else:
                self.row[index].function = <PyObject*>method
                self.row[index].instance = NULL
        if self.sieved and maker is not None:
            self.find_early(maker)

    cdef int find_early(self, Maker maker) except -1:
        """Note what every call tests before the event is built, if they all do."""
        early = []
        for call in self.calls:
            if (<Call>call).sieve is None:
                return 0
            never, pairs = (<Call>call).sieve.early(maker.event_type, parameters(maker.fields))
            if not never:
                if not pairs:
                    return 0
                early.append([Early(index, values) for index, values in pairs])
        self.early = early
        return 0

    def __dealloc__(self):
        PyMem_Free(self.row)
        PyMem_Free(self.exceptions)

    def __len__(self):
        """Return the number of calls."""
        return self.size

    cpdef settle(self):
        """Add the publishes finished since the last time to the account of every call."""
        cdef Py_ssize_t count = self.finished - self.settled
        cdef Py_ssize_t index
        cdef Py_ssize_t* three
        cdef Account account
        if count:
            self.settled += count
            for index in range(self.size):
                account = (<Call>self.calls[index]).account
                account.delivered += count
                if self.exceptions != NULL:
                    three = self.exceptions + 3 * index
                    account.delivered -= three[0] + three[1] + three[2]
                    account.failed += three[1]
                    account.filtered += three[2]
                    three[0] = three[1] = three[2] = 0

    def finish(self, skipped=(), failed=(), filtered=()):
        """Count one publish that went through this table to its end.

        Args:
            skipped: the positions of the calls that were not made.
            failed: of those that raised.
            filtered: of those that a condition kept the event from.
        """
        cdef Py_ssize_t position
        cdef tuple kinds = (tuple(skipped), tuple(failed), tuple(filtered))
        cdef Py_ssize_t kind
        self.make_room()
        for kind in range(3):
            for one in <tuple>kinds[kind]:
                position = one
                if 0 <= position < self.size:
                    self.exceptions[3 * position + kind] += 1
        self.count()

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

    cdef int count(self) except -1:
        self.finished += 1
        if self.retired:
            self.settle()
        return 0

    cdef bint rejects(self, PyObject* const* args, Py_ssize_t nargs, PyObject* names, Maker maker) except -1:
        """Return whether the event that these arguments make is for nobody here, and count it then."""
        cdef Py_ssize_t index
        if self.early is None:
            return False
        maker.check(args, nargs, names)
        for index in range(len(self.early)):
            if not outside(<list>self.early[index], args, nargs, names, maker):
                return False
        self.make_room()
        for index in range(self.size):
            (<Call>self.calls[index]).sieve.account.filtered += 1
            self.exceptions[3 * index + 2] += 1
        self.count()
        return True

    def retire(self):
        """Say that no new publish will use this table; those under way settle it themselves when they end."""
        self.retired = True
        self.settle()

    def __repr__(self):
        return f"<Table of {len(self.calls)}>"


cdef int fan_out(Table table, object event, object errors) except -1:
    """Hand the event to every call of the table and count the publish."""
    cdef Py_ssize_t index
    cdef PyObject* result
    for index in range(table.size):
        result = goanna_invoke(&table.row[index], <PyObject*>event)
        if result == NULL:
            recover(table, index, event, errors, [])
            return 0
        Py_XDECREF(result)
    table.finished += 1
    if table.retired:
        table.settle()
    return 0


cdef int raised() except -1:
    """Let the caller's ``try`` meet the exception that a C call has left."""
    return -1


cdef int sift(Table table, object event, object errors) except -1:
    """Hand the event to every call whose conditions it meets and count the publish."""
    cdef Py_ssize_t index
    cdef PyObject* result
    cdef Sieve sieve
    cdef int admitted
    cdef list filtered = []
    for index in range(table.size):
        sieve = (<Call>table.calls[index]).sieve
        if sieve is None:
            result = goanna_invoke(&table.row[index], <PyObject*>event)
            if result == NULL:
                recover(table, index, event, errors, filtered)
                return 0
            Py_XDECREF(result)
            continue
        try:
            admitted = sieve.decide(event)
            if admitted:
                sieve.forward(event)
        except BaseException as error:
            setback = Setback(table, index, event, errors, error, filtered)
            break
        if not admitted:
            sieve.account.filtered += 1
            filtered.append(index)
    else:
        if filtered:
            table.make_room()
            for one in filtered:
                table.exceptions[3 * <Py_ssize_t>one + 2] += 1
        table.count()
        return 0
    setback.resume()
    return 0


cdef int recover(Table table, Py_ssize_t index, object event, object errors, list filtered) except -1:
    """Go on with a fan-out in which a call has just raised."""
    try:
        raised()
    except BaseException as error:
        setback = Setback(table, index, event, errors, error, filtered)
    setback.resume()
    return 0


@cython.final
cdef class Channel:
    """Channel(maker, table, errors)
--

Publishes one kind of event: calling it builds the event and hands it to every call in its table.

It is true while its table has calls. Where it has none, a call of it checks the arguments, builds nothing and
returns. Each call in the table is made in order, whatever the ones before it raised; a BaseException that is no
Exception propagates at once.

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
    cdef Table current
    cdef object __weakref__

    def __cinit__(self, maker, table, errors):
        self.vectorcall = <vectorcallfunc>call_channel
        if not isinstance(maker, Maker):
            raise TypeError(f"a Channel takes a Maker, not {type(maker).__name__}")
        if not isinstance(table, Table):
            raise TypeError(f"a Channel takes a Table, not {type(table).__name__}")
        if errors is not None and not callable(errors):
            raise TypeError(f"the errors of a Channel must be callable or None, not {type(errors).__name__}")
        self.maker = maker
        self.errors = errors
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
        cdef Table table = self.current
        if table.sieved:
            sift(table, event, self.errors)
        else:
            fan_out(table, event, self.errors)

    @property
    def table(self):
        """The calls that the next publish makes."""
        return self.current

    def replace_table(self, table):
        """Make the calls of ``table`` from the next publish on; the old table is retired.

        Raises:
            TypeError: ``table`` is not a Table.
        """
        if not isinstance(table, Table):
            raise TypeError(f"a Channel takes a Table, not {type(table).__name__}")
        old = self.current
        self.current = table
        old.retire()

    def __getattr__(self, name):
        if name == "__signature__":
            return signature(self.maker.fields)
        raise AttributeError(f"'Channel' object has no attribute {name!r}")

    def __bool__(self):
        """Return whether the table has calls."""
        return self.current.size != 0

    def __repr__(self):
        return f"<Channel of {self.maker.event_type.__qualname__} to {len(self.current.calls)}>"


cdef object call_channel(Channel self, PyObject* const* args, size_t nargsf, PyObject* names):
    cdef Table table = self.current
    cdef Py_ssize_t nargs = PyVectorcall_NARGS(nargsf)
    if table is None:
        return None  # the collector is taking the channel apart
    if table.size == 0:
        self.maker.check(args, nargs, names)
        return None
    # The calls may make the channel go away, so what is needed after them is held here.
    cdef object errors = self.errors
    if table.sieved:
        if table.rejects(args, nargs, names, self.maker):
            return None
        sift(table, self.maker.build(args, nargs, names), errors)
        return None
    fan_out(table, self.maker.build(args, nargs, names), errors)
    return None


def reader(cls, slot, name, doc=None):
    """Return a descriptor that reads a slot of ``cls`` as the read-only attribute ``name``.

    The compiled core's reads at the speed of the slot itself. Setting or deleting it raises AttributeError
    ("readonly attribute"). Its docstring is ``doc``.

    Raises:
        TypeError: ``cls`` has no such slot.
    """
    return goanna_new_reader(cls, intern_name(name), goanna_slot_offset(cls, member(cls, slot)), doc)


# What the compiled publishers of drop-ins need of a Sieve, without a call through Python: how many were ever made, and
# counting an event that one of them keeps out.
_sieves = PyCapsule_New(<void*>&sieves_made, "goanna._core._sieves", NULL)
_filtered = PyCapsule_New(<void*>count_filtered, "goanna._core._filtered", NULL)
goanna_allow_vectorcall(Maker, goanna_maker_vectorcall)
goanna_allow_vectorcall(Channel, goanna_channel_vectorcall)
goanna_allow_vectorcall(Sieve, goanna_sieve_vectorcall)
# The backend must not show in the name of a type.
goanna_rename(Account, "goanna.core.Account")
goanna_rename(Call, "goanna.core.Call")
goanna_rename(Channel, "goanna.core.Channel")
goanna_rename(Maker, "goanna.core.Maker")
goanna_rename(Sieve, "goanna.core.Sieve")
goanna_rename(Table, "goanna.core.Table")
reader.__module__ = "goanna.core"
sampled.__module__ = "goanna.core"

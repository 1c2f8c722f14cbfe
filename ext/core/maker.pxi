# Makers and readers: instances of a slotted class, built from the arguments of a call without running its __init__, and
# read-only attributes on its slots.

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
    TypeError: ``cls`` is not a class, or builds on one that is not defined in Python, or a field's slot is not
        a slot of it."""

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
    cdef bint takes_its_own

    def __cinit__(self, cls, fields):
        goanna_hide(self)
        self.vectorcall = <vectorcallfunc>call_maker
        self.offsets = NULL
        check_slotted(cls)
        self.fields = tuple(fields)
        positional = [one for one in self.fields if not one.kw_only]
        ordered = positional + [one for one in self.fields if one.kw_only]
        self.names = tuple([sys.intern(one.name) for one in ordered])
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
        self.takes_its_own = takes_its_own(cls, self.fields)
        goanna_show(self)

    def __dealloc__(self):
        PyMem_Free(self.offsets)

    def __reduce__(self):
        """Be None in a pickle of the class by value, which makes its own."""
        return nothing, ()

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
                            made = goanna_call_none(self.factories[index])
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
            index = goanna_position(<PyObject*>self.names, <PyObject*>names[count], nargs + count)
            if index < 0 or goanna_load(<PyObject*>event, self.offsets[index]) != NULL:
                return False
            goanna_store(<PyObject*>event, self.offsets[index], args[nargs + count])
        return True

    cdef object call_class(self, PyObject* const* args, Py_ssize_t nargs, PyObject* names):
        """Return what the class itself makes of the arguments: in general its TypeError."""
        positional = tuple([<object>args[index] for index in range(nargs)])
        keywords = {}
        if names != NULL:
            for index, name in enumerate(<tuple>names):
                keywords[name] = <object>args[nargs + index]
        return goanna_call_type(self.event_type, positional, keywords)

    cdef int check_first(self, PyObject* const* args, Py_ssize_t nargs, PyObject* names) except -1:
        """Raise TypeError where the first parameter is an event of this class and can't be meant to be one."""
        cdef Py_ssize_t index
        if nargs:
            if isinstance(<object>args[0], self.event_type):
                raise own_event(self.event_type)
        elif names != NULL:
            index = goanna_position(names, <PyObject*>self.names[0], 0)
            if index >= 0 and isinstance(<object>args[index], self.event_type):
                raise own_event(self.event_type)
        return 0

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
            index = goanna_position(<PyObject*>self.names, <PyObject*>names[count], nargs + count)
            if index < 0 or given >> index & 1:
                return False
            given |= <unsigned long long>1 << index
        for index in range(nargs, self.size):
            if not given >> index & 1:
                if self.defaults[index] is MISSING and self.factories[index] is MISSING:
                    return False
        return True


cdef object call_maker(Maker self, PyObject* const* args, size_t nargsf, PyObject* names):
    return self.build(args, PyVectorcall_NARGS(nargsf), names)


cdef object call_event_type(object cls, PyObject* const* args, size_t nargsf, PyObject* names):
    """The vectorcall of an event class: its own maker's, or its metaclass's where someone has put that away."""
    cdef Maker own
    cdef PyObject* maker = goanna_find_maker(<PyObject*>cls, MAKER_KEY)
    if maker != NULL and type(<object>maker) is Maker and (<Maker>maker).event_type is cls:
        own = <Maker>maker  # held, because a default factory may take it away from the class
        goanna_let_go(maker)
        return own.build(args, PyVectorcall_NARGS(nargsf), names)
    goanna_let_go(maker)
    positional = tuple([<object>args[index] for index in range(PyVectorcall_NARGS(nargsf))])
    keywords = {}
    if names != NULL:
        for index, name in enumerate(<tuple>names):
            keywords[name] = <object>args[len(positional) + index]
    return goanna_call_meta(cls, positional, keywords)


def reader(cls, slot, name, doc=None):
    """Return a descriptor that reads a slot of ``cls`` as the read-only attribute ``name``.

    The compiled core's reads at the speed of the slot itself. Setting or deleting it raises AttributeError
    ("readonly attribute"). Its docstring is ``doc``.

    Raises:
        TypeError: ``cls`` has no such slot.
    """
    return goanna_new_reader(cls, sys.intern(name), goanna_slot_offset(cls, member(cls, slot)), doc)

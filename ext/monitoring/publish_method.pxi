# Publish methods: what is known of one of the module's own, and the steps of a publish. How they follow one another is in
# _compiled.pyx.

@cython.final
@cython.no_gc_clear
cdef class PublishMethod:
    # A method that publishes one kind of event, in place of the module's own, which it passes for where it can.

    cdef vectorcallfunc vectorcall
    cdef object original
    cdef tuple names
    cdef tuple defaults
    cdef tuple constants
    cdef tuple constructors
    cdef object empty
    cdef object namespace
    cdef object event_type
    cdef object event_name
    cdef object listeners
    cdef object method
    cdef object resolved_name
    cdef ResolvedMethods last
    cdef object early_name
    cdef object fields
    cdef EarlyFilters early
    cdef object sensitive
    # What was right the last time: the pair of the last command name, and the last keywords that came in the order of
    # the parameters and left none of them out.
    cdef tuple known
    cdef tuple in_order
    cdef object to_micros
    cdef object speculative
    cdef Store* stores
    cdef Py_ssize_t size
    cdef Py_ssize_t stored
    cdef Kind kind
    cdef bint at_registration
    cdef unsigned long long namespace_version
    cdef unsigned long long type_version
    cdef Py_ssize_t database, command, command_name, duration, reply, request_id, op_id, speculative_hello

    def __cinit__(self, plan, names, at_registration):
        cdef Py_ssize_t index
        goanna_hide(self)
        self.vectorcall = <vectorcallfunc>call_publish_method
        self.original = plan.original
        self.namespace = names
        self.empty = inspect.Parameter.empty
        self.names = tuple([sys.intern(name) for name in plan.names])
        self.defaults = plan.defaults
        self.size = len(self.names)
        if self.size > MOST:
            raise ValueError(f"{plan.name} has {self.size} parameters; there is room for {MOST}")
        self.event_type = plan.event_type
        self.event_name = plan.event_type.__name__
        self.listeners = sys.intern(plan.listeners)
        self.method = sys.intern(plan.method)
        self.resolved_name = sys.intern(f"_goanna_{plan.name}")
        self.early_name = sys.intern(f"_goanna_early_{plan.name}")
        self.database = plan.index("database_name")
        self.fields = tuple(
            [name for name, known in (("command_name", plan.kind != "plain"), ("database_name", self.database >= 0)) if known]
        )
        self.at_registration = at_registration
        self.kind = {"plain": PLAIN, "started": STARTED, "succeeded": SUCCEEDED, "failed": FAILED}[plan.kind]
        self.command = plan.index("command")
        self.command_name = plan.index("command_name")
        self.duration = plan.index("duration")
        self.reply = plan.index("reply")
        self.request_id = plan.index("request_id")
        self.op_id = plan.index("op_id")
        self.speculative_hello = plan.index("speculative_hello")
        self.to_micros = names.get("_to_micros")
        self.speculative = names.get("_is_speculative_authenticate")
        self.constructors = constructors(plan.event_type)
        self.constants = tuple([one.constant for one in plan.stores])
        self.stored = len(plan.stores)
        self.stores = <Store*>PyMem_Malloc(max(self.stored, 1) * sizeof(Store))
        if self.stores == NULL:
            raise MemoryError()
        for index in range(self.stored):
            one = plan.stores[index]
            self.stores[index].offset = offset_of(plan.event_type, one.slot)
            self.stores[index].parameter = COMPUTED[one.computed] or (-1 if one.parameter is None else one.parameter)
            self.stores[index].constant = <PyObject*>self.constants[index]
        goanna_show(self)

    def __dealloc__(self):
        PyMem_Free(self.stores)

    def __call__(self, *args, **kwargs):
        """Do what the original does."""
        return PyVectorcall_Call(self, args, kwargs)

    def __get__(self, instance, owner):
        return self if instance is None else MethodType(self, instance)

    def __getattr__(self, name):
        if name == "__wrapped__":
            return self.original
        return getattr(self.original, name)

    @property
    def __doc__(self):
        return self.original.__doc__

    def __repr__(self):
        return f"<compiled {self.original.__qualname__}>"

    cdef bint untouched(self) except -1:
        """Return whether the namespace and the event class are such that filling slots is what the original does."""
        cdef unsigned long long version = goanna_namespace_version(self.namespace)
        if GOANNA_NO_GIL:  # there is no such number from 3.12 on, and nothing that two threads may set at once
            if not self.as_it_was():
                return False
        elif version == 0 or version != self.namespace_version:
            self.namespace_version = 0
            if self.namespace.get(self.event_name) is not self.event_type:
                return False
            if self.kind != PLAIN:
                if self.namespace.get("_is_speculative_authenticate") is not self.speculative:
                    return False
                if self.namespace.get("_to_micros") is not self.to_micros:
                    return False
                self.sensitive = self.namespace.get("_SENSITIVE_COMMANDS")
            self.namespace_version = version
        version = goanna_type_version(self.event_type)
        if version == 0 or version != goanna_noted(&self.type_version):
            goanna_note(&self.type_version, 0)
            if constructors(self.event_type) != self.constructors:
                return False
            self.event_type.__init__  # an attribute that is looked up makes the interpreter number the class
            version = goanna_type_version(self.event_type)
            if constructors(self.event_type) != self.constructors:
                return False
            goanna_note(&self.type_version, version)
        return True

    cdef bint as_it_was(self) except -1:
        """Return whether the namespace still has what the original uses."""
        if self.namespace.get(self.event_name) is not self.event_type:
            return False
        return self.kind == PLAIN or (
            self.namespace.get("_is_speculative_authenticate") is self.speculative
            and self.namespace.get("_to_micros") is self.to_micros
        )

    cdef bint parse(self, PyObject** values, PyObject* const* args, Py_ssize_t nargs, PyObject* names):
        """Put the arguments where the parameters are; return whether they fit."""
        cdef Py_ssize_t index, count
        cdef tuple keywords
        cdef bint in_order
        if nargs > self.size:
            return False
        if names != NULL and names == <PyObject*>self.in_order and nargs + len(self.in_order) == self.size:
            for index in range(self.size):
                values[index] = args[index]
            return True
        for index in range(nargs):
            values[index] = args[index]
        if names == NULL and nargs == self.size:
            return True
        for index in range(nargs, self.size):
            values[index] = NULL
        if names != NULL:
            keywords = <tuple>names
            in_order = nargs + len(keywords) == self.size
            for count in range(len(keywords)):
                index = goanna_position(<PyObject*>self.names, <PyObject*>keywords[count], nargs + count)
                if index < 0 or values[index] != NULL:
                    return False
                in_order = in_order and index == nargs + count
                values[index] = args[nargs + count]
            if in_order:
                if not GOANNA_NO_GIL:
                    self.in_order = keywords
                return True
        for index in range(nargs, self.size):
            if values[index] == NULL:
                values[index] = <PyObject*>self.defaults[index]
                if values[index] == <PyObject*>self.empty:
                    return False
        return True

    cdef bint harmless(self, PyObject* name) except -1:
        """Return whether a command of this name is certainly not kept out of events."""
        cdef tuple known
        cdef PyObject* found
        if GOANNA_NO_GIL:
            return self.harmless_anew(<object>name)
        known = self.known
        if not goanna_is_text(name) or not goanna_is_plain_set(self.sensitive):
            return False
        if known is None or <PyObject*>known[0] != name:
            found = goanna_borrow(lowered, name)
            if found != NULL:
                known = <tuple>found
            else:
                text = (<object>name).lower()
                known = (<object>name, None if text in HANDSHAKES else text)
                note(<object>name, known)
            if goanna_is_notable(name):
                self.known = known
        return known[1] is not None and not goanna_in_set(self.sensitive, <PyObject*>known[1])

    cdef bint harmless_anew(self, object name) except -1:
        """Return the same without the notes that two threads can't replace at once."""
        sensitive = self.namespace.get("_SENSITIVE_COMMANDS")
        if not goanna_is_text(<PyObject*>name) or not goanna_is_plain_set(sensitive):
            return False
        known = lowered.get(name)
        if known is None:
            text = name.lower()
            known = (name, None if text in HANDSHAKES else text)
            note(name, known)
        text = (<tuple>known)[1]
        return text is not None and not goanna_in_set(sensitive, <PyObject*>text)

    cdef int deliver(self, object listeners, object event) except -1:
        """Call the method of every listener that is in the list when its turn comes."""
        cdef Py_ssize_t index = 0
        cdef PyObject* result
        cdef PyObject* found
        if not goanna_is_list(listeners):
            for listener in listeners:
                result = goanna_call_method(<PyObject*>self.method, <PyObject*>listener, <PyObject*>event)
                if result == NULL:
                    self.handle()
                Py_XDECREF(result)
            return 0
        while index < goanna_list_size(listeners):
            found = goanna_list_item(listeners, index)
            if GOANNA_NO_GIL and found == NULL:
                break
            listener = goanna_own(found)
            result = goanna_call_method(<PyObject*>self.method, <PyObject*>listener, <PyObject*>event)
            if result == NULL:
                self.handle()
            Py_XDECREF(result)
            index += 1
        return 0

    cdef int deliver_resolved(self, ResolvedMethods ready, object event) except -1:
        """Call the methods that were resolved."""
        cdef Py_ssize_t index
        cdef PyObject* result
        for index in range(ready.size):
            result = goanna_invoke(&ready.calls[index], <PyObject*>event)
            if result == NULL:
                self.handle()
            Py_XDECREF(result)
        return 0

    cdef int handle(self) except -1:
        """Hand the exception that a listener has raised to the module, as the original does."""
        try:
            raised()
        except Exception:
            handler = self.namespace.get("_handle_exception", self)
            if handler is self:
                raise NameError("name '_handle_exception' is not defined", name="_handle_exception")
            handler()
        return 0

    cdef ResolvedMethods find_resolved(self, object instance):
        """Return the methods of this client's listeners."""
        now = getattr(instance, self.listeners)
        # The one used last fits whoever has the same listeners; most programs have one client.
        cdef ResolvedMethods last = None if GOANNA_NO_GIL else self.last
        if last is not None and last.fits(now):
            return last
        ready = instance.__dict__.get(self.resolved_name)
        if type(ready) is not ResolvedMethods or not (<ResolvedMethods>ready).fits(now):
            ready = ResolvedMethods(now, self.method)
            instance.__dict__[self.resolved_name] = ready
        if not GOANNA_NO_GIL:
            self.last = <ResolvedMethods>ready
        return <ResolvedMethods>ready

    cdef EarlyFilters find_early(self, object instance, list now):
        """Return what can be said of this client's events before they are built."""
        cdef EarlyFilters last = None if GOANNA_NO_GIL else self.early
        if last is not None and last.fits(now):
            return last
        early = instance.__dict__.get(self.early_name)
        if type(early) is not EarlyFilters or not (<EarlyFilters>early).fits(now):
            early = EarlyFilters(now, self.method, self.event_type, self.fields)
            instance.__dict__[self.early_name] = early
        if not GOANNA_NO_GIL:
            self.early = <EarlyFilters>early
        return <EarlyFilters>early


cdef int note(object name, tuple known) except -1:
    """Remember the lower-case form of a command's name, unless it is as long as no command's."""
    if goanna_is_notable(<PyObject*>name):
        if len(lowered) > 1000:
            lowered.clear()
        lowered[name] = known
    return 0


cdef Py_ssize_t offset_of(object cls, object slot) except -1:
    for base in cls.__mro__:
        if slot in vars(base):
            return goanna_slot_offset(cls, vars(base)[slot])
    raise TypeError(f"{cls.__qualname__} has no slot {slot!r}")


cdef tuple constructors(object event_type):
    """Return everything that could make constructing an event do something else than filling its slots."""
    return tuple([vars(base).get(name) for base in event_type.__mro__ for name in ("__init__", "__new__")])

# What both kinds of span are: a context manager that is its own awaitable, driven one handler after the other.

@cython.final
cdef class SpanFactory:
    """Makes what ``async with`` binds, without running ``__init__`` where that only sets ``data`` to None."""

    cdef object cls
    cdef unsigned long long version

    def __cinit__(self, cls):
        self.cls = cls
        self.look()

    cdef int look(self) except -1:
        """See what the class is like now."""
        cls = self.cls
        self.version = 0
        if (
            type(cls) is type
            and cls.__new__ is object.__new__
            and cls.__setattr__ is object.__setattr__
            and getattr(cls(), "__dict__", None) == {"data": None}
        ):
            self.version = goanna_type_version(cls)
        return 0

    cdef object make(self):
        if self.version == 0 or self.version != goanna_type_version(self.cls):
            return self.cls()
        made = goanna_plain(self.cls, ())
        made.data = None
        return made


cdef class SpanBase:
    """What both kinds of span are: a context manager that is its own awaitable."""

    cdef object __weakref__
    cdef readonly object event
    cdef SpanFactory factory
    cdef object waiting
    cdef Py_ssize_t index
    cdef State state
    cdef Py_ssize_t running

    cdef int go(self, PyObject** result) except -1:
        """Go on until a handler suspends or the stage ends; return 1 with what is yielded, or 0 with the result."""
        raise NotImplementedError

    cdef int returned(self, object value) except -1:
        """Take what the handler at ``index`` has returned, and make the next one the current one."""
        raise NotImplementedError

    @cython.final
    cdef int problem(self) except -1:
        """Deal with what the handler at ``index`` has raised; return if the stage goes on."""
        try:
            raised()
        except BaseException:
            self.caught()
        return 0

    cdef int caught(self) except -1:
        """Like problem(), within an ``except``."""
        raise NotImplementedError

    cdef bint suspends(self, object coroutine) except -1:
        """Return whether the stage is to wait for a coroutine that has suspended."""
        return True

    cdef object again(self):
        """Return another span of the same event."""
        raise NotImplementedError

    def __repr__(self):
        return f"<span of {type(self.event).__name__}>"

    def __call__(self, function):
        """Return a coroutine function that runs within a span like this one."""
        return decorated(lambda: self.again(), function)

    def __aenter__(self):
        """Call the ``event_start`` of each handler; return the EventSpan."""
        if self.state != NEW:
            raise once_only(True)
        if self.factory is None:
            raise AttributeError(f"{type(self).__name__}.__init__() was not called")
        self.state = ENTERING
        return self

    @cython.final
    cdef inline int leave(self) except -1:
        """Begin with the ends."""
        if self.state != OPEN:
            raise once_only(False)
        self.state = LEAVING
        return 0

    def __await__(self):
        if self.state not in (ENTERING, LEAVING) or self.running or self.waiting is not None:
            raise TypeError(f"object {type(self).__name__} can't be used in 'await' expression; write async with")
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return self.stepped(None)

    def send(self, value):
        """Go on with what an event loop sends."""
        return self.stepped(value)

    cdef object stepped(self, object value):
        cdef PyObject* result = NULL
        if goanna_drive(<PyObject*>self, <PyObject*>value, &result) == 0:
            raise StopIteration(goanna_own(result))
        return goanna_own(result)

    cdef int check(self) except -1:
        if self.running:
            raise ValueError("coroutine already executing")
        if self.state not in (ENTERING, UNDOING, LEAVING):
            raise RuntimeError("cannot reuse already awaited coroutine")
        return 0

    cdef int advance(self, PyObject* value, PyObject** result) except -1:
        """Do one step; goanna_drive() calls it, between before_step() and after_step()."""
        cdef PyObject* got = NULL
        cdef int status
        if self.waiting is not None:
            status = goanna_step(self.waiting, value, &got)
            if status == 1 and self.suspends(self.waiting):
                result[0] = got
                return 1
            if status == 1:
                Py_XDECREF(got)
                self.shut(self.waiting)
            else:
                self.waiting = None
                if status == 0:
                    self.returned(goanna_own(got))
                else:
                    self.problem()
        return self.go(result)

    cdef int shut(self, object coroutine) except -1:
        """Close the coroutine of a handler that can't be waited for."""
        self.waiting = None
        try:
            coroutine.close()
        except BaseException:
            self.caught()
        else:
            self.returned(None)
        return 0

    def throw(self, kind, value=None, traceback=None):
        """Raise an exception where the stage is suspended."""
        cdef PyObject* result = NULL
        cdef int status
        error = value if isinstance(value, BaseException) else kind
        if isinstance(error, type):
            error = error() if value is None else error(value)
        if traceback is not None:
            error = error.with_traceback(traceback)
        before_step(<PyObject*>self)
        if self.waiting is None:
            self.state = DONE
            goanna_set(&self.running, 0)
            raise error
        try:
            if isinstance(error, GeneratorExit):
                self.closed()
            waiting = self.waiting
            try:
                if isinstance(error, GeneratorExit):
                    waiting.close()
                    raise error
                else:
                    return waiting.throw(error)
            except StopIteration as stop:
                self.waiting = None
                self.returned(stop.value)
            except BaseException:
                self.waiting = None
                self.caught()
            status = self.go(&result)
        except:
            self.state = DONE
            raise
        finally:
            goanna_set(&self.running, 0)
        if status == 0:
            raise StopIteration(goanna_own(result))
        return goanna_own(result)

    cdef int closed(self) except -1:
        """Take note that the coroutine around is being closed."""
        return 0

    def close(self):
        """Raise GeneratorExit where the stage is suspended."""
        if self.state not in (ENTERING, UNDOING, LEAVING):
            return
        try:
            self.throw(GeneratorExit)
        except (GeneratorExit, StopIteration):
            return
        raise RuntimeError("coroutine ignored GeneratorExit")


cdef int before_step(PyObject* span) except -1:
    # One thread at a time: where there is no GIL, who comes first is said before anything else is asked.
    if GOANNA_NO_GIL:
        if not goanna_claim(&(<SpanBase>span).running):
            raise ValueError("coroutine already executing")
        if (<SpanBase>span).state not in (ENTERING, UNDOING, LEAVING):
            goanna_set(&(<SpanBase>span).running, 0)
            raise RuntimeError("cannot reuse already awaited coroutine")
        return 0
    (<SpanBase>span).check()
    (<SpanBase>span).running = True
    return 0


cdef int advance_span(PyObject* span, PyObject* value, PyObject** result) except -1:
    return (<SpanBase>span).advance(value, result)


cdef void after_step(PyObject* span, int status) noexcept:
    if status < 0:
        (<SpanBase>span).state = DONE
    goanna_set(&(<SpanBase>span).running, 0)

# The open spans of a tracker and of its requests.

@cython.final
cdef class OpenSpans:
    """OpenSpans(policy, max_open, concurrent)
--

The open spans of a tracker and of its requests, and what becomes of errors.

Args:
    policy: called with an error, its handler and the event; None to collect errors and raise them together.
    max_open: how many open spans are kept in view.
    concurrent: makes the spans where the handlers of one stage run concurrently; None where they don't.

Attributes:
    count: how many spans are open, in view or not."""

    cdef readonly object policy
    cdef readonly Py_ssize_t max_open
    cdef readonly object concurrent
    cdef readonly Py_ssize_t count
    # The span that was entered last, so that one after the other never sees the dictionary; the others by age.
    cdef object latest
    cdef dict spans

    def __cinit__(self, policy, Py_ssize_t max_open, concurrent):
        self.policy = policy
        self.max_open = max_open
        self.concurrent = concurrent
        self.spans = {}

    def __repr__(self):
        return f"<OpenSpans: {self.count} open>"

    cpdef enter(self, span):
        """Take a span in; beyond ``max_open`` the oldest goes out of view."""
        oldest = None  # goes away when all is as it must be
        with cython.critical_section(self):
            self.count += 1
            before = self.latest
            self.latest = span
            if before is not None:
                self.spans[before] = None
                if len(self.spans) >= self.max_open:
                    oldest = next(iter(self.spans))
                    del self.spans[oldest]

    cpdef leave(self, span):
        """Let a span go."""
        with cython.critical_section(self):
            self.count -= 1
            if self.latest is span:
                self.latest = None
            else:
                self.spans.pop(span, None)

    def visible(self):
        """Return the open spans in view, the oldest first."""
        with cython.critical_section(self):
            return (*self.spans,) if self.latest is None else (*self.spans, self.latest)

# The counts of one registration or wrapper.

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

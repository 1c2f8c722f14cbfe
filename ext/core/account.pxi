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
    cdef goanna_spinlock lock

    def add(self, Py_ssize_t delivered, Py_ssize_t failed, Py_ssize_t filtered):
        """Add to the counts, all at once."""
        tally(self, delivered, failed, filtered)

    def read(self):
        """Return delivered, failed and filtered as they were at one moment."""
        cdef Py_ssize_t delivered, failed, filtered
        goanna_enter(&self.lock)
        delivered, failed, filtered = self.delivered, self.failed, self.filtered
        goanna_leave(&self.lock)
        return delivered, failed, filtered

    __reduce__ = uncopied

    def __repr__(self):
        return f"<Account delivered={self.delivered} failed={self.failed} filtered={self.filtered}>"


cdef inline void tally(Account account, Py_ssize_t delivered, Py_ssize_t failed, Py_ssize_t filtered) noexcept:
    """Add to the counts, all at once."""
    goanna_enter(&account.lock)
    account.delivered += delivered
    account.failed += failed
    account.filtered += filtered
    goanna_leave(&account.lock)

# The threads that write a report of goanna's own: what they publish meanwhile is dropped and counted.

# The threads that write a report of goanna's own at this moment, and how many.
cdef set reporting = set()
cdef Py_ssize_t reports = 0


def enter_report():
    """Say that this thread writes a report of goanna's own: what it publishes until the end of it is dropped.

    Returns:
        Whether it did not do so already; then :func:`leave_report` must follow.
    """
    thread = threading.get_ident()  # looked up each time: gevent puts that of greenlets there
    if thread in reporting:
        return False
    reporting.add(thread)
    goanna_add(&reports, 1)
    return True


def in_report():
    """Return whether this thread writes a report of goanna's own at this moment."""
    return bool(goanna_get(&reports) and threading.get_ident() in reporting)


def leave_report():
    """Say that the report is written."""
    thread = threading.get_ident()
    if thread in reporting:
        reporting.discard(thread)
        goanna_add(&reports, -1)

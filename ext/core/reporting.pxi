# Who is not heard: threads that write a report of goanna's own, and muted blocks.

# The threads that write a report of goanna's own at this moment, the muted blocks that are open, and how many.
cdef set reporting = set()
cdef Py_ssize_t reports = 0
cdef object marked_here = marks  # the same, where no name has to be looked up


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


def open_block(block):
    """Say that a block is open, in which nothing is published."""
    reporting.add(block)
    goanna_add(&reports, 1)


def in_block():
    """Return whether the current context is in a block in which nothing is published."""
    return bool(goanna_get(&reports) and marks.get() is not None and open_blocks())


def close_block(block):
    """Say that a block is left."""
    block.open = False
    if block in reporting:
        reporting.discard(block)
        goanna_add(&reports, -1)


cdef int forget_others() except -1:
    """In the child of a fork: forget reports and blocks of threads that are not in this process."""
    mine = [one for one in (threading.get_ident(), *open_blocks()) if one in reporting]
    reporting.clear()
    reporting.update(mine)
    goanna_set(&reports, len(mine))
    return 0

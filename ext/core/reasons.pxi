# Why events are dropped.

cdef enum:
    REASONS_COUNT = 8
    OVERFLOW = 0
    TIMEOUT = 1
    FORK_INHERITED = 6
    REENTRANT = 7
    OPEN = -1

REASONS = (
    "overflow",
    "timeout",
    "closed",
    "exit",
    "loop_closed",
    "quarantined",
    "fork_inherited",
    "reentrant",
)


cdef int reason_number(object reason) except -1:
    if reason not in REASONS:
        raise ValueError(f"reason is {reason!r}; it must be one of {', '.join(REASONS)}")
    return REASONS.index(reason)

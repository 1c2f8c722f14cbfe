"""``goanna record`` and ``goanna replay``: a program's driver events in a file, and back out of it.

A recording is a file of lines, each a JSON object. The first is the header, whose member ``goanna_recording`` is the
version of the format; then come one for each event, with ``t``, the nanoseconds since recording began, ``e``, the name
of the event's class, and ``f``, its fields; and ``lost``, the number of events that are missing at that place. The last
is ``end``, with the counts; it is missing where the process was killed.
"""

"""What goanna costs beside its rivals and beside what can't be avoided, measured in one process.

``python -m benchmarks`` prints the ratios of one run. ``python -m pytest benchmarks --benchmark-only`` measures the
same works with pytest-benchmark: groups name the job, parameters name the rival. Both take their works from ``jobs``.

``python -m benchmarks.monitoring`` does the same for PyMongo's monitoring, stock and with goanna installed; its works
come from ``monitoring_jobs``.

``python -m benchmarks.delivery`` does it for queues, loops and filters; its works come from ``delivery_jobs``
and, where other threads take part, from ``delivery_bursts``, ``delivery_sustained`` and ``delivery_overload``.
"""

"""What goanna costs beside its rivals and beside what can't be avoided: for those who work on goanna.

``python -m benchmarks`` measures every job in one process, and says what became of the goals. ``goanna bench`` measures
some of the same; jobs, harness, documents and tables are its own, in ``goanna.bench``. ``python -m pytest benchmarks
--benchmark-only`` measures them with pytest-benchmark: groups name the job, parameters the rival.
"""

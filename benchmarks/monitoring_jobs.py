"""See ``goanna.bench.monitoring_jobs``, which ``goanna bench`` shares."""

from goanna.bench.monitoring_jobs import *  # noqa: F403

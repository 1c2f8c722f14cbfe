"""See ``goanna.cli.bench.monitoring_jobs``, which ``goanna bench`` shares."""

from goanna.cli.bench.monitoring_jobs import *  # noqa: F403

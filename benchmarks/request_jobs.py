"""See ``goanna.cli.bench.request_jobs``, which ``goanna bench`` shares."""

from goanna.cli.bench.request_jobs import *  # noqa: F403

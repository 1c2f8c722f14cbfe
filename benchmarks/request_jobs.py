"""See ``goanna.bench.request_jobs``, which ``goanna bench`` shares."""

from goanna.bench.request_jobs import *  # noqa: F403

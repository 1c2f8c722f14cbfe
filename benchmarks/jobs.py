"""See ``goanna.bench.jobs``, which ``goanna bench`` shares."""

from goanna.bench.jobs import *  # noqa: F403

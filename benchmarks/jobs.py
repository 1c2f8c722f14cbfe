"""See ``goanna.cli.bench.jobs``, which ``goanna bench`` shares."""

from goanna.cli.bench.jobs import *  # noqa: F403

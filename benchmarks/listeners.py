"""See ``goanna.cli.bench.listeners``, which ``goanna bench`` shares."""

from goanna.cli.bench.listeners import *  # noqa: F403

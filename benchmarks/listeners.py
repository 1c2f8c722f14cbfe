"""See ``goanna.bench.listeners``, which ``goanna bench`` shares."""

from goanna.bench.listeners import *  # noqa: F403

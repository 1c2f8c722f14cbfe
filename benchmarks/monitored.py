"""See ``goanna.bench.monitored``, which ``goanna bench`` shares."""

from goanna.bench.monitored import *  # noqa: F403

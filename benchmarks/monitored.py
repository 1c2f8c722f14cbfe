"""See ``goanna.cli.bench.monitored``, which ``goanna bench`` shares."""

from goanna.cli.bench.monitored import *  # noqa: F403

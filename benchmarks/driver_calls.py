"""See ``goanna.cli.bench.driver_calls``, which ``goanna bench`` shares."""

from goanna.cli.bench.driver_calls import *  # noqa: F403

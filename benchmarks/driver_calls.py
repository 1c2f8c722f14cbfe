"""See ``goanna.bench.driver_calls``, which ``goanna bench`` shares."""

from goanna.bench.driver_calls import *  # noqa: F403

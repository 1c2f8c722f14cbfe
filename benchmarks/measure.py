"""See ``goanna.bench.measure``, which ``goanna bench`` shares."""

from goanna.bench.measure import *  # noqa: F403

"""See ``goanna.bench.tracked``, which ``goanna bench`` shares."""

from goanna.bench.tracked import *  # noqa: F403

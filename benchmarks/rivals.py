"""See ``goanna.bench.rivals``, which ``goanna bench`` shares."""

from goanna.bench.rivals import *  # noqa: F403

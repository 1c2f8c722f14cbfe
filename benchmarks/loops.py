"""See ``goanna.bench.loops``, which ``goanna bench`` shares."""

from goanna.bench.loops import *  # noqa: F403

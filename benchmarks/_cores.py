"""See ``goanna.bench.cores``, which ``goanna bench`` shares."""

from goanna.bench.cores import *  # noqa: F403

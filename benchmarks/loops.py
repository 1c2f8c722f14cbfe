"""See ``goanna.cli.bench.loops``, which ``goanna bench`` shares."""

from goanna.cli.bench.loops import *  # noqa: F403

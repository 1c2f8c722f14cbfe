"""See ``goanna.cli.bench.measure``, which ``goanna bench`` shares."""

from goanna.cli.bench.measure import *  # noqa: F403

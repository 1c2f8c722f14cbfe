"""See ``goanna.cli.bench.tracked``, which ``goanna bench`` shares."""

from goanna.cli.bench.tracked import *  # noqa: F403

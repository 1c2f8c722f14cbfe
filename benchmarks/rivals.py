"""See ``goanna.cli.bench.rivals``, which ``goanna bench`` shares."""

from goanna.cli.bench.rivals import *  # noqa: F403

"""See ``goanna.cli.bench.cores``, which ``goanna bench`` shares."""

from goanna.cli.bench.cores import *  # noqa: F403

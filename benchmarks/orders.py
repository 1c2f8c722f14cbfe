"""See ``goanna.cli.bench.orders``, which ``goanna bench`` shares."""

from goanna.cli.bench.orders import *  # noqa: F403

"""See ``goanna.bench.orders``, which ``goanna bench`` shares."""

from goanna.bench.orders import *  # noqa: F403

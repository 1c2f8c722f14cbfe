"""See ``goanna.cli.bench.audit_jobs``, which ``goanna bench`` shares."""

from goanna.cli.bench.audit_jobs import *  # noqa: F403

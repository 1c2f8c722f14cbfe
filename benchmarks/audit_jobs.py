"""See ``goanna.bench.audit_jobs``, which ``goanna bench`` shares."""

from goanna.bench.audit_jobs import *  # noqa: F403

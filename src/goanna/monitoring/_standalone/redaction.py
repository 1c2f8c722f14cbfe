"""Which commands and replies hold secrets, and so are left out of events."""

from __future__ import annotations

from goanna.monitoring._standalone.kinds import Document
from goanna.monitoring._standalone.namespace import names

__all__ = ["_SENSITIVE_COMMANDS", "HelloCompat", "_is_speculative_authenticate"]

_SENSITIVE_COMMANDS: set[str] = {
    "authenticate",
    "copydb",
    "copydbgetnonce",
    "copydbsaslstart",
    "createuser",
    "getnonce",
    "saslcontinue",
    "saslstart",
    "updateuser",
}
"""Commands, in lower case, of which an event shows neither the command document nor the reply."""


class HelloCompat:
    """The two generations of words for the handshake with a server."""

    CMD = "hello"
    LEGACY_CMD = "ismaster"
    PRIMARY = "isWritablePrimary"
    LEGACY_PRIMARY = "ismaster"
    LEGACY_ERROR = "not master"


def _is_speculative_authenticate(command_name: str, doc: Document) -> bool:
    """Return whether the command or reply ``doc`` is a handshake with credentials in it.

    ``doc`` is looked into only if the command is a handshake: a reply that is decoded on demand stays undecoded.
    """
    hello = names.HelloCompat
    return command_name.lower() in (hello.CMD, hello.LEGACY_CMD) and "speculativeAuthenticate" in doc

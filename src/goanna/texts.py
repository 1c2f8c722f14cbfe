"""What is done to texts of others before they are written to a file, a log or a terminal."""

from __future__ import annotations

import re

__all__ = ["described", "escaped", "guarded", "without_secrets"]

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What ends lines, moves cursors or turns the direction of what is shown, and what no encoding has a form for."""


def escaped(text: str) -> str:
    r"""Return a text that is one line everywhere and says nothing to a terminal: ``\n``, ``\x1b``, ``\u2028``."""
    return _CONTROLS.sub(_escape, text) if not text.isprintable() else text


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


_USER = re.compile(r"""(?<=://)[^\s/?#"'<>]*@""")
_QUERY = re.compile(r"""(?<=[^\s"'<>])\?[^\s"'<>?=]+=[^\s"'<>]*""")
_FRAGMENT = re.compile(r"""(://[^\s"'<>#]*)#[^\s"'<>]+""")


def without_secrets(text: str) -> str:
    """Return a text in which URLs have neither user and password nor a query, where signatures and tokens are.

    ``https://u:p@host/a?X-Amz-Signature=b`` becomes ``https://host/a?...``; so do paths that have a query, as in the
    texts of urllib3.
    """
    if "://" in text:
        text = _FRAGMENT.sub(r"\1#...", _USER.sub("", text))
    return _QUERY.sub("?...", text) if "?" in text else text


def described(error: BaseException) -> str:
    """Return the class and the text of an error, without the secrets of URLs; for one whose text raises, that."""
    name = type(error).__name__
    try:
        return without_secrets(f"{name}: {error}")
    except Exception as second:
        return f"{name}, whose text raised {type(second).__name__}"


def guarded(cell: str) -> str:
    """Return the text of a cell that no spreadsheet takes for a formula: one that looks so begins with a quote."""
    return f"'{cell}" if cell.lstrip()[:1] in _FORMULAS else cell


_FORMULAS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How formulas begin, in their full width too."""

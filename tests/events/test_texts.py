"""Texts of others: one line, no secrets, no formulas."""

from __future__ import annotations

import pytest

from goanna.texts import described, escaped, guarded, without_secrets


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://host/path?a=b", "https://host/path?..."),
        ("https://user:p@ss@host/path", "https://host/path"),
        ("mongodb://u:p@a,b/db?authSource=x), then", "mongodb://a,b/db?... then"),
        ("<https://h/p?a=b&c=d>", "<https://h/p?...>"),
        ('"https://h?a=b" and "http://h:1/?c=d"', '"https://h?..." and "http://h:1/?..."'),
        ("https://h/p#access_token=x", "https://h/p#..."),
        ("https://h/p?a=b#c", "https://h/p?..."),
        ("url: /bucket/key?X-Amz-Signature=abc (Caused by x)", "url: /bucket/key?... (Caused by x)"),
        ("https://h/a@b", "https://h/a@b"),
        ("is it so? a=b", "is it so? a=b"),
        ("mail a@b.c, see https://h/", "mail a@b.c, see https://h/"),
        ("C://x", "C://x"),
        ("", ""),
    ],
)
def test_urls_hold_no_secrets(text: str, shown: str) -> None:
    assert without_secrets(text) == shown
    assert without_secrets(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("é \U0001f98e '\\", "é \U0001f98e '\\"),
        ("a\nb\r\x1b[2J\x00\x7f\x9b", "a\\nb\\r\\x1b[2J\\x00\\x7f\\x9b"),
        ("\u2028\u2029\u202e\u2069\ud800", "\\u2028\\u2029\\u202e\\u2069\\ud800"),
        ("a\xa0b", "a\xa0b"),
    ],
)
def test_a_text_is_one_line(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_a_formula_is_a_text() -> None:
    assert [guarded(one) for one in ("=1", " +1", "a=1", "", "'=1")] == ["'=1", "' +1", "a=1", "", "'=1"]


def test_an_error_whose_text_raises() -> None:
    class Awkward(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert described(Awkward()) == "Awkward, whose text raised RuntimeError"
    assert described(OSError("https://h/?a=b")) == "OSError: https://h/?..."

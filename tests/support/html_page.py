"""Reads the pages that goanna writes."""

from __future__ import annotations

from html.parser import HTMLParser


class Page(HTMLParser):
    """Checks that the elements nest, and collects what the page refers to.

    Attributes:
        open: the elements that are not closed.
        references: what it would load or link to.
        bars: how many pictures there are.
    """

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.references: list[str] = []
        self.bars = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.references += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action")]
        self.bars += tag == "svg"
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None: ...

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

"""The figures in the README and on the page of the dated run are those of docs/bench.json."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import published

    return published


@pytest.fixture
def content(published):
    return published.load(ROOT / "docs" / "bench.json")


def test_the_readme_is_in_step(published, content) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert published.readme(text, content) == text


def test_the_page_is_in_step(published, content) -> None:
    assert (ROOT / "docs" / "performance-run.md").read_text(encoding="utf-8") == published.run_page(content)


def test_another_figure_makes_another_readme(published, content) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    other = copy.deepcopy(content)
    costs = next(job for group in other["groups"] for job in group["jobs"] if job["name"] == "publish to 1")["costs"]
    costs["goanna compiled"]["median"] *= 2
    assert published.readme(text, other) != text
    assert published.run_page(other) != published.run_page(content)


def test_what_is_faster_than_goanna_is_marked(published, content) -> None:
    other = copy.deepcopy(content)
    for group in other["groups"]:
        for job in group["jobs"]:
            if job["name"] == "publish to 1":
                job["costs"]["blinker"]["median"] = 0.5
    assert published.run_page(other).count("| blinker † |") == 1


@pytest.mark.parametrize("text", ["none", "{1} {0}", "{0}", "{0} {1} {1}", "{0} {0} {1}"])
def test_a_readme_without_its_markers_is_refused(published, content, text: str) -> None:
    with pytest.raises(ValueError, match="once each"):
        published.readme(text.format(published.BEGIN, published.END), content)

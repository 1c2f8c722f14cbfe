"""The figures in the README and on the page of the dated run are those of docs/bench.json."""

from __future__ import annotations

import copy
import re
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


def test_another_figure_makes_another_sentence(published, content) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for sentence in published.SENTENCES:
        other = copy.deepcopy(published.figures(content))
        for costs in other.values():
            for number, rival in enumerate(costs, start=1):
                costs[rival] = published.Figure(1.0, 1000.0 + 7 * number, 1.0, 1.0)
        assert sentence.written(text, other) != text
        assert sentence.written(sentence.written(text, other), published.figures(content)) == text


def test_a_sentence_is_found_where_its_lines_are_broken_elsewhere(published) -> None:
    one = published.Sentence("it takes {} of the {}", (lambda found: "9%", lambda found: "1.5 µs"))
    assert one.written("Well, it takes 12.5%\nof\nthe 3 ns.", {}) == "Well, it takes 9%\nof\nthe 1.5 µs."


@pytest.mark.parametrize("text", ["", "it takes long", "it takes 5 ns. it takes 6 ns."])
def test_a_sentence_that_is_not_there_once_is_refused(published, text: str) -> None:
    one = published.Sentence("it takes {}", (lambda found: "1 ns",))
    with pytest.raises(ValueError, match="it takes"):
        one.written(text, {})


FIGURE = re.compile(
    r"\d\s?(?:%|ns\b|µs\b|ms\b|per cent|microsec|nanosec)|\b\d[\d.]* times|"
    r"\b(?:half|third|quarter|fifth|sixth|seventh|eighth|ninth|tenth|fourteenth|two|three|four|five|ten)"
    r" (?:of the|of a|times)"
)


def test_no_figure_in_the_readme_is_by_hand(published) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    head, _, rest = text.partition(published.BEGIN)
    text = head + rest.partition(published.END)[2]
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for sentence in published.SENTENCES:
        assert FIGURE.search(sentence.pattern().search(text)[0]), "so it would be found"
        text = sentence.pattern().sub("", text)
    assert FIGURE.findall(text) == []


@pytest.mark.parametrize("text", ["none", "{1} {0}", "{0}", "{0} {1} {1}", "{0} {0} {1}"])
def test_a_readme_without_its_markers_is_refused(published, content, text: str) -> None:
    with pytest.raises(ValueError, match="once each"):
        published.readme(text.format(published.BEGIN, published.END), content)

"""What was measured, as one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from goanna.bench.document import changes, figures, kind, noise_between
from goanna.bench.figures import FLOOR, Figure
from goanna.bench.terminal import about, compared, duration, noise, word

__all__ = ["frame", "listener_page", "page", "row"]

_STYLE = """
:root { color-scheme: light dark; --back: #fff; --text: #1c2421; --faint: #5d6b65; --line: #dde4e0; --ci: #1c2421;
  --stock: #9aa8a2; --goanna: #1d8a5b; --floor: #3b7ea8; --own: #c08a2d; --warn: #8a4b00; }
@media (prefers-color-scheme: dark) { :root { --back: #131a17; --text: #e6ede9; --faint: #9aa8a2; --line: #2b3631;
  --ci: #e6ede9; --stock: #66756e; --goanna: #43c48a; --floor: #6fb3dd; --own: #d9a84e;
  --warn: #f0b46a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.25rem; max-width: 58rem; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.2rem; margin: 2.25rem 0 0; }
h3 { font-size: 1rem; margin: 1.1rem 0 .3rem; }
p { margin: .25rem 0; } .faint { color: var(--faint); font-size: .9rem; overflow-wrap: anywhere; }
.warn { color: var(--warn); font-weight: 600; }
.key span { display: inline-block; width: .8rem; height: .8rem; border-radius: 2px; margin: 0 .3rem 0 0; }
.key b { font-weight: inherit; white-space: nowrap; margin-right: .6rem; }
.row { display: grid; grid-template-columns: 11.5rem 1fr 4.6rem 3.4rem; gap: .2rem .7rem; align-items: center;
  font-size: .9rem; padding: .08rem 0; }
.row svg { display: block; width: 100%; height: .95rem; }
.row output { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.row output + output { color: var(--faint); }
.stock { fill: var(--stock); } .goanna { fill: var(--goanna); } .floor { fill: var(--floor); }
.own { fill: var(--own); }
.ci { stroke: var(--ci); stroke-width: 2; vector-effect: non-scaling-stroke; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid var(--line);
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.dearer { color: var(--warn); } .cheaper { color: var(--goanna); } .same { color: var(--faint); }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
@media (max-width: 40rem) {
  .row { grid-template-columns: 1fr auto 3.2rem; gap: 0 .7rem; padding: .25rem 0; }
  .row svg { grid-column: 1 / -1; grid-row: 2; }
}
"""


def page(content: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> str:
    """Return the page of a document, with what changed since another one."""
    found = figures(content)
    groups = "".join(_group(group, found) for group in content["groups"])
    intro = (
        "Medians of a call; the thin line is the 95 % interval of the median. The last column is relative to the "
        "floor, which is the part of the work that can't be avoided. Bars of one job are to one scale."
    )
    key = {"floor": "floor", "goanna": "goanna", "stock": "others"}
    body = groups + ("" if before is None else _changes(before, content))
    return frame("What events cost", about(content), noise(content), intro, key, body)


def listener_page(content: Mapping[str, Any], floor: str, alone: str) -> str:
    """Return the page of what ``goanna bench --listener`` found.

    Args:
        content: what was measured, as it is written to JSON.
        floor, alone: under which names the bare call and the listener by itself are in it.
    """
    costs = {name: Figure(**one) for name, one in content["costs"].items()}
    longest = max(max(one.median, one.high) for one in costs.values())
    stream, rows = content["stream"], ""
    for name, one in costs.items():
        share = content["dispatch"].get(name)
        colour = "floor" if name == floor else "own" if name == alone else kind(name)
        bars = [(colour, one.median)]
        label, last = f"{name}: {duration(one.median)}", ""
        if share is not None:
            own = min(costs[alone].median, one.median)
            bars = [("own", own), (colour, one.median - own)]
            label += f", of which {share:.0%} dispatch"
            last = f"{share:.0%}"
        rows += row(name, label, bars, longest, last, one)
    intro = (
        f"{content['listener']} gets {stream['wanted']} of {stream['events']} events, {stream['source']}. Medians for "
        "each event of the stream, those that the listener doesn't get included; the first bar is taken off from the "
        "others. The thin line is the 95 % interval of the median. The last column is the share of dispatch: building "
        "the event, finding the listener, the way to it. A publisher's part is what your application waits for."
    )
    key = {"floor": "a bare call", "own": "the listener's own work", "goanna": "with goanna", "stock": "without"}
    heading = f"<h2>{escape(content['listener'])}</h2>\n"
    return frame("What a listener costs", about(content), noise(content), intro, key, heading + rows)


def frame(title: str, about: str, warning: str, intro: str, key: Mapping[str, str], body: str) -> str:
    """Return a page.

    Args:
        title: as text.
        about: where, when and with what it was measured, as text.
        warning: what to be warned of, as text; may be empty.
        intro: how to read it, as text.
        key: what the colours mean, by name.
        body: the rest, as HTML.
    """
    warned = f'<p class="warn">{escape(warning)}</p>' if warning else ""
    colours = "".join(
        f'<b><span style="background: var(--{name})"></span>{escape(text)}</b> ' for name, text in key.items()
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(title)}</h1>
<p class="faint">{escape(about)}</p>
{warned}
<p class="faint">{escape(intro)}</p>
<p class="faint key">{colours}</p>
{body}</body>
</html>
"""


def row(
    name: str, label: str, bars: Sequence[tuple[str, float]], longest: float, last: str, figure: Figure | None = None
) -> str:
    """Return a bar and what it adds up to, with the interval of a figure.

    Args:
        name: what stands before it.
        label: what it is, for those who can't see it.
        bars: its parts: colours and nanoseconds.
        longest: nanoseconds of the whole width.
        last: what stands behind the figure, as HTML.
        figure: what has an interval.
    """
    drawn, start = "", 0.0
    for colour, length in bars:
        width = max(100 * length / longest, 0.4)
        drawn += f'<rect class="{colour}" x="{start:.2f}" width="{width:.2f}" height="10"/>'
        start += width
    if figure is not None:
        low, high = (max(100 * value / longest, 0.0) for value in (figure.low, figure.high))
        drawn += f'<line class="ci" x1="{low:.2f}" x2="{high:.2f}" y1="5" y2="5"/>'
    return (
        f'<div class="row"><span>{escape(name)}</span>'
        f'<svg viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="{escape(label)}">{drawn}</svg>'
        f"<output>{duration(sum(length for _, length in bars))}</output><output>{last}</output></div>\n"
    )


def _group(group: Mapping[str, Any], found: Mapping[str, Mapping[str, Figure]]) -> str:
    jobs = "".join(
        f"<h3>{escape(job['name'])}</h3>\n" + _rows(job["name"], found[job["name"]]) for job in group["jobs"]
    )
    return f'<h2>{escape(group["name"])}</h2>\n<p class="faint">Floor: {escape(group["floor"])}</p>\n{jobs}'


def _rows(job: str, costs: Mapping[str, Figure]) -> str:
    longest = max(max(one.median, one.high) for one in costs.values())
    rows = ""
    for rival, one in costs.items():
        label = f"{rival}, {job}: {duration(one.median)}"
        ratio = one.median / costs[FLOOR].median
        times = "" if rival == FLOOR else f"{ratio:.{2 if ratio < 100 else 0}f}&times;"
        rows += row(rival, label, [(kind(rival), one.median)], longest, times, one)
    return rows


def _changes(before: Mapping[str, Any], content: Mapping[str, Any]) -> str:
    found, between = list(changes(before, content)), noise_between(before, content)
    rows = "".join(
        f"<tr><td>{escape(one.job)}: {escape(one.rival)}</td><td>{one.before:.2f}</td><td>{one.now:.2f}</td>"
        f'<td class="{(said := word(one, between)) or "same"}">{one.ratio:.2f}{said and f" {said}"}</td></tr>\n'
        for one in found
    )
    return (
        f"<h2>Since {escape(before['date'])}</h2>\n"
        f'<p class="faint">{escape(compared(found, between))}</p>\n'
        f"<table>\n<tr><th>job</th><th>then</th><th>now</th><th>now / then</th></tr>\n{rows}</table>\n"
    )

"""The results of the MongoDB demonstration as one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

from goanna.cli.demo.measure import MODES, Measure

__all__ = ["duration", "page"]

_STYLE = """
:root { color-scheme: light dark; --back: #fff; --text: #1c2421; --faint: #5d6b65; --line: #dde4e0;
  --stock: #9aa8a2; --goanna: #1d8a5b; }
@media (prefers-color-scheme: dark) { :root { --back: #131a17; --text: #e6ede9; --faint: #9aa8a2; --line: #2b3631;
  --stock: #66756e; --goanna: #43c48a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.25rem; max-width: 46rem; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
p { margin: .25rem 0; } .faint { color: var(--faint); font-size: .9rem; }
figure { margin: 1rem 0; } figcaption { display: flex; gap: 1rem; justify-content: space-between; flex-wrap: wrap; }
figcaption span { overflow-wrap: anywhere; }
.row { display: grid; grid-template-columns: 3.6rem 1fr 4.6rem; gap: .6rem; align-items: center; font-size: .9rem; }
.row svg { display: block; width: 100%; height: .9rem; } .row output { text-align: right; }
output, td + td { font-variant-numeric: tabular-nums; }
.stock { fill: var(--stock); } .goanna { fill: var(--goanna); }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .3rem .5rem .3rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
th + th, td + td { text-align: right; }
"""


def duration(nanoseconds: float) -> str:
    """Return a duration as people read it: 48 ns, 140 µs."""
    if nanoseconds < 10_000:
        return f"{nanoseconds:.0f} ns" if nanoseconds >= 100 else f"{nanoseconds:.1f} ns"
    return f"{nanoseconds / 1_000:.0f} µs"


def page(about: str, report: str, counted: Sequence[tuple[str, int, int]], measures: Iterable[Measure]) -> str:
    """Return the page: what ran, how many events of each kind came in both modes, and what each thing costs."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>goanna: what PyMongo's monitoring costs</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>What PyMongo's monitoring costs</h1>
<p class="faint">{escape(about)}</p>
<p class="faint">{escape(report).replace(chr(10), "<br>")}</p>
{"".join(_group(name, list(members)) for name, members in groupby(measures, lambda one: one.group))}
<h2>The events are the same</h2>
<p class="faint">How many a listener to everything got from the same workload.</p>
<table>
<tr><th>event</th><th>stock</th><th>goanna</th></tr>
{"".join(f"<tr><td>{escape(kind)}</td><td>{one}</td><td>{other}</td></tr>" for kind, one, other in counted)}
</table>
</body>
</html>
"""


def _group(name: str, members: Sequence[Measure]) -> str:
    longest = max(max(one.nanoseconds.values()) for one in members)
    return f"<h2>{escape(name[0].upper() + name[1:])}</h2>" + "".join(_figure(one, longest) for one in members)


def _figure(measure: Measure, longest: float) -> str:
    """Return the two bars of one measure, to the scale of its group."""
    rows = ""
    for mode in MODES:
        value = measure.nanoseconds[mode]
        label = f"{mode}: {duration(value)}"
        rows += (
            f'<div class="row"><span>{mode}</span>'
            f'<svg viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="{escape(label)}">'
            f'<rect class="{mode}" width="{max(100 * value / longest, 0.5):.2f}" height="10"/></svg>'
            f"<output>{duration(value)}</output></div>"
        )
    caption = f"<figcaption><span>{escape(measure.name)}</span><strong>{measure.ratio:.2f}&times;</strong></figcaption>"
    return f"<figure>{caption}{rows}</figure>\n"

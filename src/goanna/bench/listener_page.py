"""What ``goanna bench --listener`` found, as one page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from goanna.bench.document import kind
from goanna.bench.figures import Figure
from goanna.bench.page import frame, row
from goanna.bench.terminal import duration

__all__ = ["page"]


def page(content: Mapping[str, Any], floor: str, alone: str) -> str:
    """Return the page.

    Args:
        content: what was measured, as it is written to JSON.
        floor, alone: under which names the bare call and the listener by itself are in it.
    """
    costs = {name: Figure(**one) for name, one in content["costs"].items()}
    longest = max(max(one.median, one.high) for one in costs.values())
    stream, dispatch = content["stream"], content["dispatch"]
    rows = ""
    for name, one in costs.items():
        share = dispatch.get(name)
        colour = "floor" if name == floor else "own" if name == alone else kind(name)
        bars = [(colour, one.median)]
        label, last = f"{name}: {duration(one.median)}", ""
        if share is not None:
            own = min(costs[alone].median, one.median)
            bars = [("own", own), (colour, one.median - own)]
            label += f", of which {share:.0%} dispatch"
            last = f"{share:.0%}"
        rows += row(name, label, bars, one, longest, last)
    intro = (
        f"{content['listener']} gets {stream['wanted']} of {stream['events']} events, {stream['source']}. Medians for "
        "each event of the stream, those that the listener doesn't get included; the first bar is taken off from the "
        "others. The thin line is the 95 % interval of the median. The last column is the share of dispatch: building "
        "the event, finding the listener, the way to it. A publisher's part is what your application waits for."
    )
    key = {"floor": "a bare call", "own": "the listener's own work", "goanna": "with goanna", "stock": "without"}
    heading = f"<h2>{escape(content['listener'])}</h2>\n"
    return frame("What a listener costs", content, intro, key, heading + rows)

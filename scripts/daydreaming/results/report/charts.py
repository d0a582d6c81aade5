"""Drawings of scores, as SVG that is the same for the same scores."""

from __future__ import annotations

import io
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from daydreaming.inputs.records import Scale
from daydreaming.results.report.comparison import Comparison, Condition

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

# What is beyond is in the page's table; a drawing of it all would be too large to read.
MOST_PANELS = 12
MOST_CONDITIONS = 40

_BARS, _MEAN, _TEXT, _LINES = "#a9c4de", "#12385c", "#333333", "#d8d8d8"
_MOST_BARS = 20
_BAR_HEIGHT = 0.62  # of the distance between two conditions
_SETTINGS: dict[RcKeyType, object] = {
    "svg.fonttype": "none",  # text stays text: it is small, and can be searched and read aloud
    "svg.hashsalt": "daydreaming",  # the names of clip paths are random otherwise
    "font.family": ["DejaVu Sans", "sans-serif"],
    "font.size": 9,
    "text.color": _TEXT,
    "axes.labelcolor": _TEXT,
    "xtick.color": _TEXT,
    "ytick.color": _TEXT,
    "text.parse_math": False,
}


def import_packages() -> None:
    """Import what drawing needs before there is anything to draw: it takes half a second."""
    import matplotlib.backends.backend_svg
    import matplotlib.figure  # noqa: F401


def draw_distributions(comparisons: Sequence[Comparison]) -> str:
    """Draw how the scores of each condition are spread, a panel for each rubric and judge; return an <svg> element.

    Bars have heights in proportion to the share of the condition's scores, so that conditions of different n compare;
    below them are the mean and its 95% interval.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    shown = comparisons[:MOST_PANELS]
    steps = {one.scale: _bin_width(comparisons, one.scale) for one in shown}
    columns = min(2, len(shown))
    lines = math.ceil(len(shown) / columns)
    conditions = max(len(one.conditions[:MOST_CONDITIONS]) for one in shown)
    # Not pyplot: it keeps figures in global state, and this runs in a thread.
    with matplotlib.rc_context(_SETTINGS):
        size = (4.0 + 3.6 * (columns - 1) + 2.0, lines * (0.9 + 0.55 * conditions))
        figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.12))
        FigureCanvasSVG(figure)
        panels = list(figure.subplots(lines, columns, squeeze=False).flat)
        for panel, one in zip(panels, shown, strict=False):
            _draw_panel(panel, one, steps[one.scale])
        for empty in panels[len(shown) :]:
            empty.remove()
        return _svg(figure)


def _draw_panel(panel: Axes, comparison: Comparison, step: float) -> None:
    conditions = comparison.conditions[:MOST_CONDITIONS]
    panel.set_title(
        f"{comparison.evaluation_template}, judged by {comparison.evaluation_llm_model}",
        loc="left",
        fontsize=10,
        fontweight="bold",
        pad=8,
    )
    for place, condition in enumerate(conditions):
        _draw_condition(panel, -place, condition, step)
    lowest, highest = comparison.scale
    margin = 0.06 * (highest - lowest)
    panel.set_xlim(lowest - margin, highest + margin)
    panel.set_xticks(_ticks(comparison.scale))
    panel.set_ylim(0.35 - len(conditions), 0.85)
    labels = [f"{condition.generation_template}\n{condition.generation_model}" for condition in conditions]
    panel.set_yticks([-place for place in range(len(conditions))], labels)
    panel.tick_params(length=0)
    panel.grid(axis="x", color=_LINES, linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[:].set_visible(False)


def _draw_condition(panel: Axes, base: float, condition: Condition, step: float) -> None:
    missing = f"\n{condition.n_failed} without" if condition.n_failed else ""
    panel.text(1.01, base, f"n {len(condition.scores)}{missing}", transform=panel.get_yaxis_transform(), va="center")
    panel.axhline(base, color=_LINES, linewidth=0.6)
    if not condition.scores:
        return
    lowest = condition.scale.lowest
    bins = Counter(math.floor((score - lowest) / step + 0.5) for score in condition.scores)
    heights = [_BAR_HEIGHT * number / len(condition.scores) for number in bins.values()]
    panel.bar([lowest + place * step for place in bins], heights, bottom=base, width=0.8 * step, color=_BARS)
    estimate, below = condition.estimate, base - 0.14
    if estimate.interval is not None:
        panel.plot(estimate.interval, (below, below), color=_MEAN, linewidth=1.6, solid_capstyle="butt")
    if estimate.mean is not None:
        panel.plot([estimate.mean], [below], marker="o", markersize=4.5, color=_MEAN)


def _bin_width(comparisons: Iterable[Comparison], scale: Scale) -> float:
    """A twentieth of a scale; one point where all scores on it are whole numbers, and these are few."""
    whole = all(
        score.is_integer()
        for one in comparisons
        if one.scale == scale
        for condition in one.conditions
        for score in condition.scores
    )
    length = scale.highest - scale.lowest
    return 1.0 if whole and scale.lowest.is_integer() and length <= _MOST_BARS else length / _MOST_BARS


def _ticks(scale: Scale) -> list[float]:
    from matplotlib.ticker import MaxNLocator

    ticks = MaxNLocator(nbins=5, steps=[1, 2, 5, 10]).tick_values(*scale)
    return [float(tick) for tick in ticks if scale.lowest <= tick <= scale.highest]


def _svg(figure: Figure) -> str:
    text = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(text, format="svg", transparent=True, metadata=nothing)
    document = text.getvalue()
    return document[document.index("<svg") :]

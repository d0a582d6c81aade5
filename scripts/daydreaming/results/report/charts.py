"""The charts of the report. A name stands above its mark, so that there is room for both on a telephone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from daydreaming.results.report.drawing import INK, Drawing, draw

if TYPE_CHECKING:
    import altair as alt

# What is beyond is in the table below the chart: a drawing of it all would be too large to read.
MOST_MARKS = 30
_STEP = 40  # pixels from one line to the next
_LONGEST_NAME = 48


class Interval(NamedTuple):
    """A number with its 95% interval; None where there is none."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None


class Share(NamedTuple):
    """How large a share of the scores of one condition has a value."""

    condition: str
    score: float
    share: float


class Spot(NamedTuple):
    """How many scores lie at a length and a score."""

    length: float
    score: float
    scores: int


def draw_intervals(
    label: str, axis: str, marks: Sequence[Interval], *, scale: tuple[float, float] | None, line: float | None = None
) -> Drawing:
    """Draw numbers with their intervals, one below the other. `scale`: the axis' ends; None: what they need, with 0.

    A broken line stands at `line`, or at 0 without a scale.
    """
    import altair as alt

    place_of_line = 0.0 if scale is None else line

    rows = [
        {"place": place, **mark._asdict(), "name": _short(mark.name), "whole name": mark.name}
        for place, mark in enumerate(marks[:MOST_MARKS])
    ]
    domain = alt.Scale(domain=list(scale), nice=False) if scale else alt.Scale(zero=True)

    def chart(width: int) -> alt.TopLevelMixin:
        base = alt.Chart(alt.Data(values=rows))
        x = alt.X("value:Q", title=axis, scale=domain, axis=alt.Axis(tickCount=5 if width < 400 else 9))
        y = alt.Y("place:O", axis=None)
        told = [_told("whole name:N", ""), _told("value:Q", axis), _told("low:Q", "from"), _told("high:Q", "to")]
        lines = base.mark_rule(yOffset=8).encode(x=x.copy(), x2="high:Q", y=y, tooltip=told)
        lines.encoding.x.shorthand = "low:Q"
        marks = base.mark_point(yOffset=8).encode(x=x, y=y, tooltip=told)
        parts = [lines, marks, _names(base, y)]
        if place_of_line is not None:
            there = alt.Chart(alt.Data(values=[{"zero": place_of_line}]))
            broken = there.mark_rule(color=INK, strokeDash=[3, 3], strokeWidth=1)
            parts.insert(0, broken.encode(x=alt.X("zero:Q", title=axis)))
        return alt.layer(*parts).properties(width=width, height=_STEP * len(rows))

    return draw(label, chart)


def draw_bars(label: str, axis: str, values: Sequence[Interval]) -> Drawing:
    """Draw amounts as bars, one below the other."""
    import altair as alt

    rows = [
        {"place": place, "name": _short(one.name), "whole name": one.name, "value": one.value}
        for place, one in enumerate(values[:MOST_MARKS])
    ]

    def chart(width: int) -> alt.TopLevelMixin:
        base = alt.Chart(alt.Data(values=rows))
        y = alt.Y("place:O", axis=None)
        x = alt.X("value:Q", title=axis, axis=alt.Axis(tickCount=5 if width < 400 else 9))
        told = [_told("whole name:N", ""), _told("value:Q", axis)]
        bars = base.mark_bar(height=10, yOffset=8).encode(x=x, y=y, tooltip=told)
        return alt.layer(bars, _names(base, y)).properties(width=width, height=_STEP * len(rows))

    return draw(label, chart)


def draw_distributions(label: str, shares: Sequence[Share], step: float, scale: tuple[float, float]) -> Drawing:
    """Draw how the scores of each condition are spread: bars as high as the share of its scores at each value."""
    import altair as alt

    conditions = list(dict.fromkeys(one.condition for one in shares))[:MOST_MARKS]
    rows = [
        {
            "condition": _short(one.condition),
            "score": one.score,
            "from": one.score - 0.4 * step,
            "to": one.score + 0.4 * step,
            "share": one.share,
        }
        for one in shares
        if one.condition in conditions
    ]
    ends = [scale[0] - step / 2, scale[1] + step / 2]

    def chart(width: int) -> alt.TopLevelMixin:
        bars = alt.Chart(alt.Data(values=rows)).mark_bar()
        axis = alt.Axis(grid=False, tickCount=6 if width < 400 else 11)
        x = alt.X("from:Q", title="score", scale=alt.Scale(domain=ends, nice=False), axis=axis)
        header = alt.Header(title=None, labelOrient="top", labelAnchor="start", labelPadding=2)
        row = alt.Facet("condition:N", sort=[_short(one) for one in conditions], header=header)
        y = alt.Y("share:Q", axis=None)
        told = [_told("condition:N", ""), _told("score:Q", "score"), _told("share:Q", "share of the scores", ".1%")]
        panel = bars.encode(x=x, x2="to:Q", y=y, y2=alt.datum(0), tooltip=told).properties(width=width, height=44)
        return panel.facet(row, columns=1)

    return draw(label, chart)


def draw_lengths(label: str, spots: Sequence[Spot]) -> Drawing:
    """Draw scores against lengths; the larger a circle, the more scores lie there."""
    import altair as alt

    rows = [spot._asdict() for spot in spots]

    def chart(width: int) -> alt.TopLevelMixin:
        x = alt.X(
            "length:Q", title="length of the essay in characters", axis=alt.Axis(tickCount=4 if width < 400 else 8)
        )
        y = alt.Y("score:Q", title="score")
        size = alt.Size("scores:Q", legend=None, scale=alt.Scale(range=[15, 250]))
        told = [_told("length:Q", "length, about", ",.0f"), _told("score:Q", "score"), _told("scores:Q", "scores", ",")]
        circles = alt.Chart(alt.Data(values=rows)).mark_circle()
        return circles.encode(x=x, y=y, size=size, tooltip=told).properties(width=width - 30, height=260)

    return draw(label, chart)


def _told(field: str, title: str, form: str = ".2~f") -> Any:
    """What a chart says of a mark that somebody points at."""
    import altair as alt

    return (
        alt.Tooltip(field, title=title or "name")
        if field.endswith(":N")
        else alt.Tooltip(field, title=title, format=form)
    )


def _names(base: Any, y: Any) -> Any:
    import altair as alt

    return base.mark_text(align="left", yOffset=-8, color=INK).encode(x=alt.value(0), y=y, text="name:N")


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"

"""Charts as SVG that is the same for the same numbers, drawn for a telephone and for a wide page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt

    # From the width of the drawing's plane, in pixels, to the chart.
    Chart = Callable[[int], alt.TopLevelMixin]

NARROW, WIDE = 300, 640
# The page's style sheet knows these colours, and exchanges them in the dark.
INK, MARK, FAINT = "#1f2933", "#12508a", "#c4ccd4"
FONT = "system-ui, 'DejaVu Sans', sans-serif"
_VERSION = "6.4"  # of Vega-Lite: the one that Altair writes for


@dataclass(frozen=True, slots=True)
class Drawing:
    """One chart as two <svg> elements, of which the page shows the one that fits. `label` says what it shows."""

    label: str
    narrow: str
    wide: str


def draw(label: str, chart: Chart) -> Drawing:
    """Draw a chart at both widths. Texts stay texts: they can be searched and copied."""
    return Drawing(label, _svg(chart(NARROW)), _svg(chart(WIDE)))


def _svg(chart: Any) -> str:
    import vl_convert

    svg: str = vl_convert.vegalite_to_svg(chart.configure(**_settings()).to_dict(validate=False), vl_version=_VERSION)
    # The figure around it has the name; its numbers stand in a table.
    return svg.replace("<svg ", '<svg aria-hidden="true" ', 1)


def _settings() -> dict[str, Any]:
    text = {"labelColor": INK, "titleColor": INK, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"}
    return {
        "background": "transparent",
        "font": FONT,
        "aria": False,
        "axis": {**text, "gridColor": FAINT, "domainColor": FAINT, "tickColor": FAINT, "labelLimit": 0},
        "view": {"stroke": None},
        "header": text | {"labelFontWeight": "normal"},
        "text": {"color": INK, "fontSize": 12},
        "bar": {"color": MARK},
        "rule": {"color": MARK, "strokeWidth": 2},
        "point": {"color": MARK, "filled": True, "opacity": 1, "size": 55},
        "circle": {"color": MARK, "opacity": 1},
    }

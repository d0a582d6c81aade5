"""Charts as SVG that is the same for the same numbers, and to point at, for a telephone and for a wide page."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
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
_COPYRIGHT = "(c) University of Washington Interactive Data Lab and contributors, licence BSD-3-Clause"
_SCRIPT = Path(__file__).with_name("report.js")


@dataclass(frozen=True, slots=True)
class Drawing:
    """One chart as two <svg> elements, of which the page shows the one that fits. `label` says what it shows.

    `specifications` has both in the language of Vega-Lite, as JSON: what the page's script draws to be pointed at.
    """

    label: str
    narrow: str
    wide: str
    specifications: str


def draw(label: str, chart: Chart) -> Drawing:
    """Draw a chart at both widths. Texts stay texts: they can be searched and copied."""
    narrow, wide = (_specification(chart(width)) for width in (NARROW, WIDE))
    return Drawing(label, _svg(narrow), _svg(wide), _in_html({"narrow": narrow, "wide": wide}))


@cache
def chart_script() -> str:
    """The script that draws the specifications of a page, with the libraries that it needs (Vega, Vega-Lite, ...).

    They are those that `vl_convert` draws the SVG with. Whose they are stands at the script's beginning, as their
    licence asks.
    """
    import vl_convert

    script: str = vl_convert.javascript_bundle(_SCRIPT.read_text(encoding="utf-8"), vl_version=_VERSION)
    assert "</script" not in script and "<!--" not in script  # it would end there
    vega, embed = vl_convert.get_vega_version(), vl_convert.get_vega_embed_version()
    return f"/*! Vega {vega}, Vega-Lite {_VERSION}, Vega-Embed {embed}: {_COPYRIGHT} */\n{script}"


def _specification(chart: Any) -> dict[str, Any]:
    specification: dict[str, Any] = chart.configure(**_settings()).to_dict(validate=False)
    return specification


def _in_html(value: object) -> str:
    """JSON that ends no <script> element, whatever names it holds."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _svg(specification: dict[str, Any]) -> str:
    import vl_convert

    svg: str = vl_convert.vegalite_to_svg(specification, vl_version=_VERSION)
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

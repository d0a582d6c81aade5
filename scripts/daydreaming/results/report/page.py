"""The report as a page: one HTML file that loads nothing."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

from daydreaming.base import atomic
from daydreaming.base.amounts import counted, usd
from daydreaming.base.visible_text import visible
from daydreaming.generation.inspection import Inspection
from daydreaming.generation.study import Study
from daydreaming.results.report.answer import NEXT_USD
from daydreaming.results.report.content import ReportContent, gather_content
from daydreaming.results.report.drawing import chart_script
from daydreaming.results.report.parts import Link
from daydreaming.results.report.plots import write_plots
from daydreaming.results.score_table import ScoreRow
from daydreaming.results.statistics.table_names import TABLES
from daydreaming.results.verdicts.preference_tables import table_files
from daydreaming.results.verdicts.verdict_table import VerdictRow

_TEMPLATE = Path(__file__).with_name("report.html.jinja")
_STYLE = Path(__file__).with_name("report.css")


def write_report(
    study: Study,
    rows: Sequence[ScoreRow],
    inspection: Inspection | None = None,
    verdicts: Sequence[VerdictRow] = (),
) -> Path:
    """Write the report of a cohort whose tables have these scores and verdicts, whole or not at all; return its file.

    Its charts are written as files, too. `inspection`: a look at the cohort's texts, where there was one. The same data
    give the same page. Raises OSError.
    """
    path, content = study.cohort_files.report, gather_content(study, rows, inspection, verdicts)
    write_plots(study.cohort_files.plots, content.sections)
    atomic.write_text(path, report_page(content, path.parent, study.paths.root))
    return path


def report_page(content: ReportContent, folder: Path, data_root: Path) -> str:
    """Return the page. Its links to files below `data_root` are relative to `folder`, where the page is to lie."""
    from jinja2 import Environment, StrictUndefined

    # Texts of models and messages of providers are shown as they are, never taken for markup.
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_shown
    )
    environment.filters |= {
        "link": lambda path: quote(os.path.relpath(path, folder)),
        "below_data": lambda path: _below(Path(path), data_root),
        "moment": _moment,
        "figure": _figure,
        "usd": usd,
        "counted": counted,
    }
    environment.tests["link"] = lambda value: isinstance(value, Link)
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    style = _STYLE.read_text(encoding="utf-8")
    script = chart_script() if any(part.drawing for section in content.sections for part in section.parts) else ""
    return template.render(
        content=content,
        style=style,
        script=script,
        style_source=_source(style),
        script_source=_source(script) if script else "'none'",
        next_usd=f"{NEXT_USD:g}",
        tables=TABLES,
        preference_tables=[path.name for path in table_files(folder)] if content.verdicts.total else (),
    )


def _source(text: str) -> str:
    """What the page's policy calls an inline script or style that it allows."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _shown(value: Any) -> Any:
    """A value as the page has it: texts of others with marks for what cannot be seen."""
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _figure(value: float) -> str:
    """A number of a table: counts as they are, others with two decimals or, where they are small, two digits."""
    if isinstance(value, int) or (hasattr(value, "dtype") and value.dtype.kind in "iu"):
        return f"{value:,}"
    if value != value:
        return ""
    return f"{value:.2f}" if value == 0 or abs(value) >= 0.01 else f"{value:.2g}"


def _below(path: Path, data_root: Path) -> str:
    """A file's name as the page shows it: without the data root, which may be anywhere."""
    return path.relative_to(data_root).as_posix() if path.is_relative_to(data_root) else path.as_posix()


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"

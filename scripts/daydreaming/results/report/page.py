"""The report as a page: one HTML file without scripts, that loads nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from daydreaming.base import atomic
from daydreaming.base.amounts import counted, usd
from daydreaming.generation.study import Study
from daydreaming.results.report.content import ReportContent, gather_content
from daydreaming.results.score_table import ScoreRow

_TEMPLATE = Path(__file__).with_name("report.html.jinja")


def write_report(study: Study, rows: Sequence[ScoreRow]) -> Path:
    """Write the report of a cohort whose table of scores has these rows, whole or not at all; return its file.

    The same data give the same page. Raises OSError.
    """
    path = study.cohort_files.report
    atomic.write_text(path, report_page(gather_content(study, rows), path.parent, study.paths.root))
    return path


def report_page(content: ReportContent, folder: Path, data_root: Path) -> str:
    """Return the page. Its links to files below `data_root` are relative to `folder`, where the page is to lie."""
    from jinja2 import Environment, StrictUndefined

    from daydreaming.results.report.charts import MOST_CONDITIONS, MOST_PANELS, draw_distributions

    # Texts of models and messages of providers are shown as they are, never taken for markup.
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "link": lambda path: quote(os.path.relpath(path, folder)),
        "below_data": lambda path: _below(Path(path), data_root),
        "moment": _moment,
        "usd": usd,
        "counted": counted,
    }
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    drawing = draw_distributions(content.comparisons) if content.counts.scored else ""
    widest = max((len(one.conditions) for one in content.comparisons), default=0)
    is_cut = len(content.comparisons) > MOST_PANELS or widest > MOST_CONDITIONS
    limits = f"the first {MOST_CONDITIONS} rows of the first {MOST_PANELS} tables" if is_cut else ""
    return template.render(content=content, drawing=drawing, drawn_part=limits)


def _below(path: Path, data_root: Path) -> str:
    """A file's name as the page shows it: without the data root, which may be anywhere."""
    return path.relative_to(data_root).as_posix() if path.is_relative_to(data_root) else path.as_posix()


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"

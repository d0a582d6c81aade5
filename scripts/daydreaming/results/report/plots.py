"""The report's charts as files: SVG, a folder for each section, for papers and for Snakemake's own report."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from daydreaming.base import atomic
from daydreaming.results.report.drawing import Drawing
from daydreaming.results.report.parts import Section

_LONGEST_NAME = 100


def write_plots(folder: Path, sections: Sequence[Section]) -> None:
    """Write each chart to `<folder>/<section>/<what it shows>.svg`; drawings of charts that are no more go.

    Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plots = _plots(sections)
    for name, drawing in plots.items():
        atomic.write_text(folder / name, _as_file(drawing))
    for path in plot_files(folder):
        if path.relative_to(folder).as_posix() not in plots:
            path.unlink()


def plot_files(folder: Path) -> list[Path]:
    """The charts that were written to a folder."""
    return sorted(folder.glob("*/*.svg"))


def _plots(sections: Sequence[Section]) -> Mapping[str, Drawing]:
    plots: dict[str, Drawing] = {}
    for section in sections:
        for part in section.parts:
            if part.drawing is not None:
                name = re.sub(r"[^a-z0-9]+", "-", part.drawing.label.lower()).strip("-")[:_LONGEST_NAME]
                same = sum(one.startswith(f"{section.name}/{name}") for one in plots)
                plots[f"{section.name}/{name}{f'-{same + 1}' if same else ''}.svg"] = part.drawing
    return plots


def _as_file(drawing: Drawing) -> str:
    """The wide drawing on white, with its name for those who cannot see it."""
    begin, rest = drawing.wide.replace('aria-hidden="true"', 'role="img" style="background: white"', 1).split(">", 1)
    return f"{begin}><title>{escape(drawing.label)}</title>{rest}\n"

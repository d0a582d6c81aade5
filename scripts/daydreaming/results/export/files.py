"""The exported files of a cohort, each whole or not there at all."""

from __future__ import annotations

import json
from pathlib import Path

from daydreaming.base import atomic
from daydreaming.generation.inspection import Inspection
from daydreaming.generation.study import Study
from daydreaming.results.export.cohort_rows import cohort_rows
from daydreaming.results.export.columns import VERDICT_COLUMNS, chain_columns
from daydreaming.results.export.datasette import datasette_metadata
from daydreaming.results.export.parquet import write_parquet
from daydreaming.results.export.sqlite import write_sqlite


def export_cohort(study: Study, folder: Path | None = None, inspection: Inspection | None = None) -> list[Path]:
    """Write a cohort as Parquet, as SQLite, and what Datasette is told of it; return the files in this order.

    Where its study compares texts, a Parquet file of the verdicts comes last. They say what is on the disk now, with
    the state of each text. The same files give the same bytes. `folder` is that of the cohort's exports if it is not
    given, `inspection` a look at the cohort's texts, where there was one. Raises InputError for a template or a
    description that cannot be read, OSError when the disk refuses: each file is then as it was, or new and whole.
    """
    files = study.cohort_files
    targets = [files.parquet, files.sqlite, files.datasette, files.verdicts_parquet]
    if folder is not None:
        targets = [folder / target.name for target in targets]
    rows = cohort_rows(study, inspection)
    with atomic.replacing(targets[0]) as temporary:
        write_parquet(temporary, rows.chains(), chain_columns(rows.stages))
    with atomic.replacing(targets[1]) as temporary:
        write_sqlite(temporary, rows.tables, rows.stages)
    metadata = json.dumps(datasette_metadata(rows.cohort_id, rows.stages), indent=2, ensure_ascii=False)
    atomic.write_text(targets[2], f"{metadata}\n")
    if not rows.stages.comparing:
        # A study that compared texts once has left one.
        targets.pop().unlink(missing_ok=True)
        return targets
    with atomic.replacing(targets[3]) as temporary:
        write_parquet(temporary, rows.judged_pairs(), VERDICT_COLUMNS)
    return targets

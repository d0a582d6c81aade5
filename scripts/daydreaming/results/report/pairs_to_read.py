"""The pairs of texts that are most worth reading: those on which verdicts contradict each other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

from daydreaming.base.amounts import counted
from daydreaming.generation.study import Study
from daydreaming.results.report.essays import concept_names
from daydreaming.results.report.parts import Link, Part, Table
from daydreaming.results.verdicts.verdict_table import VerdictRow

MOST_PAIRS = 10


def pairs_to_read(study: Study, rows: Sequence[VerdictRow], title: str) -> Iterator[Part]:
    """The pairs of one question whose verdicts name either text most evenly; nothing where all verdicts agree."""
    by_pair: dict[frozenset[str], list[VerdictRow]] = defaultdict(list)
    for row in rows:
        by_pair[frozenset((row.essay_a, row.essay_b))].append(row)
    found = [
        (min(counts["one"], counts["other"]), one, counts) for own in by_pair.values() for one, counts in [_count(own)]
    ]
    split = sorted((entry for entry in found if entry[0]), key=itemgetter(0), reverse=True)
    cells: list[tuple[Any, ...]] = [
        (_page(study, one), one.model_a, one.model_b, counts["one"], counts["tie"], counts["other"], counts["failed"])
        for _, one, counts in split[:MOST_PAIRS]
    ]
    if cells:
        about = (
            f"Each text got verdicts on {len(split):,} of {counted(len(found), 'pair')}; these are split most evenly."
        )
        headings = ("Concepts", "One, by", "The other, by", "For the one", "Ties", "For the other", "Failed")
        yield Part(title, None, Table(title, headings, cells), f"{about} Links work beside the folder read/.")


def _count(rows: Sequence[VerdictRow]) -> tuple[VerdictRow, Counter[str]]:
    """The first row of a pair, and how many verdicts are for its first text, the other, neither; how many failed."""
    first = rows[0]
    counts: Counter[str] = Counter()
    for row in rows:
        if row.verdict in ("A", "B"):
            winner = row.essay_a if row.verdict == "A" else row.essay_b
            counts["one" if winner == first.essay_a else "other"] += 1
        else:
            counts[row.verdict or "failed"] += 1
    return first, counts


def _page(study: Study, row: VerdictRow) -> Link:
    files = study.cohort_files
    folder = files.reading_pages.relative_to(files.reports).as_posix()
    words = " + ".join(concept_names(study, row.combo_id))
    return Link(words, f"{folder}/compare.html#essays={row.essay_a},{row.essay_b}")

"""What the report says of people's scores: how far each judge agrees with each reader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from daydreaming.base.amounts import counted
from daydreaming.results.report.charts import Interval, draw_intervals
from daydreaming.results.report.parts import Part, Table, cut_note, ends_of, rows_of
from daydreaming.results.score_table import READER
from daydreaming.results.statistics.agreement import DIFFERENCE
from daydreaming.results.statistics.readers import IMPRESSION_FIGURE, is_reader

if TYPE_CHECKING:
    import pandas as pd

    from daydreaming.results.statistics.analysis import Analysis

MOST_SENTENCES = 8
_HEADINGS = ("Rubric", "Judge", "Reader", "Figure", "Value", "Low", "High", "Essays", "Combos", "Note")
_COLUMNS = ["rubric", "judge_a", "judge_b", "figure", "value", "low", "high", "n_essays", "n_combos", "note"]


def readers_in_words(analysis: Analysis) -> list[str]:
    """For each rubric, judge and reader how far they agree, in a sentence; the first of them where there are many."""
    table = _judges_beside_readers(analysis)
    sentences = [
        _sentence(str(rubric), str(judge), str(reader).removeprefix(READER), own)
        for (rubric, judge, reader), own in table.groupby(["rubric", "judge_a", "judge_b"], sort=False)
    ]
    if len(sentences) <= MOST_SENTENCES:
        return sentences
    more = f"{len(sentences) - MOST_SENTENCES:,} more pairs of judge and reader are in the table of judges and readers."
    return [*sentences[:MOST_SENTENCES], more]


def readers_part(analysis: Analysis) -> Iterator[Part]:
    """Judges beside readers: the differences of their scores drawn, all figures as a table. None without readers."""
    agreement = analysis.agreement
    table = agreement[agreement.judge_b.map(is_reader)]
    figures = analysis.judges[analysis.judges.judge.map(is_reader)]
    outdated = int(figures.groupby(["judge", "rubric"]).n_failed.first().sum())
    if not len(figures):
        return
    bias = table[(table.figure == DIFFERENCE) & table.value.notna()]
    biases: list[Any] = list(bias.itertuples())
    marks = [
        Interval(f"{row.judge_a} − {_name(row.judge_b)} ({row.rubric})", row.value, *ends_of(row.low, row.high))
        for row in biases
    ]
    drawing = draw_intervals("Judges less readers, on the same essays", "points", marks, scale=None) if marks else None
    notes = [cut_note(marks)]
    if outdated:
        notes.append(f"{counted(outdated, 'score')} of readers left out: of a text that is not the essay's any more.")
    shown = table.assign(judge_b=table.judge_b.map(_name)).replace({"figure": {DIFFERENCE: "judge less reader"}})
    numbers = Table("Judges and readers", _HEADINGS, rows_of(shown, _COLUMNS)) if len(table) else None
    yield Part("Judges and readers", drawing, numbers, " ".join(filter(None, notes)))


def _judges_beside_readers(analysis: Analysis) -> pd.DataFrame:
    agreement = analysis.agreement
    return agreement[agreement.judge_b.map(is_reader) & ~agreement.judge_a.map(is_reader)]


def _sentence(rubric: str, judge: str, reader: str, own: pd.DataFrame) -> str:
    figures: dict[str, Any] = {str(row.figure): row for row in own.itertuples()}
    impression = figures.get(IMPRESSION_FIGURE)
    if impression is not None:
        ranks = f"scores by {judge} and the own impression of reader {reader}"
        return f"By {rubric}, {ranks}, {_essays(impression)}, have {_ranks(impression)}."
    bias = figures[DIFFERENCE]
    given = (
        "gave as many points as"
        if bias.value == 0
        else f"gave {abs(bias.value):.2f} points {'more' if bias.value > 0 else 'less'} than"
    )
    interval = f"95% interval of the difference {bias.low:.2f} to {bias.high:.2f}, " if bias.low == bias.low else ""
    return (
        f"By {rubric}, {judge} {given} reader {reader} ({interval}{_essays(bias)}); "
        f"they have {_ranks(figures['rank correlation'])}."
    )


def _essays(row: Any) -> str:
    return f"{counted(int(row.n_essays), 'essay')} of {counted(int(row.n_combos), 'combo')}"


def _ranks(row: Any) -> str:
    return (
        "no rank correlation that can be told" if row.value != row.value else f"a rank correlation of {row.value:.2f}"
    )


def _name(judge: str) -> str:
    return judge.replace(READER, "reader ")

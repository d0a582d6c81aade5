"""What the report shows of judges who compared two texts: who wins, and what besides the text decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from daydreaming.generation.study import Study
from daydreaming.results.report.charts import Interval, draw_intervals
from daydreaming.results.report.pairs_to_read import pairs_to_read
from daydreaming.results.report.parts import Part, Section, Table, cut_note, ends_of, rows_of
from daydreaming.results.verdicts.verdict_table import VerdictRow

if TYPE_CHECKING:
    import pandas as pd

    from daydreaming.results.statistics.preferences.analysis import PreferenceAnalysis
    from daydreaming.results.verdicts.preference_tables import CohortPreferences

_ABOUT = (
    "Each judge was shown two texts of one combo and asked which is better. Intervals are 95%, combos are the sample. "
    "A win is a point, a tie half a point; a judgement that failed counts for nothing. docs/preferences.md explains "
    "the figures."
)
_ORDER_FIGURES = {
    "flips with the order": "opposite verdicts in the two orders",
    "first both times": "always the first one",
    "second both times": "always the second one",
    "tie in one order only": "a tie in one order only",
    "first preferred": "the first one, of all wins",
    "cyclic triads": "circles of three texts, of all threes",
}
_PERCENT = (0.0, 100.0)
_EVEN = 50.0
_COLUMNS_OF_SHARES = ("Value (%)", "Low", "High", "Points or cases", "of", "Combos", "Note")


def preference_section(study: Study, rows: Sequence[VerdictRow], preferences: CohortPreferences) -> Section:
    """The section of a cohort's verdicts, of which there is at least one row."""
    parts: list[Part] = []
    for question, analysis in preferences.analyses.items():
        own = [row for row in rows if row.question == question]
        name = preferences.name_of(question) if len(preferences.analyses) > 1 else ""
        parts += _of_question(name, analysis)
        parts += pairs_to_read(study, own, _titled("Pairs to read", name))
    return Section("preferences", "Two texts compared", _ABOUT, parts)


def _of_question(name: str, analysis: PreferenceAnalysis) -> Iterator[Part]:
    yield _strengths(name, analysis.strengths)
    yield _differences(name, analysis.differences)
    yield _win_rates(name, analysis.win_rates)
    yield _order(name, analysis.consistency)
    yield _length(name, analysis.longer)
    if len(analysis.own_model):
        yield _own_model(name, analysis.own_model)
    if len(analysis.agreement):
        yield _agreement(name, analysis.agreement)


def _strengths(name: str, table: pd.DataFrame) -> Part:
    told = table[(table.figure == "strength") & (table.judge == "") & table.value.notna()]
    marks = [
        Interval(str(row.level), row.value, *ends_of(row.low, row.high))
        for row in _each(told.sort_values("value", ascending=False))
    ]
    headings = ("Judge", "Figure", "Model", "Value", "Low", "High", "Verdicts", "Ties", "Failed", "Combos", "Note")
    columns = [
        "judge", "figure", "level", "value", "low", "high", "n_verdicts", "n_ties", "n_failed", "n_combos", "note",
    ]  # fmt: skip
    title = _titled("Strengths of models", name)
    note = (
        "Log-odds around a mean of 0, with the effect of standing first taken out. Intervals of two models do not tell "
        "whether they differ: the differences below do."
    )
    return _drawn(title, "log-odds", marks, Table(title, headings, rows_of(table, columns)), note=note)


def _differences(name: str, table: pd.DataFrame) -> Part:
    told = table[(table.judge == "") & table.difference.notna()]
    marks = [
        Interval(f"{row.model_a} − {row.model_b}", row.difference, *ends_of(row.low, row.high)) for row in _each(told)
    ]
    headings = ("Judge", "First", "less", "Difference", "Low", "High", "p (Holm)", "Verdicts", "Combos", "Note")
    columns = ["judge", "model_a", "model_b", "difference", "low", "high", "p_holm", "n_verdicts", "n_combos", "note"]
    title = _titled("Differences of strengths", name)
    return _drawn(title, "log-odds", marks, Table(title, headings, rows_of(table, columns)))


def _win_rates(name: str, table: pd.DataFrame) -> Part:
    marks = []
    for row in _each(table[(table.judge == "") & (table.opponent == "")]):
        marks.append(_share(str(row.model), row.value, row.low, row.high))
        limits = (row.at_equal_length_low, row.at_equal_length_high)
        marks.append(_share(f"{row.model}, at equal length", row.at_equal_length, *limits))
    headings = ("Judge", "Model", "Against", *_COLUMNS_OF_SHARES, "At equal length (%)", "Low", "High", "Failed")
    rows = [
        (
            row.judge, row.model, row.opponent or "all others", *_share_cells(row), _percent(row.at_equal_length),
            _percent(row.at_equal_length_low), _percent(row.at_equal_length_high), row.n_failed,
        )
        for row in _each(table)
    ]  # fmt: skip
    title = _titled("Win rates", name)
    return _drawn(title, "% of the points", marks, Table(title, headings, rows), even=True)


def _order(name: str, table: pd.DataFrame) -> Part:
    own = table[(table.judge == "") & table.figure.isin(_ORDER_FIGURES)]
    marks = [_share(_ORDER_FIGURES[str(row.figure)], row.value, row.low, row.high) for row in _each(own)]
    title = _titled("Order, ties and circles", name)
    rows = [(row.judge, row.figure, *_share_cells(row), row.n_left_out) for row in _each(table)]
    headings = ("Judge", "Figure", *_COLUMNS_OF_SHARES, "Left out")
    note = (
        "The first four are of pairs that one judge saw in both orders. Of random verdicts one circle in four closes."
    )
    return _drawn(title, "%", marks, Table(title, headings, rows), note=note)


def _length(name: str, table: pd.DataFrame) -> Part:
    marks = []
    for row in _each(table):
        by = f", by {row.judge}" if row.judge else ""
        marks.append(_share(f"the longer text{by}", row.value, row.low, row.high))
        limits = (row.of_equal_strength_low, row.of_equal_strength_high)
        marks.append(_share(f"of equal strength{by}", row.of_equal_strength, *limits))
    headings = ("Judge", *_COLUMNS_OF_SHARES, "Of equal strength (%)", "Low", "High", "Characters apart")
    rows = [
        (
            row.judge, *_share_cells(row), _percent(row.of_equal_strength), _percent(row.of_equal_strength_low),
            _percent(row.of_equal_strength_high), row.characters,
        )
        for row in _each(table)
    ]  # fmt: skip
    title = _titled("The longer text", name)
    note = (
        "Longer texts may be better ones. “Of equal strength” is what the longer of two texts would get if their "
        "models were as strong."
    )
    return _drawn(title, "% of the points", marks, Table(title, headings, rows), even=True, note=note)


def _own_model(name: str, table: pd.DataFrame) -> Part:
    shares = table[table.figure != "own less others"]
    marks = [_share(f"{row.judge}{_as(row)}: {row.figure}", row.value, row.low, row.high) for row in _each(shares)]
    headings = ("Judge", "Writes as", "Figure", *_COLUMNS_OF_SHARES)
    rows = [(row.judge, row.model, row.figure, *_share_cells(row)) for row in _each(table)]
    title = _titled("A judge's own texts", name)
    note = (
        "The model may be the better one: what counts is “own less others”, the difference from the other judges of "
        "the same pairs."
    )
    return _drawn(title, "% of the points", marks, Table(title, headings, rows), even=True, note=note)


def _agreement(name: str, table: pd.DataFrame) -> Part:
    marks = [
        Interval(row.judge or "all judges", row.value, *ends_of(row.low, row.high))
        for row in _each(table[table.value.notna()])
    ]
    headings = ("Judge", "Figure", "Value", "Low", "High", "Agree", "Contradict", "Pairs", "No score", "Combos", "Note")
    columns = [
        "judge", "figure", "value", "low", "high", "n_agree", "n_contradict", "n_pairs", "n_without_score", "n_combos",
        "note",
    ]  # fmt: skip
    title = _titled("Agreement of verdicts with scores", name)
    return _drawn(title, "Kendall's tau-b", marks, Table(title, headings, rows_of(table, columns)))


def _drawn(
    title: str, axis: str, marks: Sequence[Interval], table: Table, *, even: bool = False, note: str = ""
) -> Part:
    """A part with its chart; shares in percent have a scale from 0 to 100, with a line in the middle where `even`."""
    told = [mark for mark in marks if mark.value == mark.value]
    scale = _PERCENT if axis.startswith("%") else None
    drawing = draw_intervals(title, axis, told, scale=scale, line=_EVEN if even else None) if told else None
    return Part(title, drawing, table, " ".join(filter(None, (note, cut_note(told)))))


def _each(table: pd.DataFrame) -> list[Any]:
    return list(table.itertuples())


def _titled(title: str, name: str) -> str:
    return f"{title}: {name}" if name else title


def _share(name: str, value: float, low: float, high: float) -> Interval:
    return Interval(name, 100 * value, *ends_of(100 * low, 100 * high))


def _share_cells(row: Any) -> tuple[Any, ...]:
    shares = (_percent(row.value), _percent(row.low), _percent(row.high))
    return *shares, row.numerator, row.denominator, row.n_combos, row.note


def _percent(share: float) -> float:
    return 100 * share


def _as(row: Any) -> str:
    return "" if row.judge == row.model else f" (as {row.model})"

"""What the report says of comparisons of two texts in its first sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from daydreaming.base.amounts import counted
from daydreaming.results.report.answer import SIGNIFICANT

if TYPE_CHECKING:
    from daydreaming.results.statistics.preferences.analysis import PreferenceAnalysis
    from daydreaming.results.verdicts.preference_tables import CohortPreferences

_FEW_MODELS = 4


def preferences_in_words(preferences: CohortPreferences) -> list[str]:
    """For each question: which model is ahead and by how much, and how many verdicts flip with the order.

    "Ahead" is a model whose difference in strength from each other model has Holm's p below 5%.
    """
    sentences: list[str] = []
    for question, analysis in preferences.analyses.items():
        name = preferences.name_of(question)
        sentences += [*_of_models(name, analysis), *_of_flips(name, analysis)]
    return sentences


def _of_models(name: str, analysis: PreferenceAnalysis) -> Iterator[str]:
    strengths = analysis.strengths[(analysis.strengths.judge == "") & (analysis.strengths.figure == "strength")]
    told = strengths.dropna(subset="value").sort_values("value", ascending=False)
    if told.empty:
        notes = dict.fromkeys(strengths.note)
        yield from (f"By {name}, strengths of models {note}." for note in notes)
        return
    best = str(told.level.iloc[0])
    differences = analysis.differences[analysis.differences.judge == ""].dropna(subset="low")
    own = [_from(best, row) for row in differences.itertuples() if best in (row.model_a, row.model_b)]
    behind = [other for other, *_, p in own if p < SIGNIFICANT]
    if len(told) > _FEW_MODELS:
        others = [level for level in told.level.iloc[1:] if level not in behind]
        ties = f" It cannot be told from {', '.join(others)}." if others else ""
        yield f"By {name}, {best} is preferred most of {len(told)} models; {len(behind)} are behind it.{ties}"
        return
    for other, difference, low, high, n_combos, p in own:
        by = f"by {difference:.2f} in log-odds (95% interval {low:.2f} to {high:.2f}, {n_combos} combos)"
        rate = _rate(analysis, best, other)
        if p < SIGNIFICANT:
            yield f"By {name}, {best} is preferred to {other} {by}{rate}."
        else:
            yield f"By {name}, {best} and {other} cannot be told apart: the first is ahead {by}{rate}."


def _rate(analysis: PreferenceAnalysis, model: str, opponent: str) -> str:
    """The win rate between two models; of two models in all it is that against all others."""
    table = analysis.win_rates
    against = table.opponent.isin([opponent]) if table.opponent.any() else table.opponent == ""
    rows: list[Any] = list(table[(table.judge == "") & (table.model == model) & against].itertuples())
    if not rows or rows[0].value != rows[0].value:
        return ""
    points = f"{100 * rows[0].value:.1f}% of the points of {counted(int(rows[0].denominator), 'verdict')} between them"
    adjusted = rows[0].at_equal_length
    return f"; it gets {points}" + ("" if adjusted != adjusted else f", at equal length {100 * adjusted:.1f}%")


def _of_flips(name: str, analysis: PreferenceAnalysis) -> Iterator[str]:
    table = analysis.consistency
    rows: list[Any] = list(table[(table.judge == "") & (table.figure == "flips with the order")].itertuples())
    for row in rows:
        if not row.denominator:
            return
        interval = "" if row.low != row.low else f", 95% interval {100 * row.low:.1f}% to {100 * row.high:.1f}%"
        pairs = f"{int(row.numerator):,} of {int(row.denominator):,} pairs ({100 * row.value:.1f}%{interval})"
        yield f"By {name}, {pairs} that a judge saw in both orders got opposite verdicts."


def _from(best: str, row: Any) -> tuple[str, float, float, float, int, float]:
    """A difference as the best model less the other."""
    if row.model_a == best:
        return row.model_b, row.difference, row.low, row.high, int(row.n_combos), row.p_holm
    return row.model_a, -row.difference, -row.high, -row.low, int(row.n_combos), row.p_holm

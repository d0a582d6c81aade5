"""The report's beginning: what its statistics say, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from daydreaming.results.statistics.score_columns import ESSAY_FACTORS

if TYPE_CHECKING:
    import pandas as pd

    from daydreaming.results.statistics.analysis import Analysis

WORDS = {
    "draft_template": "draft template",
    "generation_template": "essay template",
    "generation_model": "generation model",
    "evaluation_template": "rubric",
    "evaluation_llm_model": "judge",
}
SIGNIFICANT = 0.05
NEXT_USD = 5.0


def comparisons_in_words(analysis: Analysis) -> list[str]:
    """For each factor of essays and each rubric: which level is ahead and by how much, or that none is.

    "Ahead" is a level whose difference from each other level has Holm's p below 5%.
    """
    return [
        sentence
        for factor in ESSAY_FACTORS
        for rubric in dict.fromkeys(analysis.levels.rubric)
        if rubric
        for sentence in _of_factor(analysis, factor, rubric)
    ]


def untold_in_words(analysis: Analysis) -> list[str]:
    """What the comparisons of the cohort cannot tell, each reason once."""
    untold = analysis.contrasts[analysis.contrasts.method == "none"]
    return [f"{WORDS[str(row.factor)]}: {row.note}." for row in untold.drop_duplicates(["factor", "note"]).itertuples()]


def purchases_in_words(analysis: Analysis) -> list[str]:
    """For each factor: the change that narrows its comparison most for at most NEXT_USD; "" where none has a price."""
    design = analysis.design
    sentences = []
    for factor in ESSAY_FACTORS:
        own = design[(design.factor == factor) & design.half_width.notna()]
        now = own[own.change == "as it is"]
        more = own[(own.change != "as it is") & (own.price_usd <= NEXT_USD)].sort_values(["half_width", "price_usd"])
        if now.empty or more.empty or not more.half_width.iloc[0] < now.half_width.iloc[0]:
            continue
        best, before = more.iloc[0], now.half_width.iloc[0]
        sentences.append(
            f"{best.change} for {best.price_usd:.2f} USD would bring comparisons of {WORDS[factor]}s "
            f"from ±{before:.2f} to ±{best.half_width:.2f}."
        )
    return sentences


def _of_factor(analysis: Analysis, factor: str, rubric: str) -> Iterator[str]:
    levels = _over_judges(analysis.levels, factor, rubric).dropna(subset="mean").sort_values("mean", ascending=False)
    contrasts = _over_judges(analysis.contrasts, factor, rubric).dropna(subset=["difference", "low"])
    if len(levels) < 2 or contrasts.empty:
        return
    best = levels.level.iloc[0]
    own = [_from(best, row) for row in contrasts.itertuples() if best in (row.level_a, row.level_b)]
    behind = [other for other, *_, p in own if p < SIGNIFICANT]
    others = [level for level in levels.level.iloc[1:] if level not in behind]
    for other, difference, low, high, n_combos, p in own:
        by = f"{difference:.2f} points (95% interval {low:.2f} to {high:.2f}, {n_combos} combos)"
        if p < SIGNIFICANT and len(levels) <= 4:
            yield f"By {rubric}, {best} is ahead of {other} by {by}."
        elif len(levels) <= 4:
            yield f"By {rubric}, {best} and {other} cannot be told apart: the difference is {by}."
    if len(levels) > 4:
        ties = f" It cannot be told from {', '.join(others)}." if others else ""
        ahead = f"By {rubric}, {best} has the highest mean of {len(levels)} {WORDS[factor]}s"
        yield f"{ahead}; {len(behind)} are behind it.{ties}"


def _from(best: str, row: Any) -> tuple[str, float, float, float, int, float]:
    """A contrast as the best level less the other."""
    if row.level_a == best:
        return row.level_b, row.difference, row.low, row.high, int(row.n_combos), row.p_holm
    return row.level_a, -row.difference, -row.high, -row.low, int(row.n_combos), row.p_holm


def _over_judges(table: pd.DataFrame, factor: str, rubric: str) -> pd.DataFrame:
    return table[(table.factor == factor) & (table.rubric == rubric) & (table.judge == "")]

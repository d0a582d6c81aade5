"""The one door to the statistics of pairwise judging: from verdicts to tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from daydreaming.results.statistics.preferences.biases import longer_preferred, own_model_preferred
from daydreaming.results.statistics.preferences.consistency import consistency
from daydreaming.results.statistics.preferences.differences import strength_differences
from daydreaming.results.statistics.preferences.score_agreement import score_agreement
from daydreaming.results.statistics.preferences.strengths import essay_strengths, strengths
from daydreaming.results.statistics.preferences.table_names import TABLES
from daydreaming.results.statistics.preferences.verdicts import Comparisons, Verdict, read_verdicts
from daydreaming.results.statistics.preferences.win_rates import win_rates

if TYPE_CHECKING:
    import pandas as pd


class PreferenceAnalysis:
    """The statistics of verdicts as data frames, each computed when it is first asked for (docs/preferences.md)."""

    def __init__(
        self,
        comparisons: Comparisons,
        scores: Mapping[str, float],
        own_models: Mapping[str, Collection[str]] | None = None,
    ):
        self._comparisons = comparisons
        self._scores = scores
        self._own_models = {name: (name,) for name in comparisons.judges} if own_models is None else own_models

    @cached_property
    def win_rates(self) -> pd.DataFrame:
        """Each model against all others and each of them, raw and at equal length."""
        return win_rates(self._comparisons)

    @cached_property
    def strengths(self) -> pd.DataFrame:
        """Strengths of models, position effect and ties by Davidson's model."""
        return strengths(self._comparisons)

    @cached_property
    def differences(self) -> pd.DataFrame:
        """The difference of the strengths of each two models, its interval and p."""
        return strength_differences(self._comparisons)

    @cached_property
    def essays(self) -> pd.DataFrame:
        """Points and strength of each essay in its combo."""
        return essay_strengths(self._comparisons)

    @cached_property
    def consistency(self) -> pd.DataFrame:
        """Verdicts that flip with the order, and cyclic triads."""
        return consistency(self._comparisons)

    @cached_property
    def longer(self) -> pd.DataFrame:
        """Whether judges prefer the longer text."""
        return longer_preferred(self._comparisons)

    @cached_property
    def own_model(self) -> pd.DataFrame:
        """Whether judges prefer their own model's text."""
        return own_model_preferred(self._comparisons, self._own_models)

    @cached_property
    def agreement(self) -> pd.DataFrame:
        """Whether verdicts order essays as scores do; without a row where no scores were given."""
        table = score_agreement(self._comparisons, self._scores)
        return table if self._scores else table.head(0)

    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables by name."""
        return {name: getattr(self, name) for name in TABLES}


def analyse_preferences(
    verdicts: pd.DataFrame | Iterable[Verdict],
    scores: Mapping[str, float] | None = None,
    own_models: Mapping[str, Collection[str]] | None = None,
) -> PreferenceAnalysis:
    """Analyse verdicts, as records or as a data frame of their columns; `scores` has the mean score of each essay.

    `own_models` has for each judge the ids by which the same model writes; without it, each judge's own id.

    Raises InputError for a table that is not one of verdicts (`verdicts.read_verdicts`).
    """
    return PreferenceAnalysis(read_verdicts(verdicts), scores or {}, own_models)

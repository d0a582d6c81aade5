"""The one door to the statistics: from the table of scores of a cohort to the tables of its results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from daydreaming.base import atomic
from daydreaming.results.score_table import COLUMNS
from daydreaming.results.statistics.agreement import agreement
from daydreaming.results.statistics.components import MixedFit, components, fit_components
from daydreaming.results.statistics.contrasts import contrasts
from daydreaming.results.statistics.design_study import Prices
from daydreaming.results.statistics.design_table import design, prices_of
from daydreaming.results.statistics.interactions import interactions
from daydreaming.results.statistics.judges import judges
from daydreaming.results.statistics.levels import levels
from daydreaming.results.statistics.observations import Observations, read_observations
from daydreaming.results.statistics.ranking import ranking
from daydreaming.results.statistics.readers import reader_agreement, reader_figures
from daydreaming.results.statistics.table_names import TABLES

if TYPE_CHECKING:
    import pandas as pd

    from daydreaming.results.score_table import ScoreRow


class Analysis:
    """The statistics of one table of scores as data frames, each computed when it is first asked for.

    docs/results.md explains every figure: its meaning, when not to trust it, its formula and its reference.
    """

    def __init__(self, observations: Observations, prices: Prices, *, pool: bool, read: Observations | None = None):
        self._observations = observations
        self._read = read  # with the scores of readers
        self._prices = prices
        self._pool = pool

    @cached_property
    def contrasts(self) -> pd.DataFrame:
        """All pairs of levels of each factor: difference, interval, p, Holm's p."""
        return contrasts(self._observations)

    @cached_property
    def levels(self) -> pd.DataFrame:
        """The mean of each level of each factor, and which levels may be the best."""
        return levels(self._observations, self.contrasts)

    @cached_property
    def ranking(self) -> pd.DataFrame:
        """Essays and paths in the order of their means."""
        return ranking(self._observations, pool=self._pool)

    @cached_property
    def components(self) -> pd.DataFrame:
        """Variance components."""
        return components(self._observations, self.contrasts, self._fit)

    @cached_property
    def design(self) -> pd.DataFrame:
        """What more combos, essays, judgements and judges would bring, and cost."""
        return design(self._observations, self.contrasts, self._fit, self._prices)

    @cached_property
    def judges(self) -> pd.DataFrame:
        """Each judge by itself, then each reader."""
        return self._with_readers(judges(self._observations), reader_figures)

    @cached_property
    def agreement(self) -> pd.DataFrame:
        """Whether judges agree, and each of them with each reader."""
        return self._with_readers(agreement(self._observations), reader_agreement)

    @cached_property
    def interactions(self) -> pd.DataFrame:
        """Whether judges prefer different generators."""
        return interactions(self._observations)

    def _with_readers(self, table: pd.DataFrame, of_readers: Callable[[Observations], pd.DataFrame]) -> pd.DataFrame:
        import pandas as pd

        more = table.head(0) if self._read is None else of_readers(self._read)
        return pd.concat([table, more], ignore_index=True) if len(more) else table

    @cached_property
    def _fit(self) -> MixedFit | None:
        return fit_components(self._observations)

    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables by name."""
        return {name: getattr(self, name) for name in TABLES}

    def write(self, folder: Path) -> list[Path]:
        """Write each table to `<folder>/<name>.csv`, whole or not at all, and return the paths. Raises OSError."""
        texts = {folder / f"{name}.csv": table.to_csv(index=False) for name, table in self.tables().items()}
        for path, text in texts.items():
            atomic.write_text(path, text)
        return list(texts)


def analyse(
    scores: pd.DataFrame,
    costs: Mapping[str, float] | None = None,
    *,
    pool: bool = False,
    readers: pd.DataFrame | None = None,
) -> Analysis:
    """Analyse the data frame of a `parsed_scores.csv`.

    `costs` has the mean price in USD of a generation of the stages `draft`, `essay` and `evaluation`; what it does not
    have comes from the columns `essay_cost_usd` and `evaluation_cost_usd`, where the table has them. `pool` adds a
    ranking over all rubrics and judges, after centring. `readers` has scores that people gave, as further rows with
    `reader:<name>` as `evaluation_llm_model`: judges are compared with them, and no other figure is made from them.
    Raises InputError for a table that is not one of scores, ValueError for costs of another stage.
    """
    import pandas as pd

    observations = read_observations(scores)
    read = None if readers is None or readers.empty else read_observations(pd.concat([scores, readers]))
    return Analysis(observations, prices_of(observations, costs), pool=pool, read=read)


def analyse_rows(
    rows: Sequence[ScoreRow],
    costs: Mapping[str, float] | None = None,
    *,
    pool: bool = False,
    readers: Sequence[ScoreRow] = (),
) -> Analysis:
    """Analyse the rows of a table of scores, and those of people's scores, as `analyse` does their data frames."""
    return analyse(_frame(rows), costs, pool=pool, readers=_frame(readers))


def _frame(rows: Sequence[ScoreRow]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({column: [getattr(row, column) for row in rows] for column in COLUMNS})

"""The data of a cohort as data frames, for notebooks."""

from __future__ import annotations

from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING

from daydreaming.base.errors import Fault, InputError
from daydreaming.results.export.cohort_rows import CohortRows, Row
from daydreaming.results.export.columns import VERDICT_COLUMNS, Column, Kind, chain_columns, tables_of
from daydreaming.results.score_table import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from daydreaming.results.statistics.analysis import Analysis


class Cohort:
    """The data of one cohort as it was on the disk when it was loaded, as data frames.

    docs/data_out.md has the meaning of every column.
    """

    def __init__(self, rows: CohortRows):
        self._rows = rows

    def __repr__(self) -> str:
        targets = [stage.target for stage in self._rows.stages]
        counts = ", ".join(f"{len(self._rows.tables[name]):,} {name}" for name in targets)
        return f"Cohort {self.cohort_id}: {counts}"

    @property
    def cohort_id(self) -> str:
        """The name of the cohort."""
        return self._rows.cohort_id

    @cached_property
    def concepts(self) -> pd.DataFrame:
        """The concepts of the combos."""
        return self._table("concepts")

    @cached_property
    def combos(self) -> pd.DataFrame:
        """The combos."""
        return self._table("combos")

    @cached_property
    def combo_concepts(self) -> pd.DataFrame:
        """Which concepts a combo has, in which order, with their descriptions."""
        return self._table("combo_concepts")

    @cached_property
    def templates(self) -> pd.DataFrame:
        """The templates of all stages with their texts."""
        return self._table("templates")

    @cached_property
    def models(self) -> pd.DataFrame:
        """The models with their prices."""
        return self._table("models")

    @cached_property
    def drafts(self) -> pd.DataFrame:
        """One row for each draft."""
        return self._table("drafts")

    @cached_property
    def essays(self) -> pd.DataFrame:
        """One row for each essay."""
        return self._table("essays")

    @cached_property
    def evaluations(self) -> pd.DataFrame:
        """One row for each evaluation."""
        return self._table("evaluations")

    @cached_property
    def chains(self) -> pd.DataFrame:
        """One row for each evaluation with its essay, its draft and its combo: the rows of the Parquet file."""
        return _frame(list(self._rows.chains()), chain_columns(self._rows.stages))

    def stage(self, name: str) -> pd.DataFrame:
        """One row for each generation of a stage, also of one that config.yaml adds. Raises KeyError."""
        return self._table(self._rows.stages[name].target)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """The rows of `parsed_scores.csv`, one for each evaluation; docs/outputs.md has their columns."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self._rows.scores], columns=list(COLUMNS))

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """The rows of `parsed_preferences.csv`, one for each judgement of two texts; see docs/preferences.md."""
        from daydreaming.results.verdicts.verdict_table import verdicts_frame

        return verdicts_frame(self._rows.verdicts)

    @cached_property
    def preferences(self) -> Mapping[str, pd.DataFrame]:
        """The statistics of verdicts as data frames, by name: `win_rates`, `strengths` and so on; docs/preferences.md.

        They are those of `preference_<name>.csv`. Raises InputError where no texts were compared.
        """
        from daydreaming.results.verdicts.preference_tables import analyse_verdicts

        if not self._rows.verdicts:
            cure = "Load a cohort that has a stage which makes preferences."
            raise InputError(Fault(f"cohort {self.cohort_id}", "no row compares two texts.", cure))
        return analyse_verdicts(self._rows.verdicts, self._rows.scores, self._rows.catalogs).tables

    @cached_property
    def judged_pairs(self) -> pd.DataFrame:
        """One row for each judgement of two texts, with both: the rows of the Parquet file of verdicts."""
        return _frame(list(self._rows.judged_pairs()), VERDICT_COLUMNS)

    @cached_property
    def analysis(self) -> Analysis:
        """The statistics, each table a data frame: `levels`, `ranking`, `judges` and so on; see docs/results.md."""
        from daydreaming.results.cohort_statistics import analyse_at_price

        return analyse_at_price(self._rows.scores, self._rows.readers, self._rows.draft_price)

    @property
    def contrasts(self) -> pd.DataFrame:
        """All pairs of templates, models and judges: difference, interval, p."""
        return self.analysis.contrasts

    def _table(self, name: str) -> pd.DataFrame:
        return _frame(self._rows.tables[name], tables_of(self._rows.stages)[name])


def _frame(rows: Sequence[Row], columns: Sequence[Column]) -> pd.DataFrame:
    """A data frame whose columns have the types of the data dictionary, also where there is no row or no value."""
    import pandas as pd

    types = {
        Kind.TEXT: "str",
        Kind.INTEGER: "Int64",
        Kind.NUMBER: "float64",
        Kind.FLAG: "boolean",
        Kind.TIME: "datetime64[us, UTC]",
        Kind.LIST: "object",
    }
    return pd.DataFrame(
        {column.name: pd.Series([row[column.name] for row in rows], dtype=types[column.kind]) for column in columns}
    )

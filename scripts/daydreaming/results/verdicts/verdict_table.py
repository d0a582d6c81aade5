"""The table of verdicts, `parsed_preferences.csv`: one row for each judgement of two texts, failures and all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import TYPE_CHECKING

from daydreaming.results.score_table import csv_text

if TYPE_CHECKING:
    import pandas as pd

VERDICTS = ("A", "B", "tie")


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A judgement of two texts and its verdict; or None, the kind of failure, its message and the file to look at.

    `essay_a` is the text that was shown first, as A; `rubric` the template of the judgement. `order` is 1 for the way
    round in which the cohort has the pair first, 2 for the other. Lengths are characters, None unless the text counts.
    `error` is "" for a verdict, and `failed_gen_id` the generation that failed: the judgement, or one that it depends
    on. `adopted`: it, or one that it was made from, was made by no run of ours. `cost_usd` is that of the reply,
    whenever it was paid; None where nobody told.
    """

    stage: str
    gen_id: str
    combo_id: str
    text_stage: str
    essay_a: str
    essay_b: str
    template_a: str
    template_b: str
    model_a: str
    model_b: str
    length_a: int | None
    length_b: int | None
    rubric: str
    judge: str
    order: int
    replicate: int
    cohort_id: str
    verdict: str | None
    error: str
    failed_gen_id: str = ""
    error_message: str = ""
    look_at: str = ""
    adopted: bool = False
    path_a: str = ""
    path_b: str = ""
    judgement_path: str = ""
    metadata_path: str = ""
    cost_usd: float | None = None

    @property
    def question(self) -> tuple[str, str]:
        """What was asked: verdicts of one stage and rubric compare, others do not."""
        return self.stage, self.rubric


COLUMNS = tuple(field.name for field in fields(VerdictRow))


@dataclass(frozen=True, slots=True)
class VerdictCounts:
    """How many judgements there are, how many have a verdict, and how many failed of each kind."""

    total: int
    told: int
    failed: Mapping[str, int]

    @property
    def failed_fraction(self) -> float:
        """The share without a verdict, from 0 to 1; 0 of nothing."""
        return (self.total - self.told) / self.total if self.total else 0.0


def count_verdicts(rows: Iterable[VerdictRow]) -> VerdictCounts:
    """Count the rows with a verdict, and the others by their kind of failure, the commonest first."""
    kinds = Counter(row.error for row in rows)
    told = kinds.pop("", 0)
    return VerdictCounts(told + kinds.total(), told, dict(kinds.most_common()))


def verdicts_text(rows: Iterable[VerdictRow]) -> str:
    """The table as it is written; a failure has no verdict, but an empty cell."""
    return csv_text(COLUMNS, map(attrgetter(*COLUMNS), rows))


def verdicts_frame(rows: Sequence[VerdictRow]) -> pd.DataFrame:
    """The rows as a data frame whose index is their place in the table."""
    import pandas as pd

    return pd.DataFrame({column: [getattr(row, column) for row in rows] for column in COLUMNS})

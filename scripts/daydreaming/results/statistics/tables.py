"""What all tables of an analysis share: which rubric and judge a row is about, and how it says that it cannot tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from daydreaming.results.statistics.intervals import FEWEST_COMBOS
from daydreaming.results.statistics.observations import Observations

if TYPE_CHECKING:
    import pandas as pd

POINTS = "points"
SEVERAL_RUBRICS = "over several rubrics, each of which is a scale of its own"


@dataclass(frozen=True, slots=True)
class Scope:
    """The rubric and the judge that a row is about, as codes; None is all of them."""

    rubric: int | None
    judge: int | None

    def names(self, observations: Observations) -> dict[str, str]:
        """The columns `rubric` and `judge`; "" over all."""
        return {
            "rubric": "" if self.rubric is None else observations.rubrics[self.rubric],
            "judge": "" if self.judge is None else observations.judges[self.judge],
        }

    def effective(self, observations: Observations) -> Scope:
        """The same scope, with the only rubric or judge of a cohort named None."""
        return Scope(
            self.rubric if len(observations.rubrics) > 1 else None, self.judge if len(observations.judges) > 1 else None
        )

    def note(self, observations: Observations) -> str:
        """A warning where rubrics are put together."""
        return SEVERAL_RUBRICS if self.rubric is None and len(observations.rubrics) > 1 else ""


def scopes(observations: Observations, factor: str = "") -> Iterator[Scope]:
    """All rubrics and judges together, then each; the rubric or the judge as a factor is not divided by itself."""
    rubrics: list[int | None] = [None, *range(len(observations.rubrics))]
    judges: list[int | None] = [None, *range(len(observations.judges))]
    for rubric in [None] if factor == "evaluation_template" else rubrics:
        for judge in [None] if factor == "evaluation_llm_model" else judges:
            yield Scope(rubric, judge)


def cannot_tell(reason: str, needed: str) -> str:
    """The note of a row without a number."""
    return f"cannot be told from this cohort, because {reason}; it would take {needed}"


def too_few_combos(n: int, what: str) -> str:
    """The note of a row whose interval too few combos would carry."""
    combos = {0: "no combo has", 1: "only 1 combo has"}.get(n, f"only {n} combos have")
    return cannot_tell(f"{combos} {what}", f"{FEWEST_COMBOS} combos")


def joined(*notes: str) -> str:
    """Several notes as one."""
    return "; ".join(note for note in notes if note)


def as_frame(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """A data frame of these columns, also where there is no row."""
    import pandas as pd

    return pd.DataFrame({column: [row.get(column) for row in rows] for column in columns}, columns=list(columns))

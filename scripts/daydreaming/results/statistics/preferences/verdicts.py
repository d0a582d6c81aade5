"""The verdicts of judges who compared two essays: the record, the table, and both as checked arrays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from daydreaming.base.errors import Fault, InputError
from daydreaming.results.statistics.intervals import Floats
from daydreaming.results.statistics.observations import Codes

if TYPE_CHECKING:
    import pandas as pd

POINTS = {"A": 1.0, "tie": 0.5, "B": 0.0, "": np.nan}
_TABLE = "the table of verdicts"
_SHOWN_FAULTS = 20
_MAKE_AGAIN = "Correct the row, or make the table again."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge said of two essays of one combo.

    `essay_a` is the one that was shown first, as A; `verdict` is `A`, `B`, `tie`, or `""` where the judgement failed.
    `order` is 1 where the pair was shown as it was chosen, 2 for the same pair the other way round. Lengths are in
    characters, NaN where they are not known. `judge` is the id of the judging model; a judge whose id is `model_a` or
    `model_b` sees a text of its own.
    """

    combo_id: str
    essay_a: str
    essay_b: str
    model_a: str
    model_b: str
    length_a: float
    length_b: float
    judge: str
    verdict: str
    order: int
    replicate: int = 1


COLUMNS = tuple(field.name for field in fields(Verdict))
_REQUIRED = COLUMNS[:-1]
_TEXTS = ("combo_id", "essay_a", "essay_b", "model_a", "model_b", "judge", "verdict")


@dataclass(frozen=True)
class Comparisons:
    """Verdicts as arrays with an entry for each: codes of combo, essays, judge; what the first essay got.

    `first` and `second` are essays as they were shown; `model` and `length` have an entry for each essay. `points` is
    1 where the first essay won, 0.5 for a tie, 0 where it lost, NaN for a failure. `pair` numbers the pairs of essays,
    whatever their order.
    """

    combos: tuple[str, ...]
    essays: tuple[str, ...]
    models: tuple[str, ...]
    judges: tuple[str, ...]
    model: Codes
    length: Floats
    combo: Codes
    first: Codes
    second: Codes
    judge: Codes
    order: Codes
    replicate: Codes
    points: Floats

    @property
    def pair(self) -> Codes:
        """A number for each pair of essays, the same for both orders."""
        low, high = np.minimum(self.first, self.second), np.maximum(self.first, self.second)
        return low * len(self.essays) + high

    def chosen(self, which: npt.NDArray[np.bool_]) -> Comparisons:
        """The comparisons that are marked; the codes keep their meaning."""
        columns = ("combo", "first", "second", "judge", "order", "replicate", "points")
        return replace(self, **{column: getattr(self, column)[which] for column in columns})

    def by_judge(self, judge: int | None) -> Comparisons:
        """The comparisons of one judge; None takes all."""
        return self if judge is None else self.chosen(self.judge == judge)

    @property
    def judged(self) -> Comparisons:
        """Those that have a verdict."""
        return self.chosen(~np.isnan(self.points))

    @property
    def n_failed(self) -> int:
        """How many comparisons have no verdict."""
        return int(np.isnan(self.points).sum())

    @property
    def n_combos(self) -> int:
        """How many combos have a comparison."""
        return len(np.unique(self.combo))


def scopes(comparisons: Comparisons) -> list[int | None]:
    """All judges together, then each of several."""
    return [None, *range(len(comparisons.judges))] if len(comparisons.judges) > 1 else [None]


def read_verdicts(verdicts: pd.DataFrame | Iterable[Verdict]) -> Comparisons:
    """Check verdicts, as records or as a data frame with the columns of a `Verdict`, and arrange them.

    The column `replicate` may be missing (1 for all). Faults name rows as a CSV file of the frame has them, by its
    index. Raises InputError for a missing column, a table with no row, a verdict or an order that is none, an essay
    that is compared with itself or is said to be of two combos, models or lengths, a pair whose orders are mixed up,
    and a comparison that is there twice.
    """
    import pandas as pd

    frame = verdicts if isinstance(verdicts, pd.DataFrame) else _frame(list(verdicts))
    missing = [column for column in _REQUIRED if column not in frame]
    if missing:
        raise InputError(Fault(_TABLE, f"has no column {', '.join(missing)}.", "Add it."))
    if frame.empty:
        raise InputError(Fault(_TABLE, "has no row.", "Judge some pairs first."))
    texts = {c: frame[c].astype(object).where(frame[c].notna(), "").astype(str).to_numpy(object) for c in _TEXTS}
    numbers = {c: _numbers(frame, c) for c in ("length_a", "length_b", "order")}
    numbers["replicate"] = _numbers(frame, "replicate") if "replicate" in frame else np.ones(len(frame))
    rows = _row_numbers(frame)
    _check_rows(texts, numbers, rows)
    comparisons = _arrange(texts, numbers)
    _check_essays(comparisons, texts, numbers, rows)
    _check_pairs(comparisons, rows)
    return comparisons


def _frame(records: Sequence[Verdict]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({column: [getattr(record, column) for record in records] for column in COLUMNS})


def _row_numbers(frame: pd.DataFrame) -> Codes:
    numbers: Codes = np.asarray(frame.index if frame.index.inferred_type == "integer" else range(len(frame))) + 2
    return numbers


def _numbers(frame: pd.DataFrame, column: str) -> Floats:
    import pandas as pd

    values: Floats = pd.to_numeric(frame[column], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    bad = np.flatnonzero(np.isnan(values) & frame[column].notna().to_numpy() & (frame[column].astype(str) != ""))
    if len(bad):
        problem = f"{frame[column].iloc[bad[0]]!r} is no number."
        raise InputError(Fault(_TABLE, problem, _MAKE_AGAIN, row=int(_row_numbers(frame)[bad[0]]), column=column))
    return values


def _check_rows(texts: dict[str, Any], numbers: dict[str, Floats], rows: Codes) -> None:
    unknown = ~np.isin(texts["verdict"], list(POINTS))
    wrong: list[tuple[npt.NDArray[np.bool_], str, str]] = [
        (unknown, "verdict", "the verdict is none of A, B, tie, and nothing for a failure."),
        (texts["essay_a"] == texts["essay_b"], "essay_b", "an essay is compared with itself."),
        (~np.isin(numbers["order"], (1, 2)), "order", "the order is neither 1 nor 2."),
        (~(numbers["replicate"] >= 1), "replicate", "the replicate is no number from 1 on."),
        *((numbers[c] < 0, c, "the length is below zero.") for c in ("length_a", "length_b")),
        *((texts[c] == "", c, "there is no value.") for c in _TEXTS if c != "verdict"),
    ]
    _raise(
        Fault(_TABLE, problem, _MAKE_AGAIN, row=int(rows[row]), column=column)
        for marked, column, problem in wrong
        for row in np.flatnonzero(marked)
    )


def _arrange(texts: dict[str, Any], numbers: dict[str, Floats]) -> Comparisons:
    n = len(texts["judge"])
    essays, codes = np.unique(np.concatenate([texts["essay_a"], texts["essay_b"]]).astype(str), return_inverse=True)
    models, model = np.unique(np.concatenate([texts["model_a"], texts["model_b"]]).astype(str), return_inverse=True)
    of_essay = np.unique(codes, return_index=True)[1]
    combos, combo = np.unique(texts["combo_id"].astype(str), return_inverse=True)
    judges, judge = np.unique(texts["judge"].astype(str), return_inverse=True)
    return Comparisons(
        combos=tuple(map(str, combos)),
        essays=tuple(map(str, essays)),
        models=tuple(map(str, models)),
        judges=tuple(map(str, judges)),
        model=model[of_essay],
        length=np.concatenate([numbers["length_a"], numbers["length_b"]])[of_essay],
        combo=combo,
        first=codes[:n],
        second=codes[n:],
        judge=judge,
        order=numbers["order"].astype(np.int64),
        replicate=numbers["replicate"].astype(np.int64),
        points=np.array([POINTS[verdict] for verdict in texts["verdict"]]),
    )


def _check_essays(comparisons: Comparisons, texts: dict[str, Any], numbers: dict[str, Floats], rows: Codes) -> None:
    """Refuse essays of which two rows say different things."""
    names = np.array(comparisons.models, dtype=object)
    combo = np.zeros(len(comparisons.essays), np.int64)
    for side in (comparisons.second, comparisons.first):
        combo[side] = comparisons.combo
    faults = []
    for side, end in ((comparisons.first, "a"), (comparisons.second, "b")):
        length = comparisons.length[side]
        said = numbers[f"length_{end}"]
        unlike = {
            "combo": combo[side] != comparisons.combo,
            "model": names[comparisons.model[side]] != texts[f"model_{end}"],
            "length": (length != said) & ~(np.isnan(length) & np.isnan(said)),
        }
        for what, marked in unlike.items():
            for row in np.flatnonzero(marked):
                problem = f"the essay {comparisons.essays[side[row]]!r} has another {what} than in another row."
                faults.append(Fault(_TABLE, problem, _MAKE_AGAIN, row=int(rows[row]), column=f"essay_{end}"))
    _raise(faults)


def _check_pairs(comparisons: Comparisons, rows: Codes) -> None:
    """Refuse pairs that are shown both ways under one order, and comparisons that are there twice."""
    as_chosen = (comparisons.first < comparisons.second) == (comparisons.order == 1)
    _, at, where = np.unique(comparisons.pair, return_index=True, return_inverse=True)
    mixed = as_chosen != as_chosen[at[where]]
    keys = np.stack([comparisons.pair, comparisons.order, comparisons.judge, comparisons.replicate], axis=1)
    first_time = np.zeros(len(keys), bool)
    first_time[np.unique(keys, axis=0, return_index=True)[1]] = True
    _raise(
        Fault(_TABLE, problem, cure, row=int(rows[row]))
        for marked, problem, cure in (
            (mixed, "the order is that of the other way round in another row.", "Give each way its own order, 1 or 2."),
            (~first_time & ~mixed, "the comparison is there twice.", "Delete one, or number them as replicates."),
        )
        for row in np.flatnonzero(marked)
    )


def _raise(faults: Iterable[Fault]) -> None:
    shown = [fault for fault, _ in zip(faults, range(_SHOWN_FAULTS), strict=False)]
    if shown:
        raise InputError(shown)

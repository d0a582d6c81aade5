"""The columns of a table of scores, read as texts and numbers and checked: each fault has its row and column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from daydreaming.base.errors import Fault, InputError
from daydreaming.results.statistics.intervals import Floats

if TYPE_CHECKING:
    import pandas as pd

ESSAY_FACTORS = ("draft_template", "generation_template", "generation_model")
JUDGING_FACTORS = ("evaluation_template", "evaluation_llm_model")
FACTORS = ESSAY_FACTORS + JUDGING_FACTORS
_ESSAY_COLUMNS = ("combo_id", *ESSAY_FACTORS)
REQUIRED = ("gen_id", "parent_gen_id", *_ESSAY_COLUMNS, *JUDGING_FACTORS, "score", "error")
_SHOWN_FAULTS = 20
TABLE = "the table of scores"
_MAKE_AGAIN = "Make the table again with scripts/aggregate_scores.py."


def check_columns(scores: pd.DataFrame) -> None:
    """Raise InputError for a table that lacks a column, or has no row."""
    faults = [
        Fault(TABLE, "the column is missing.", _MAKE_AGAIN, column=column)
        for column in REQUIRED
        if column not in scores
    ]
    if faults:
        raise InputError(faults)
    if scores.empty:
        raise InputError(Fault(TABLE, "it has no rows.", "Give the table of a cohort that has evaluations."))


def check_rows(scores: pd.DataFrame, text: dict[str, Any], value: Floats) -> None:
    """Raise InputError with the first rows that have no clear meaning. Rows count from 2, as in the CSV file."""
    failed = text["error"] != ""
    given = ~np.isnan(value)
    problems: list[tuple[Any, str, str]] = [
        (~given & ~failed, "score", "a row needs a score or an error."),
        (given & failed, "score", "a row that failed has no score."),
        (np.isinf(value), "score", "it is not a finite number."),
    ]
    problems += [
        (text[column] == "", column, "it is empty.") for column in REQUIRED if column not in ("score", "error")
    ]
    faults = [
        Fault(TABLE, problem, _MAKE_AGAIN, int(row) + 2, column)
        for wrong, column, problem in problems
        for row in np.flatnonzero(wrong)[:_SHOWN_FAULTS]
    ]
    if faults:
        raise InputError(faults)


def check_essays(text: dict[str, Any], essay: npt.NDArray[np.int64], first: npt.NDArray[np.int64]) -> None:
    """Raise InputError for an essay of two combos or templates; `essay` numbers that of each row, `first` its row."""
    faults = [
        Fault(TABLE, f"essay {text['parent_gen_id'][row]!r} has two values of it.", _MAKE_AGAIN, column=column)
        for column in _ESSAY_COLUMNS
        for row in np.flatnonzero(text[column] != text[column][first[essay]])[:_SHOWN_FAULTS]
    ]
    if faults:
        raise InputError(faults)


def texts_of(column: pd.Series[Any]) -> Any:
    """Ids as text, whatever pandas made of them; "" for what is missing."""
    values = column.to_numpy(dtype=object)
    missing = column.isna().to_numpy()
    return np.array(["" if gone else str(value) for value, gone in zip(values, missing, strict=True)], dtype=object)


def numbers_of(scores: pd.DataFrame, column: str) -> Floats:
    """A column of numbers, NaN where it is empty. Raises InputError for what is neither."""
    import pandas as pd

    given = scores[column]
    numbers = pd.to_numeric(given, errors="coerce")
    wrong = np.flatnonzero((numbers.isna() & ~given.isna() & (given.astype(str).str.strip() != "")).to_numpy())
    if len(wrong):
        raise InputError(
            [
                Fault(TABLE, f"{given.iloc[row]!r} is not a number.", _MAKE_AGAIN, int(row) + 2, column)
                for row in wrong[:_SHOWN_FAULTS]
            ]
        )
    values: Floats = numbers.to_numpy(dtype=float, na_value=np.nan)
    return values

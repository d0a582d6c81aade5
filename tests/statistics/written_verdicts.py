"""Verdicts that are written by hand, and the row of a table that a test is about."""

import numpy as np
import pandas as pd

from daydreaming.results.statistics.preferences.verdicts import Verdict


def said(combo: int, pair: str, verdict: str, order: int = 1, judge: str = "judge", **more) -> Verdict:
    """A verdict on two essays of a combo, such as `xy`; the essay `x` is by the model `mx`, and 100 characters long."""
    first, second = pair
    values = {
        "combo_id": f"k{combo}",
        "essay_a": f"{first}{combo}",
        "essay_b": f"{second}{combo}",
        "model_a": f"m{first}",
        "model_b": f"m{second}",
        "length_a": 100.0,
        "length_b": 100.0,
    }
    return Verdict(**values | {"judge": judge, "verdict": verdict, "order": order} | more)


def row(table: pd.DataFrame, **keys: str) -> pd.Series:
    marked = np.logical_and.reduce([table[column] == value for column, value in keys.items()])
    [found] = [one for _, one in table[marked].iterrows()]
    return found


def both_orders(*pairs: tuple[int, str, str]) -> list[Verdict]:
    """Verdicts on `(combo, pair, letters)` in both orders: the letters are those of either order."""
    letters = {"A": "A", "B": "B", "t": "tie", "-": ""}
    return [
        said(combo, pair if order == 1 else pair[::-1], letters[letter], order)
        for combo, pair, both in pairs
        for order, letter in enumerate(both, start=1)
    ]

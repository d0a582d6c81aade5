"""How far judges agree with people: each judge beside each reader, on the essays that both scored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from daydreaming.results.score_table import IMPRESSION, READER
from daydreaming.results.statistics.agreement import COLUMNS, DIFFERENCE, agreement, rank_correlation
from daydreaming.results.statistics.judges import judges
from daydreaming.results.statistics.observations import Observations
from daydreaming.results.statistics.tables import as_frame

if TYPE_CHECKING:
    import pandas as pd

IMPRESSION_FIGURE = "rank correlation with the reader's own impression"


def is_reader(judge: str) -> bool:
    """Whether a judge is a person."""
    return judge.startswith(READER)


def reader_agreement(observations: Observations) -> pd.DataFrame:
    """The rows of `agreement` with a reader, judge_b, where both scored at least one essay by the same rubric.

    A reader's own impression is a scale of its own: of it and a judge's scores by any rubric there is a rank
    correlation alone. `observations` are the judges' scores and the readers'.
    """
    import pandas as pd

    table = agreement(observations)
    judges_first = table[table.judge_b.map(is_reader) & (table.n_essays > 0)]
    readers_first = table[table.judge_a.map(is_reader) & ~table.judge_b.map(is_reader) & (table.n_essays > 0)]
    impressions = as_frame(list(_impressions(observations)), COLUMNS)
    parts = [part for part in (judges_first, _turned(readers_first), impressions) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else table.head(0)


def reader_figures(observations: Observations) -> pd.DataFrame:
    """The rows of `judges` that are about readers."""
    table = judges(observations)
    return table[table.judge.map(is_reader) & (table.n_scores + table.n_failed > 0)]


def _turned(table: pd.DataFrame) -> pd.DataFrame:
    """The same with the judge first: the difference of two judges changes its sign."""
    turned = table.assign(judge_a=table.judge_b, judge_b=table.judge_a)
    differs = turned.figure == DIFFERENCE
    turned.loc[differs, "value"] *= -1
    turned.loc[differs, ["low", "high"]] = -turned.loc[differs, ["high", "low"]].to_numpy()
    return turned


def _impressions(observations: Observations) -> Iterator[dict[str, Any]]:
    if IMPRESSION not in observations.rubrics:
        return
    essays, own = observations.essays, observations.rubrics.index(IMPRESSION)
    scores = observations.scores[essays.combo, essays.path, essays.place]
    for rubric, rubric_name in enumerate(observations.rubrics):
        for judge, judge_name in enumerate(observations.judges):
            for reader, reader_name in enumerate(observations.judges):
                if rubric == own or is_reader(judge_name) or not is_reader(reader_name):
                    continue
                pair = np.stack([scores[:, rubric, judge], scores[:, own, reader]], axis=1)
                both = ~np.isnan(pair).any(axis=1)
                if not both.any():
                    continue
                yield rank_correlation(pair[both]) | {
                    "figure": IMPRESSION_FIGURE,
                    "rubric": rubric_name,
                    "judge_a": judge_name,
                    "judge_b": reader_name,
                    "n_combos": len(np.unique(essays.combo[both])),
                    "n_essays": int(both.sum()),
                    "n_scores": _number(observations.counts, rubric, judge, own, reader),
                    "n_failed": _number(observations.failures, rubric, judge, own, reader),
                }


def _number(numbers: Any, rubric: int, judge: int, own: int, reader: int) -> int:
    return int(numbers[..., rubric, judge].sum() + numbers[..., own, reader].sum())

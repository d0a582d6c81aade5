"""The best essays of a table of scores, chosen for another cohort: from the ranking, with its ties and intervals."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from daydreaming.base import atomic
from daydreaming.base.errors import Fault, InputError
from daydreaming.base.nearest_names import did_you_mean
from daydreaming.base.terminal_tables import table_text
from daydreaming.inputs.cohort_spec.axes import COMBO
from daydreaming.results.score_table import ScoreRow, csv_text

SHOWN_BELOW = 5
_NAMES = ("rank", "essay", "combo", "essay template", "model", "mean", "95% interval", "scores", "chosen")
_NUMBERS = ("rank", "mean", "scores")


@dataclass(frozen=True, slots=True)
class RankedEssay:
    """An essay with its place: equal means share a rank. The interval is None where judgements were not repeated."""

    rank: int
    essay: str
    combo_id: str
    essay_template: str
    model: str
    mean: float
    interval: tuple[float, float] | None
    n_scores: int


@dataclass(frozen=True, slots=True)
class Selection:
    """The essays that were chosen, those that were not, and in words what they were chosen by."""

    chosen: tuple[RankedEssay, ...]
    others: tuple[RankedEssay, ...]
    by: str

    def text(self) -> str:
        """The chosen essays and the next ones as a table, with what one must know of ties and intervals."""
        shown = [*((one, "yes") for one in self.chosen), *((one, "no") for one in self.others[:SHOWN_BELOW])]
        rows = [[*_cells(one), mark] for one, mark in shown]
        return "\n".join([f"By {self.by}.", "", table_text(_NAMES, rows, numbers=_NUMBERS), "", *self._notes()])

    def _notes(self) -> Iterable[str]:
        total = len(self.chosen) + len(self.others)
        yield f"{len(self.chosen):,} of {total:,} essays with a score are chosen."
        ties = sum(one.rank == self.chosen[-1].rank for one in self.chosen)
        if ties > 1:
            yield f"{ties:,} of them share the last rank, {self.chosen[-1].rank}, with equal means."
        if self.chosen[0].interval is None:
            yield "No intervals: no essay was judged twice by one judge, so how well its score is known cannot be told."
        else:
            last = self.chosen[-1].mean
            near = sum(one.interval is not None and one.interval[1] >= last for one in self.others)
            if near:
                yield f"{near:,} that are not chosen may be as good: their intervals reach the mean of the last chosen."

    def lines(self) -> str:
        """The text of selected_essays.txt."""
        head = f"# {len(self.chosen)} essays by {self.by}.\n"
        return head + "".join(f"{one.essay}  # rank {one.rank}, mean {one.mean:.2f}\n" for one in self.chosen)

    def combos_table(self) -> str:
        """A table of the combos of the chosen essays, each once: what a spec takes by `combo: '@file:...'`."""
        return csv_text([COMBO], ([combo_id] for combo_id in dict.fromkeys(one.combo_id for one in self.chosen)))


def select_essays(
    rows: Sequence[ScoreRow], top: int, *, rubric: str | None = None, judge: str | None = None, split_ties: bool = False
) -> Selection:
    """Choose the `top` essays of a table of scores under one rubric and judge, or over all (each one's mean taken off).

    Essays with the mean of the last one are chosen, too; with `split_ties` none of those that would be too many. Raises
    InputError for a rubric or judge that the table does not have, and for rubrics of different scales put together.
    """
    from daydreaming.results.statistics.analysis import analyse

    chosen_rows = _of(_of(rows, "evaluation_template", "rubric", rubric), "evaluation_llm_model", "judge", judge)
    rubrics = sorted({row.evaluation_template for row in chosen_rows})
    judges = sorted({row.evaluation_llm_model for row in chosen_rows})
    if len({row.scale for row in chosen_rows}) > 1:
        problem = f"the rubrics {', '.join(rubrics)} have different scales and cannot be put together."
        raise InputError(Fault("the scores", problem, "Choose one with --by."))
    import pandas as pd

    pool = len(rubrics) * len(judges) > 1
    ranking = analyse(pd.DataFrame([asdict(row) for row in chosen_rows]), pool=pool).ranking
    wanted = ranking[(ranking.kind == "essay") & ranking["mean"].notna()]
    if pool:
        wanted = wanted[(wanted.rubric == "") & (wanted.judge == "")]
    essays = [_ranked(row) for row in wanted.to_dict("records")]
    if not essays:
        raise InputError(Fault("the scores", "no essay has a score.", "Make the evaluations first."))
    by = f"{' and '.join(rubrics)}, judged by {' and '.join(judges)}" + (" (each one's mean taken off)" if pool else "")
    kept = _cut(essays, top, split_ties)
    if not kept:
        problem = f"more than {top} essays share the first rank."
        raise InputError(Fault("the scores", problem, "Choose more, or allow ties."))
    return Selection(tuple(essays[:kept]), tuple(essays[kept:]), by)


def _cut(essays: Sequence[RankedEssay], top: int, split_ties: bool) -> int:
    """How many of the first essays are chosen."""
    if len(essays) <= top:
        return len(essays)
    last = essays[top - 1].rank
    if essays[top].rank != last:
        return top
    return sum(one.rank < last if split_ties else one.rank <= last for one in essays)


def write_selection(path: Path, text: str, *, force: bool = False) -> bool:
    """Write a file of a selection; return whether it changed. Raises InputError for another one that is there."""
    if path.is_file():
        if path.read_bytes() == text.encode():
            return False
        if not force:
            problem = "there is another selection here, and nothing was changed."
            raise InputError(Fault(str(path), problem, "Rename it, or replace it with --force."))
    atomic.write_text(path, text)
    return True


def _of(rows: Sequence[ScoreRow], column: str, what: str, wanted: str | None) -> Sequence[ScoreRow]:
    if wanted is None:
        return rows
    found = [row for row in rows if getattr(row, column) == wanted]
    if not found:
        known = sorted({getattr(row, column) for row in rows})
        cure = did_you_mean(wanted, known, f"There are: {', '.join(known) or 'none'}.")
        raise InputError(Fault("the scores", f"there is no {what} {wanted!r} in the table.", cure))
    return found


def _ranked(row: Mapping[Hashable, object]) -> RankedEssay:
    import math

    low, high = float(str(row["low"])), float(str(row["high"]))
    return RankedEssay(
        rank=int(str(row["rank"])),
        essay=str(row["essay"]),
        combo_id=str(row["combo_id"]),
        essay_template=str(row["generation_template"]),
        model=str(row["generation_model"]),
        mean=float(str(row["mean"])),
        interval=None if math.isnan(low) else (low, high),
        n_scores=int(str(row["n_scores"])),
    )


def _cells(one: RankedEssay) -> list[object]:
    interval = "" if one.interval is None else f"{one.interval[0]:.2f} to {one.interval[1]:.2f}"
    names = (one.combo_id, one.essay_template, one.model)
    return [one.rank, one.essay, *names, f"{one.mean:.2f}", interval, one.n_scores]

"""The generations that compare two texts: pairs of one combo, chosen as a spec says, each in both orders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from daydreaming.base.errors import Fault, InputError
from daydreaming.base.identifiers import generation_id
from daydreaming.base.paths import DataPaths
from daydreaming.cohort.pairs import Comparison, Pair, all_pairs, both_orders, sampled_pairs, swiss_round
from daydreaming.inputs.cohort_spec.records import PairChoice, Place
from daydreaming.inputs.records import Generation
from daydreaming.inputs.stages import Stage
from daydreaming.ledger.metadata import read_metadata

Judging = tuple[str, str, int]
"""The template, the judge and the replicate of a comparison."""
# Without a spec.
ALL_PAIRS = PairChoice(Place("config.yaml"), "all", 0, 0)
_POINTS = {"A": 1.0, "tie": 0.5, "B": 0.0}


def comparisons(
    stage: Stage, texts: Sequence[Generation], choice: PairChoice, judging: Sequence[Judging], paths: DataPaths
) -> list[Generation]:
    """The rows of a stage that compares two of these texts, each pair in both orders by each judge.

    The rounds of a Swiss-style tournament are worked out from its beginning: each from the verdicts of those before it,
    as they lie on the disk. A round whose verdicts are not all there is the last one.

    Raises InputError where no combo has two texts, and for a sample of more pairs than there are.
    """
    combos: dict[str, list[str]] = defaultdict(list)
    for text in texts:
        combos[text.combo_id].append(text.gen_id)
    number = sum(len(one) * (len(one) - 1) // 2 for one in combos.values())
    if not number:
        problem = f"no combo has two {stage.parent}s that the stage {stage.name!r} could compare."
        raise InputError(choice.place.fault(problem, "Let it have more templates, models or replicates."))
    cohort_id = texts[0].cohort_id
    if choice.kind == "all":
        return list(_rows(stage, all_pairs(combos), judging, cohort_id))
    if choice.kind == "sample":
        if choice.number > number:
            problem = f"n is {choice.number:,}, and there are {number:,} pairs of {stage.parent}s of one combo."
            raise InputError(choice.place.fault(problem, f"Lower n to at most {number:,}, or choose all."))
        return list(_rows(stage, sampled_pairs(combos, choice.number, choice.seed), judging, cohort_id))
    return _tournament(stage, combos, choice, judging, paths, cohort_id)


def _tournament(
    stage: Stage,
    combos: dict[str, list[str]],
    choice: PairChoice,
    judging: Sequence[Judging],
    paths: DataPaths,
    cohort_id: str,
) -> list[Generation]:
    rows: list[Generation] = []
    results: list[Comparison] = []
    for _ in range(choice.number):
        of_round = list(_rows(stage, swiss_round(combos, results, choice.seed), judging, cohort_id))
        rows += of_round
        verdicts = [_verdict(paths, row) for row in of_round]
        if None in verdicts:
            break
        results += [
            Comparison(Pair(row.combo_id, row.parent_gen_id, row.second_parent_gen_id), _POINTS[verdict])
            for row, verdict in zip(of_round, verdicts, strict=True)
            if verdict is not None
        ]
    return rows


def _rows(stage: Stage, pairs: Iterable[Pair], judging: Sequence[Judging], cohort_id: str) -> Iterator[Generation]:
    for pair in both_orders(pairs):
        for template_id, model_id, replicate in judging:
            # No id has a plus sign.
            gen_id = generation_id(stage.name, template_id, model_id, f"{pair.first}+{pair.second}", replicate)
            made_from = (pair.first, pair.combo_id)
            yield Generation(stage.name, gen_id, cohort_id, *made_from, template_id, model_id, replicate, pair.second)


def _verdict(paths: DataPaths, row: Generation) -> str | None:
    """The verdict of a comparison that was made; None where there is none."""
    files = paths.generation(row.stage, row.gen_id)
    if read_metadata(files.metadata).metadata.failed:
        return None
    try:
        text = files.parsed.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return text if text in _POINTS else None


def check_apart(axes: Sequence[str], own: Sequence[str], file: str) -> None:
    """Raise InputError for a rule that couples what compares texts with how these are made."""
    shared = [axis for axis in axes if axis in own]
    if shared and len(shared) < len(axes):
        problem = f"a rule couples {shared[0]} with {next(axis for axis in axes if axis not in own)}."
        cure = "Which texts are compared, `comparisons` says; take the axis out of the rule."
        raise InputError(Fault(file, problem, cure, key="rules"))

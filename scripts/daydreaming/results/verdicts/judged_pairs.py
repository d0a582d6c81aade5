"""Which generations of a cohort compare two texts, and which texts those are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from daydreaming.base.errors import Fault, InputError
from daydreaming.cohort.membership import Membership
from daydreaming.generation.study import Study
from daydreaming.inputs.records import Generation

_CURE = "Correct the row, or build the table again with `snakemake membership`."


@dataclass(frozen=True, slots=True)
class ComparedText:
    """One of two texts that are compared. `chain` is all that it was made from, itself last."""

    chain: Sequence[Generation]

    @property
    def generation(self) -> Generation:
        """The text itself."""
        return self.chain[-1]

    @property
    def combo_id(self) -> str:
        """The combo that the text is about."""
        return next((one.combo_id for one in self.chain if one.combo_id), "")

    @property
    def model(self) -> str:
        """The model that wrote the text; a copy's is that of the text that it copies."""
        return next((one.llm_model_id for one in reversed(self.chain) if one.llm_model_id), "")


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """A judgement of two texts of one combo, in the order in which the judge is shown them.

    `order` is 1 for the way round in which the table of the cohort has the pair first, 2 for the other one.
    """

    judgement: Generation
    first: ComparedText
    second: ComparedText
    order: int


def compares(generation: Generation) -> bool:
    """Whether a generation is a judgement of two texts."""
    return bool(generation.second_parent_gen_id)


def judged_pairs(study: Study) -> list[JudgedPair]:
    """The judgements of two texts of a cohort, in the order of its table.

    Raises InputError for one whose texts are not two of one stage and one combo.
    """
    membership, file = study.membership, str(study.cohort_files.membership)
    judgements = [one for one in membership.generations.values() if compares(one)]
    first_shown: dict[tuple[str, frozenset[str]], str] = {}
    pairs: list[JudgedPair] = []
    faults: list[Fault] = []
    for judgement in judgements:
        texts = _texts(membership, judgement)
        problem = _problem(judgement, texts)
        if problem:
            faults.append(Fault(file, f"the {judgement.stage} {judgement.gen_id!r} {problem}", _CURE))
            continue
        first, second = texts
        both = frozenset((judgement.parent_gen_id, judgement.second_parent_gen_id))
        shown = first_shown.setdefault((judgement.stage, both), judgement.parent_gen_id)
        pairs.append(JudgedPair(judgement, first, second, 1 if shown == judgement.parent_gen_id else 2))
    if faults:
        raise InputError(faults)
    return pairs


def _texts(membership: Membership, judgement: Generation) -> list[ComparedText]:
    """The two texts of a judgement, in the order in which its judge sees them."""
    texts = [membership.parent(judgement), *membership.further(judgement)]
    return [ComparedText(membership.chain(one)) for one in texts if one is not None]


def _problem(judgement: Generation, texts: Sequence[ComparedText]) -> str:
    names = f"{judgement.parent_gen_id!r} and {judgement.second_parent_gen_id!r}"
    if judgement.parent_gen_id == judgement.second_parent_gen_id:
        return f"compares {judgement.parent_gen_id!r} with itself."
    combos = [text.combo_id for text in texts]
    if combos[0] != combos[1]:
        return f"compares {names}, which are of the combos {combos[0]!r} and {combos[1]!r}."
    return ""

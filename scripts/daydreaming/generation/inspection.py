"""A look at all generations of a cohort: which are current, which a run has to look at, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from daydreaming.base.errors import Fault, GenerationError
from daydreaming.base.paths import DataPaths
from daydreaming.generation.currency import (
    DONE,
    Currency,
    Finding,
    Found,
    ParentText,
    State,
    look,
    parent_made_at,
    parsed_text,
)
from daydreaming.generation.prompting import Prompter
from daydreaming.generation.specification import CallSpecification, Key, Specification
from daydreaming.generation.study import Study
from daydreaming.inputs.records import Generation
from daydreaming.inputs.templates import template_name


@dataclass(frozen=True)
class Inspection:
    """What a look at a cohort's generations found, at one moment. It is of the disk as it was then."""

    open: frozenset[Key]
    _findings: Mapping[Key, Finding] = field(repr=False)
    _found: Mapping[Key, Found] = field(repr=False)

    def finding(self, key: Key) -> Finding:
        """What a generation is."""
        return self._findings[key]

    def found(self, key: Key) -> Found:
        """What lies in the folder of a generation."""
        return self._found[key]

    def state(self, key: Key) -> State:
        """The state of a generation."""
        return self._findings[key].state

    def reason(self, key: Key) -> str:
        """Why a generation is in its state; "" for what is current."""
        return self._findings[key].reason

    def changed_at_ns(self, key: Key) -> int:
        """When the text of a generation was last written, in nanoseconds; 0 where it has none."""
        return self._found[key].changed_at_ns

    def counts(self) -> Counter[State]:
        """How many generations are in each state."""
        return Counter(finding.state for finding in self._findings.values())

    @property
    def to_adopt(self) -> list[Key]:
        """The generations that are adopted and have no record of it yet, parents first."""
        return [
            key
            for key, finding in self._findings.items()
            if finding.state is State.ADOPTED and not self._found[key].record.metadata.adopted
        ]


def inspect_cohort(study: Study) -> Inspection:
    """Look at every generation of a study's cohort. Reads metadata.json and parsed.txt of each; writes nothing."""
    currency = currency_of(study)
    found: dict[Key, Found] = {}
    findings: dict[Key, Finding] = {}
    is_open: set[Key] = set()
    # Parents come before their children: drafts, essays, evaluations.
    for stage in study.membership.stages.names:
        for generation in study.membership.stage(stage):
            key = (stage, generation.gen_id)
            specification, there = study.specification(*key), look(study.paths, key)
            sources = specification.sources
            texts = [parent_on_disk(study.paths, one, found[one]) for one in sources]
            found[key] = there
            findings[key] = finding = currency.find(specification, there, texts)
            if finding.state not in DONE or not is_open.isdisjoint(sources):
                is_open.add(key)
    return Inspection(frozenset(is_open), findings, found)


def currency_of(study: Study, prompter: Prompter | None = None) -> Currency:
    """Return what says whether the generations of a study are current."""

    def combo(specification: Specification) -> str:
        return study.membership.chain(study.membership.get(*specification.key))[0].combo_id

    remake = study.settings.remake_adopted
    return Currency(study.paths, prompter or Prompter(), remake_adopted=remake, combos=combo)


def parent_on_disk(paths: DataPaths, parent: Key, found: Found) -> ParentText:
    """The text of a parent as it is on the disk."""
    return ParentText(found.parsed_sha256, partial(parsed_text, paths, *parent), partial(parent_made_at, paths, parent))


def conflict_faults(study: Study, inspection: Inspection) -> list[Fault]:
    """The generations whose record, of another program, is of another row: both are named."""
    return [
        _conflict(study, generation, inspection.reason(key))
        for key, generation in study.membership.generations.items()
        if inspection.state(key) is State.CONFLICT
    ]


def _conflict(study: Study, generation: Generation, problem: str) -> Fault:
    cure = "Give the row another gen_id, move the folder away, or set remake_adopted to have it made again."
    return Fault(str(study.files(generation.stage, generation.gen_id).metadata), f"{problem}.", cure)


def changed_inputs(study: Study) -> list[str]:
    """The templates and descriptions that the cohort uses and that are not what they were when the study was loaded.

    A run that finds any has made some generations from the old texts and some from the new ones.
    """
    prompter, changed = Prompter(), {}
    seen = set()
    for generation in study.membership.generations.values():
        specification = study.specification(generation.stage, generation.gen_id)
        is_first = specification.definition.is_first
        uses = (generation.stage, generation.template_id, generation.combo_id if is_first else "")
        if uses in seen:
            continue
        seen.add(uses)
        changed.update(dict.fromkeys(_changed(specification, prompter)))
    return list(changed)


def _changed(specification: Specification, prompter: Prompter) -> list[str]:
    name = template_name(specification.template)
    try:
        now = prompter.sources(specification).specification
    except GenerationError as error:
        return [error.message]
    changed = [name] if now.template_digest != specification.template_digest else []
    if isinstance(now, CallSpecification) and isinstance(specification, CallSpecification):
        pairs = zip(now.concepts, specification.concepts, strict=True)
        changed += [str(new.path) for new, old in pairs if new.digest != old.digest]
    return changed

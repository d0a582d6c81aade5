"""A study whose runs happen in this process, so that plans can be compared with many of them."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daydreaming.base.errors import GenerationError
from daydreaming.generation.adoption import adopt
from daydreaming.generation.inspection import Inspection, inspect_cohort
from daydreaming.generation.runner import Runner
from daydreaming.generation.study import Study, load_study
from daydreaming.inputs.configuration import settings_from_config
from daydreaming.plan.planning import Plan, State, make_plan
from daydreaming.plan.report import PlanReport, plan_report
from provider import Provider
from studies import Choice
from studies import Study as Folder


@dataclass(frozen=True)
class PlannedStudy:
    """A study folder, which must be the current one, with its plans and runs."""

    folder: Folder

    def loaded(self, **config: Any) -> Study:
        return load_study(settings_from_config({**self.folder.config(), **config}))

    def plan(self, last_stage: str = "evaluation", **config: Any) -> Plan:
        return make_plan(self.loaded(**config), last_stage)

    def report(self, **config: Any) -> PlanReport:
        return plan_report(self.loaded(**config))

    def inspection(self, **config: Any) -> Inspection:
        return inspect_cohort(self.loaded(**config))

    def run(self, **config: Any) -> int:
        """Make what is open and whose parents were made, as a run does; returns how many calls that took."""
        study, before = self.loaded(**config), self.folder.provider.calls
        inspection = inspect_cohort(study)
        adopt(study, inspection)
        runner = Runner(study.settings)
        failed: set[tuple[str, str]] = set()
        for specification in (study.specification(*key) for key in _parents_first(study) if key in inspection.open):
            try:
                if not failed.intersection(specification.sources):
                    runner.run(specification)
                    continue
            except GenerationError:
                pass
            failed.add(specification.key)
        runner.close()
        return self.folder.provider.calls - before


def made_in_process(folder: Path, provider: Provider, choice: Choice) -> Folder:
    """A study in a new folder that was made to its end in this process."""
    made = Folder.create(folder, provider, choice)
    made.build()
    with contextlib.chdir(made.folder):
        PlannedStudy(made).run()
    return made


def states(plan: Plan) -> dict[str, int]:
    """How many generations of each template are in each state, as in `{"draft thread: call": 2}`."""
    return dict(
        Counter(
            f"{one.specification.stage} {one.specification.template.template_id}: {one.state}"
            for one in plan.generations
        )
    )


def reasons(plan: Plan, stage: str) -> set[str]:
    """The different reasons for the generations of a stage."""
    return {one.reason for one in plan.generations if one.specification.stage == stage}


def number(plan: Plan, state: State) -> int:
    return sum(one.state == state for one in plan.generations)


def _parents_first(study: Study) -> list[tuple[str, str]]:
    return sorted(study.membership.generations, key=lambda key: study.membership.stages.names.index(key[0]))

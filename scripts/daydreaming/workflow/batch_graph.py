"""A cohort's graph for a run whose requests go out as batches: it holds what can be made now, nothing that waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from daydreaming.base.errors import Fault, InputError
from daydreaming.generation.specification import Key
from daydreaming.inputs.settings import Settings
from daydreaming.workflow.cohort_graph import CohortGraph

if TYPE_CHECKING:
    from daydreaming.workflow.batch_desk import Standing

# In place of a stage: the whole cohort.
ALL = ""


def uses_batches(settings: Settings) -> bool:
    """Whether requests to any endpoint go out as batches."""
    return any(settings.uses_batches(name) for name in settings.endpoints)


@dataclass
class BatchGraph(CohortGraph):
    """The graph of one run. `orders`: it collects and orders; else it says what waits, by what lies here."""

    run_id: str = ""
    orders: bool = False
    _standings: dict[str, Standing] = field(default_factory=dict, repr=False)

    def is_shown(self, key: Key) -> bool:
        """Whether a generation is in the graph: it has to be looked at, and does not wait for a batch."""
        if self.shows_all or self.is_of_job:
            return True
        return self.is_open(key) and key in self._standing().makeable

    def texts(self, *stages: str) -> list[str]:
        """The texts of the stages' generations that can be made now; what is ready for a batch is ordered before."""
        if not (self.shows_all or self.is_of_job):
            self._settle(self._last_of(stages))
        return super().texts(*stages)

    def score_files(self) -> list[str]:
        """The tables of scores, where nothing waits; else the texts that can be made now."""
        return self._if_complete(super().score_files)

    def result_files(self) -> list[str]:
        """All results, where nothing waits; else the texts that can be made now."""
        return self._if_complete(super().result_files)

    def exported_files(self) -> list[str]:
        """The exports, where nothing waits; else the texts that can be made now."""
        return self._if_complete(super().exported_files)

    def bundled_files(self) -> list[str]:
        """The cohort in one file, where nothing waits; else the texts that can be made now."""
        return self._if_complete(super().bundled_files)

    def _if_complete(self, files: Callable[[], list[str]]) -> list[str]:
        texts = self.texts(*self.study.membership.stages.names)
        if self.shows_all or self.is_of_job or self._settle(ALL).is_complete:
            return files()
        return texts

    def _standing(self) -> Standing:
        if not self._standings:
            return self._settle(ALL, orders=False)
        names = self.study.membership.stages.names
        return self._standings.get(ALL) or self._standings[max(self._standings, key=names.index)]

    def _last_of(self, stages: tuple[str, ...]) -> str:
        """The stage that a target stands for, which asks for it and all that it is made from; ALL for every stage."""
        names = self.study.membership.stages.names
        return ALL if set(stages) == set(names) else max(stages, key=names.index)

    def _settle(self, last_stage: str, *, orders: bool = True) -> Standing:
        """Where the cohort stands up to a stage; looked at once in a run."""
        from daydreaming.workflow.batch_desk import BatchDesk

        if last_stage not in self._standings:
            desk = BatchDesk(self.study, self.run_id, self.tell)
            standing = desk.work(last_stage) if self.orders and orders else desk.look(last_stage)
            if text := desk.waiting_text(standing):
                self.tell(text)
            # A run that can neither send, nor make, nor wait for anything has failed.
            if standing.problems and not standing.waiting and not any(map(self.is_open, standing.makeable)):
                raise InputError(Fault("batches", standing.problems[0], "Nothing was sent, and nothing is paid."))
            self._standings[last_stage] = standing
        return self._standings[last_stage]

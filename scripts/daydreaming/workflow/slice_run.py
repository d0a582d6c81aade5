"""A cohort's graph for a run on a cluster: slices of it are jobs there, and files stand for them here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from daydreaming.cohort.slices import Slice, plan_slices
from daydreaming.generation.specification import Key
from daydreaming.watch.slurm import SliceJob, check_no_job_is_alive, job_name, made_by_run, slices_text
from daydreaming.workflow.cohort_graph import CohortGraph

FOLDER_OF_SLICES = ".snakemake/slices"
LOGS = Path("logs/slurm")
PROFILE_VARIABLE = "DAYDREAMING_SLURM"
JOB_NAME_VARIABLE = "DAYDREAMING_SLURM_JOB"


@dataclass
class SliceGraph(CohortGraph):
    """The graph of one run whose generations that are open are cut into slices, for each target that is asked for."""

    run_id: str = ""
    _slices: dict[str, Mapping[Slice, list[Key]]] = field(default_factory=dict, repr=False)

    REFUSED: ClassVar[str] = (
        "-F, -f, -R, --until, --omit-from and --batch do not reach the slices of a cluster. To make generations again, "
        "delete their parsed.txt (stored replies are read again), or run without --profile profiles/slurm."
    )

    @staticmethod
    def set_variables(project: Path) -> None:
        """Set the environment variables that the commands of the profile need."""
        os.environ[PROFILE_VARIABLE] = str(project / "profiles/slurm")
        os.environ["DAYDREAMING_PYTHON"] = sys.executable
        os.environ[JOB_NAME_VARIABLE] = job_name(Path.cwd())

    @property
    def planned(self) -> list[Key]:
        """The generations that this run makes: those of all targets that it was asked for."""
        return list(dict.fromkeys(key for slices in self._slices.values() for keys in slices.values() for key in keys))

    def texts(self, *stages: str) -> list[str]:
        """What stands for the texts of the stages' generations: the markers of their slices, if there are any."""
        wanted = self._targets(stages)
        membership, *_ = (self._made_slices(target)[0] for target in wanted)
        return [membership, *(marker for target in wanted for marker in self._made_slices(target)[1:])]

    def _targets(self, stages: Collection[str]) -> list[str]:
        """The targets that together make these stages: one for each that no other one of them is made from."""
        table = self.study.membership.stages
        needed = {name for stage in stages for name in table.chain(stage)[:-1]}
        return [stage.target for stage in table if stage.name in stages and stage.name not in needed]

    def evaluations_to_score(self) -> list[str]:
        """What has to be there before the scores are made."""
        scoring = [stage.name for stage in self.study.membership.stages.scoring]
        markers = self.texts(*scoring)[1:] if scoring else []
        return markers or super().evaluations_to_score()

    def comparisons_to_gather(self) -> list[str]:
        """What has to be there before the table of verdicts is made."""
        comparing = [stage.name for stage in self.study.membership.stages.comparing]
        markers = self.texts(*comparing)[1:] if comparing else []
        return markers or super().comparisons_to_gather()

    def slices(self, target: str) -> Mapping[Slice, list[Key]]:
        """The slices that have work for a target (`drafts`, ...), each with its open generations."""
        if target not in self._slices:
            membership = self.study.membership
            stages = membership.stages.chain(membership.stages.of_target(target))
            open_keys = [key for key in membership.generations if key[0] in stages and self.is_shown(key)]
            per_slice = self.study.settings.generations_per_slice
            self._slices[target] = plan_slices(membership, open_keys, per_slice)
        return self._slices[target]

    def _made_slices(self, target: str) -> list[str]:
        """The membership, and the marker that all slices of a target were made; none where nothing is open."""
        marker = [f"{FOLDER_OF_SLICES}/{self.run_id}-{target}.done"] if self.slices(target) else []
        return [str(self.study.cohort_files.membership), *marker]

    def files(self, target: str) -> list[str]:
        """The markers of the slices of a target."""
        return [self._file(target, one, ".done") for one in self.slices(target)]

    def work(self, target: str, number: str) -> str:
        """What a slice makes, in words; its own job on the cluster has no need to look for it again."""
        if self.is_of_job:
            return ""
        keys = next(keys for one, keys in self.slices(target).items() if one.number == int(number))
        counts = [(stage, sum(key[0] == stage for key in keys)) for stage in self.study.membership.stages.names]
        return ", ".join(f"{count:,} open {stage}s" for stage, count in counts if count)

    def begin(self) -> None:
        """Raise InputError while jobs of an earlier run work on this folder."""
        check_no_job_is_alive(os.environ[JOB_NAME_VARIABLE])

    def end(self, failed: bool) -> str:
        """Remove what only this run needs. Returns what became of each slice, if one failed. Raises OSError."""
        told = self._report() if failed else ""
        for marker in Path(FOLDER_OF_SLICES).glob(f"{self.run_id}-*"):
            marker.unlink()
        return told

    def _report(self) -> str:
        made = made_by_run(self.study.cohort_files.journal, self.run_id)
        texts = []
        for target, slices in self._slices.items():
            jobs = {one: self._job(target, one) for one in slices}
            texts.append(slices_text(slices, jobs, made))
        return "\n".join(texts)

    def _file(self, target: str, slice_: Slice, suffix: str) -> str:
        """A file of one slice of this run. No other run has the same: what an earlier one left hides no work."""
        return f"{FOLDER_OF_SLICES}/{self.run_id}-{target}-{slice_.number}-of-{slice_.count}{suffix}"

    def _job(self, target: str, slice_: Slice) -> SliceJob:
        """The Slurm job that made a slice, as submit.sh has left its id."""
        id_file = Path(self._file(target, slice_, ".job"))
        job_id = id_file.read_text().strip() if id_file.exists() else ""
        state = [f"{os.environ[PROFILE_VARIABLE]}/state.sh", job_id]
        said = subprocess.run(state, capture_output=True, text=True).stdout.strip() if job_id else ""
        return SliceJob(job_id, said, LOGS / f"{job_id}.log")

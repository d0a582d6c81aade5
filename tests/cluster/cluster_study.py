"""Studies of chains of three calls each, which are made on the cluster, and what the provider's ledger says of them."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fault_study import delivered
from slurm_cluster import wait_until

from daydreaming.inputs.configuration import merge
from provider import Call, Provider
from studies import Choice, Run, Study
from studies.study import PROJECT, environment

PROFILE = str(PROJECT / "profiles/slurm")


class ClusterStudy(Study):
    """A study that runs on the cluster, or here."""

    @classmethod
    def with_chains(cls, folder: Path, provider: Provider, chains: int, **config: Any) -> ClusterStudy:
        """Make a study of so many chains (replicates, told apart by their seeds) and build its cohort."""
        own = {
            "replicates": {"draft": chains},
            "stages": {"draft": {"seed": 1}},
            "endpoints": {"local": {"max_concurrency": None, "max_retries": 3}},
        }
        folder.mkdir(exist_ok=True)
        study = cls.create(folder, provider, Choice(essays=("developed",), config=merge(own, config)))
        study.build()
        return study

    def on_cluster(self, *arguments: str, code: int = 0) -> Run:
        """Run the workflow with the profile; raises as `run` does."""
        return self.command("snakemake", *self._arguments(*arguments), code=code)

    def start_on_cluster(
        self, *more: str, arguments: tuple[str, ...] | None = None, folder: Path | None = None
    ) -> subprocess.Popen:
        """Start the same in a process group of its own, or with other arguments in another folder."""
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", *(arguments or self._arguments()), *more],
            cwd=folder or self.folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _arguments(self, *arguments: str) -> list[str]:
        return ["--profile", PROFILE, "--directory", ".", "--seconds-between-status-checks", "1", *arguments]


def requests(calls: Iterable[Call]) -> Counter[str]:
    """The requests that got a reply, each with the number of its replies."""
    return Counter(call.body_sha256 for call in delivered(calls))


def wait_for_calls(provider: Provider, calls: int, process: subprocess.Popen) -> None:
    """Wait until the provider has had so many calls; AssertionError if the run is over before."""
    wait_until(lambda: provider.calls >= calls or process.poll() is not None, f"{calls} calls")
    assert process.poll() is None, f"the run was over after {provider.calls} calls:\n{process.communicate()[0]}"

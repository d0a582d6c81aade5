"""Studies that meet faults: chains of two calls each, runs in the background, and what the provider's ledger proves."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from daydreaming.base.errors import GenerationError
from daydreaming.ledger.replies import ReplyStore
from provider import Call, Provider
from studies import Choice, Run, Study
from studies.study import PROJECT, environment, with_target

PATIENCE_S = 180
# The first words of the prompts of the two kinds of calls, for `prompt_contains`.
DRAFT, EVALUATION = "draft thread", "evaluation novelty"
# What these rules of the provider send with status 200 is no completion.
NOT_COMPLETIONS = frozenset({"html", "error in 200"})


class FaultStudy(Study):
    """A study of drafts that are copied as essays and judged once: two calls a chain, each with a body of its own."""

    @classmethod
    def with_chains(cls, folder: Path, provider: Provider, chains: int = 3, **endpoint: Any) -> FaultStudy:
        """Make a study of so many chains (replicates, told apart by their seeds) and build its cohort."""
        endpoint = {"max_retries": 6, "max_concurrency": None, **endpoint}
        config = {
            "replicates": {"draft": chains},
            "stages": {"draft": {"seed": 1}},
            "endpoints": {"local": endpoint},
        }
        return cls._built(folder, provider, Choice(config=config))

    @classmethod
    def with_drafts(cls, folder: Path, provider: Provider, drafts: Sequence[str], **endpoint: Any) -> FaultStudy:
        """Make a study of a chain for each of these draft templates, and build its cohort."""
        return cls._built(folder, provider, Choice(drafts=drafts, config={"endpoints": {"local": endpoint}}))

    @classmethod
    def _built(cls, folder: Path, provider: Provider, choice: Choice) -> FaultStudy:
        folder.mkdir(exist_ok=True)
        study = cls.create(folder, provider, choice)
        study.build()
        return study

    def add_cohort(self, cohort: str) -> None:
        """Write the membership of another cohort of the same generations."""
        own = self.config()["cohort"]
        self.configure(cohort=cohort)
        self.build()
        self.configure(cohort=own)

    def start(self, *arguments: str, **config: Any) -> subprocess.Popen:
        """Start Snakemake in a process group of its own; `config` is given on the command line."""
        command = [
            sys.executable,
            "-m",
            "snakemake",
            *with_target(arguments),
            "-s",
            str(PROJECT / "Snakefile"),
            "-d",
            ".",
        ]
        if config:
            command += ["--config", *(f"{key}={json.dumps(value)}" for key, value in config.items())]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def errors(self) -> list[str]:
        """The kinds of failure of all generations that failed."""
        records = (orjson.loads(path.read_bytes()) for path in sorted(self.paths.gens.glob("*/*/metadata.json")))
        return [record["error"] for record in records if record["error"] != "none"]

    def replies(self) -> dict[str, str]:
        """The SHA-256 of the content of every stored reply, by its file's name."""
        return {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in self.paths.replies.glob("*/*.json")
        }

    def stored_calls(self) -> set[str]:
        """The provider's ids of the calls whose replies are stored: as a reply, or as the receipt of one.

        It stays a receipt where the disk had room for the answer, and none for a second file of it.
        """
        files = self.paths.replies.glob("*/*.json")
        kept = {orjson.loads(path.read_bytes())["reply"]["request_id"] for path in files}
        store = ReplyStore(self.paths)
        for receipt in self.paths.replies.glob("*/*.receipt"):
            with suppress(GenerationError):  # what was answered holds no reply
                reply = store.load(receipt.name.partition(".")[0])
                kept |= {reply.request_id} if reply is not None else set()
        store.close()
        return kept

    def scores(self, cohort: str | None = None) -> list[str]:
        """The lines of a cohort's table of scores, without its header."""
        table = self.paths.cohort(cohort or self.config()["cohort"]).reports / "parsed_scores.csv"
        return table.read_text(encoding="utf-8").splitlines()[1:]


def finish(process: subprocess.Popen) -> tuple[int, str]:
    """Wait for a started run and return its exit code and output; one that takes too long is killed and fails."""
    try:
        output, _ = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        kill_group(process)
        output, _ = process.communicate()
        raise AssertionError(f"the run did not end within {PATIENCE_S} s:\n{output}") from None
    return process.returncode, output


def at_once(*runs: Callable[[], Run]) -> list[Run]:
    """Have runs go on at the same time, and wait for all; each has the calls of all of them."""
    with ThreadPoolExecutor(len(runs)) as pool:
        return [going_on.result() for going_on in [pool.submit(run) for run in runs]]


def kill_group(process: subprocess.Popen) -> None:
    """Kill a run and all processes that it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def end(process: subprocess.Popen) -> None:
    """Kill what is left of a run, and close its output, which nobody reads."""
    kill_group(process)
    process.stdout.close()


def wait_for_calls(provider: Provider, calls: int, process: subprocess.Popen) -> None:
    """Wait until the provider has been called so often, or the run is over."""
    deadline = time.monotonic() + PATIENCE_S
    while provider.calls < calls and process.poll() is None:
        assert time.monotonic() < deadline, f"{provider.calls} calls, not {calls}"
        time.sleep(0.02)


def failures(output: str) -> list[str]:
    """The kinds and messages of the generations that failed, in the order in which a run has shown them."""
    return re.findall(r"failed, (\[\w+\] .*)", output)


def delivered(calls: Iterable[Call]) -> list[Call]:
    """The calls whose completion was handed over to its last byte."""
    return [
        call for call in calls if call.reply_sent and call.status == 200 and call.answered_by not in NOT_COMPLETIONS
    ]


def lost(calls: Iterable[Call], *studies: FaultStudy) -> list[Call]:
    """The calls whose completion was delivered and is in no study's reply store."""
    stored = {call for study in studies for call in study.stored_calls()}
    return [call for call in delivered(calls) if f"request-{call.sequence}" not in stored]


def repeated(calls: Sequence[Call]) -> list[Call]:
    """The calls that ask again what a delivered completion had answered already."""
    answered_at: dict[str, float] = {}
    for call in delivered(calls):
        answered_at[call.body_sha256] = min(call.ended_at, answered_at.get(call.body_sha256, call.ended_at))
    return [call for call in calls if call.received_at > answered_at.get(call.body_sha256, float("inf"))]

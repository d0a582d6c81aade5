"""Whatever happened to a study, from the command line: plan, dry run and run agree, and the texts are those of now.

tests/unit/generation/test_random_states.py does the same in one process, with more states and no interruptions.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from agreement import agreeing_run, texts_from_nothing
from fault_study import FaultStudy, finish, kill_group, wait_for_calls
from random_edits import EDITS, pick

from provider import Provider, faults
from studies import Choice

CHOICE = {"essays": ("copied", "developed"), "combos": (("sleep", "tides"), ("sleep", "maps"))}
# `make test` takes the first two.
SEEDS = [seed if seed < 2 else pytest.param(seed, marks=pytest.mark.full_set) for seed in range(24)]
SLOWLY_S, LONGEST_DELAY_S = 0.3, 0.6


def forget(study: FaultStudy, draw: random.Random) -> None:
    """Delete all that Snakemake knows."""
    shutil.rmtree(study.folder / ".snakemake", ignore_errors=True)


def run_stage(study: FaultStudy, draw: random.Random) -> None:
    """Make one generation without Snakemake, whether its parent is there or not."""
    row = pick(study, draw)
    arguments = ("--stage", row.stage, f"--gen-id={row.gen_id}", *draw.choice([(), ("--overwrite",)]))
    parent = study.paths.generation("draft" if row.stage == "essay" else "essay", row.parent_gen_id or "").parsed
    has_parent = row.stage == "draft" or parent.exists()
    study.script("run_stage.py", *arguments, code=0 if has_parent else 1)


def run_a_part(study: FaultStudy, draw: random.Random) -> None:
    study.run("-j8", draw.choice(["drafts", "essays", "evaluations"]))


def run_and_interrupt(study: FaultStudy, draw: random.Random) -> None:
    """Start a run and end it in the middle, in one of the ways in which runs end; it may be over before."""
    study.provider.script([faults.reply_slowly(SLOWLY_S)])
    process = study.start("-j2")
    wait_for_calls(study.provider, study.provider.calls + draw.randint(1, 4), process)
    try:
        process.wait(draw.uniform(0, LONGEST_DELAY_S))
    except subprocess.TimeoutExpired:
        end = draw.choice([kill_group, signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
        if end is kill_group:
            kill_group(process)
        else:
            (os.killpg if end == signal.SIGINT else os.kill)(process.pid, end)
    finish(process)
    study.provider.script([])
    study.run("--unlock")


RUNS = [run_stage, run_a_part, run_and_interrupt, run_and_interrupt]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, session_provider: Provider) -> FaultStudy:
    """A study of 10 generations that a run has made."""
    study = FaultStudy.create(tmp_path_factory.mktemp("made") / "study", session_provider, Choice(**CHOICE))
    study.build()
    study.run("-j8")
    return study


@pytest.mark.parametrize("seed", SEEDS)
def test_after_anything_all_agree_and_the_texts_are_those_of_a_run_from_nothing(
    seed: int, made: FaultStudy, tmp_path: Path, provider: Provider
):
    draw = random.Random(seed)
    study = FaultStudy(tmp_path / "study", provider)
    shutil.copytree(made.folder, study.folder)
    happened = []
    for kinds, number in ((EDITS, draw.randint(1, 4)), (RUNS, 1), ([*EDITS, forget], draw.randint(0, 3))):
        for action in draw.choices(kinds, k=number):
            happened.append(action.__name__)
            action(study, draw)
    print("what happened:", *happened)
    agreeing_run(study)
    assert study.parsed_texts() == texts_from_nothing(study, tmp_path / "nothing")

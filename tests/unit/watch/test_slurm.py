"""What is asked of Slurm and told of it; a program of our own stands for squeue."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from daydreaming.base.errors import InputError
from daydreaming.cohort.slices import Slice
from daydreaming.ledger.journal import Budget, Journal
from daydreaming.watch.slurm import SliceJob, check_no_job_is_alive, job_name, made_by_run, slices_text


@pytest.fixture
def squeue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a shell script in the place of squeue, and of every other program."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def install(script: str) -> None:
        program = tmp_path / "squeue"
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)

    return install


def test_a_folder_has_a_name_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert job_name(Path()) == job_name(tmp_path)
    assert job_name(tmp_path / "other") != job_name(tmp_path)
    assert job_name(tmp_path).startswith("daydreaming-")


def test_no_job_alive_is_no_error(squeue: Callable[[str], None]):
    squeue("exit 0")
    check_no_job_is_alive("mine")


def test_jobs_that_are_alive_are_named_with_the_cure(squeue: Callable[[str], None]):
    squeue('[ "$2" = --name=mine ] && echo 17 && echo 18')
    with pytest.raises(InputError, match="scancel 17 18"):
        check_no_job_is_alive("mine")


def test_a_controller_that_does_not_answer_is_a_clear_error(squeue: Callable[[str], None]):
    squeue("echo 'Unable to contact slurm controller' >&2; exit 1")
    with pytest.raises(InputError, match="Unable to contact slurm controller"):
        check_no_job_is_alive("mine")


def test_a_machine_without_slurm_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="no program squeue"):
        check_no_job_is_alive("mine")


def test_what_a_run_has_made_is_in_the_journal(tmp_path: Path):
    file = tmp_path / "journal.jsonl"
    for run, gen_id, result in [("r1", "a", "made"), ("r1", "b", "api"), ("r1", "c", "copied"), ("r2", "d", "made")]:
        journal = Journal(file, Budget(), run, lambda _: None)
        values = {"stage": "essay", "gen_id": gen_id, "template_id": "t", "llm_model_id": "m", "result": result}
        journal.write("generation", **values)
        journal.close()
    assert made_by_run(file, "r1") == {("essay", "a"), ("essay", "c")}
    assert made_by_run(tmp_path / "none", "r1") == set()


def test_the_summary_has_a_line_for_each_slice():
    planned = {Slice(1, 2): [("draft", "a"), ("essay", "b")], Slice(2, 2): [("draft", "c")]}
    jobs = {Slice(1, 2): SliceJob("17", "CANCELLED", Path("logs/17.log")), Slice(2, 2): SliceJob("", "", Path())}
    assert slices_text(planned, jobs, {("draft", "a")}).splitlines() == [
        "Slices",
        "  slice 1 of 2 (Slurm job 17: CANCELLED), 1 of 2 generations made, log logs/17.log",
        "  slice 2 of 2 (not submitted), 0 of 1 generations made",
    ]

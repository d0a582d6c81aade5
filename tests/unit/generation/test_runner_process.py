import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from core_fixtures import settings_for
from provider_fixtures import wait_until
from runner_fixtures import Project

from daydreaming.base.errors import FailureKind, GenerationError, RunStoppedError
from daydreaming.generation.runner_process import RunnerProcess
from provider import Answer, Provider, Rule, faults

PATIENCE_S = 30


@pytest.fixture
def start(project: Project) -> Iterator[Callable[..., RunnerProcess]]:
    started: list[RunnerProcess] = []

    def start(calls_in_flight: int = 8, **endpoint: Any) -> RunnerProcess:
        settings = settings_for(project.base_url, endpoint, data_root=str(project.root))
        started.append(RunnerProcess(settings, "run", calls_in_flight))
        return started[-1]

    yield start
    for runner in started:
        runner.close()


def process_of(runner: RunnerProcess) -> psutil.Process:
    return psutil.Process(runner.process_id)


def test_makes_generations_and_ends_when_it_is_closed(project: Project, start: Callable, provider: Provider):
    runner = start()
    made = [project.specification(gen_id=f"draft-{number}", replicate=number) for number in range(1, 21)]
    futures = [runner.submit(one) for one in made]
    assert [future.result(PATIENCE_S) for future in futures] == [None] * 20
    assert project.results() == ["made"] * 20
    assert provider.calls == 20
    assert {project.metadata(one)["error"] for one in made} == {"none"}
    process = process_of(runner)
    runner.close()
    assert not process.is_running()


def test_a_failure_comes_with_its_kind_and_its_stack_trace(project: Project, start: Callable, provider: Provider):
    provider.script([faults.fault_status(401)])
    future = start().submit(project.specification())
    error = future.exception(PATIENCE_S)
    assert isinstance(error, GenerationError)
    assert error.kind == FailureKind.API
    assert "status 401" in error.message
    assert "CallError" in "".join(traceback.format_exception(error))
    assert project.metadata(project.specification())["error"] == "api"


def test_never_more_calls_in_flight_than_allowed(project: Project, start: Callable, provider: Provider):
    provider.script([faults.reply_slowly(0.1)])
    runner = start(calls_in_flight=3)
    futures = [runner.submit(project.specification(gen_id=f"d{number}", replicate=number)) for number in range(1, 13)]
    assert [future.exception(PATIENCE_S) for future in futures] == [None] * 12
    assert provider.stats().peak_in_flight == 3


def test_stopped_it_ends_the_call_in_flight_and_starts_no_other(project: Project, start: Callable, provider: Provider):
    provider.script([faults.reply_slowly(0.5)])
    runner = start(calls_in_flight=1)
    made = [project.specification(gen_id=f"d{number}", replicate=number) for number in (1, 2, 3)]
    futures = [runner.submit(one) for one in made]
    wait_until(lambda: provider.calls == 1)
    runner.stop_calling()
    runner.wait()
    late = runner.submit(project.specification(gen_id="d4", replicate=4))
    outcomes = [type(future.exception(PATIENCE_S)) for future in (*futures, late)]
    assert sorted(outcomes, key=str) == sorted([type(None), RunStoppedError, RunStoppedError, RunStoppedError], key=str)
    assert provider.calls == 1
    assert project.results() == ["made"]
    again = start()
    assert [again.submit(one).exception(PATIENCE_S) for one in made] == [None] * 3
    assert provider.calls == 3


def test_stopped_it_does_not_try_a_failed_call_again_and_calls_it_no_failure(
    project: Project, start: Callable, provider: Provider
):
    provider.script([Rule("busy", Answer(status=503, latency_s=0.5))])
    made = project.specification()
    runner = start(max_retries=6)
    future = runner.submit(made)
    wait_until(lambda: provider.calls == 1)
    runner.stop_calling()
    assert isinstance(future.exception(PATIENCE_S), RunStoppedError)
    assert provider.calls == 1
    assert project.results() == []
    provider.script([])
    assert start().submit(made).exception(PATIENCE_S) is None


def test_a_stopped_one_still_makes_what_needs_no_call(project: Project, start: Callable, provider: Provider):
    made = project.specification()
    project.run(made)
    (project.root / "gens/draft/draft-1/parsed.txt").unlink()
    runner = start()
    runner.stop_calling()
    assert runner.submit(made).exception(PATIENCE_S) is None
    assert provider.calls == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_to_the_whole_group_lose_no_reply(number: int, project: Project, start: Callable, provider: Provider):
    provider.script([faults.reply_slowly(0.5)])
    runner = start()
    future = runner.submit(project.specification())
    wait_until(lambda: provider.calls == 1)
    os.kill(runner.process_id, number)
    assert future.exception(PATIENCE_S) is None


def test_calls_in_flight_outlive_a_killed_parent_and_no_other_starts(project: Project, provider: Provider):
    provider.script([faults.reply_slowly(1)])
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()

    def parent() -> None:
        runner = RunnerProcess(settings_for(project.base_url, data_root=str(project.root)), "run", 2)
        for number in range(1, 6):
            runner.submit(project.specification(gen_id=f"d{number}", replicate=number))
        theirs.send(runner.process_id)
        time.sleep(PATIENCE_S)

    killed = context.Process(target=parent)
    killed.start()
    process = psutil.Process(ours.recv())
    wait_until(lambda: provider.calls == 2)
    killed.kill()
    killed.join()
    psutil.wait_procs([process], timeout=PATIENCE_S)
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    assert provider.calls == 2
    assert len(project.stored()) == 2
    assert project.results() == ["made", "made"]


def test_a_process_that_has_ended_fails_what_it_was_making_and_all_that_follows(
    project: Project, start: Callable, provider: Provider
):
    provider.script([faults.reply_slowly(5)])
    runner = start()
    future = runner.submit(project.specification())
    wait_until(lambda: provider.calls == 1)
    runner.kill()
    for error in (future.exception(PATIENCE_S), runner.submit(project.specification()).exception(PATIENCE_S)):
        assert isinstance(error, GenerationError)
        assert error.kind == FailureKind.INTERNAL
        assert "exit status -9" in error.message


def test_it_does_not_import_a_module_of_the_working_folder(
    project: Project, start: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "openai.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    assert start().submit(project.specification()).exception(PATIENCE_S) is None

"""The process that makes generations for another one: asked with the arguments of run_stage.py, over a socket."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from provider_fixtures import wait_until

from daydreaming.generation.runner_messages import Failure, RunEnd
from daydreaming.generation.runner_process import RunnerProcess
from daydreaming.generation.started_runner import StartedRunner
from provider import Answer, Provider, Rule, faults
from studies import Choice, Study
from studies.study import PROJECT

PATIENCE_S = 90
PROGRAM = (sys.executable, str(PROJECT / "scripts" / "run_stage.py"))
DRAFTS = 12


class Asker:
    """Asks a runner's process for drafts of a study, and gathers what it says of them."""

    def __init__(self, study: Study, calls_in_flight: int = 8):
        self.study = study
        self.results: dict[int, Failure | None] = {}
        self.journals: list[str] = []
        self._changed = threading.Condition()
        started = StartedRunner(PROGRAM, ("--directory", str(study.folder)), "run", calls_in_flight)
        self.runner = RunnerProcess(started, self._take, self.journals.append)

    def _take(self, ticket: int, failure: Failure | None) -> None:
        with self._changed:
            assert ticket not in self.results, "each generation is told of once"
            self.results[ticket] = failure
            self._changed.notify_all()

    def submit(self, *tickets: int) -> None:
        for ticket in tickets:
            gen_id = self.study.rows("draft")[ticket].gen_id
            self.runner.submit(
                ticket, ("--directory", str(self.study.folder), "--stage", "draft", f"--gen-id={gen_id}")
            )

    def wait_for(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.results) >= count, PATIENCE_S), self.results


@pytest.fixture
def study(tmp_path: Path, provider: Provider) -> Study:
    config = {"replicates": {"draft": DRAFTS}, "stages": {"draft": {"seed": 1}}}
    made = Study.create(tmp_path / "study", provider, Choice(config=config))
    made.build()
    return made


@pytest.fixture
def start(study: Study) -> Iterator[Callable[..., Asker]]:
    started: list[Asker] = []

    def start(calls_in_flight: int = 8) -> Asker:
        started.append(Asker(study, calls_in_flight))
        return started[-1]

    yield start
    for asker in started:
        asker.runner.close()


def outcomes(study: Study) -> list[str]:
    return [event["result"] for event in study.events() if event["event"] == "generation"]


def test_makes_generations_and_ends_when_it_is_closed(study: Study, start: Callable, provider: Provider):
    asker = start()
    asker.submit(*range(DRAFTS))
    asker.wait_for(DRAFTS)
    assert set(asker.results.values()) == {None}
    assert outcomes(study) == ["made"] * DRAFTS
    assert provider.calls == DRAFTS
    assert asker.journals == [str(study.paths.cohort("c1").journal)]
    process = psutil.Process(asker.runner.process_id)
    keys = tuple(("draft", row.gen_id) for row in study.rows("draft"))
    assert f"draft       {DRAFTS} made" in asker.runner.end(RunEnd(keys, wants_scores=False, seconds=1.0))
    asker.runner.close()
    assert not process.is_running()


def test_a_failure_comes_with_its_kind_and_its_stack_trace(start: Callable, provider: Provider):
    provider.script([faults.fault_status(401)])
    asker = start()
    asker.submit(0)
    asker.wait_for(1)
    failure = asker.results[0]
    assert failure is not None
    assert "[api]" in failure.message
    assert "status 401" in failure.message
    assert "CallError" in failure.trace
    assert not failure.was_stopped


def test_a_generation_that_the_cohort_has_not_fails_alone(study: Study, start: Callable):
    asker = start()
    asker.runner.submit(99, ("--directory", str(study.folder), "--stage", "draft", "--gen-id=nobody"))
    asker.submit(0)
    asker.wait_for(2)
    assert "the cohort has no draft 'nobody'" in asker.results[99].message
    assert asker.results[0] is None


@pytest.mark.parametrize("arguments", [(), ("--stage", "poem", "--gen-id=a"), ("--directory", "/nowhere")])
def test_arguments_that_are_none_end_as_one_failure(arguments: tuple[str, ...], start: Callable):
    asker = start()
    asker.runner.submit(99, arguments)
    asker.submit(0)
    asker.wait_for(2)
    assert asker.results[99] is not None
    assert asker.results[0] is None


def test_never_more_calls_in_flight_than_allowed(start: Callable, provider: Provider):
    provider.script([faults.reply_together(3)])
    asker = start(calls_in_flight=3)
    asker.submit(*range(DRAFTS))
    asker.wait_for(DRAFTS)
    assert set(asker.results.values()) == {None}
    assert provider.stats().peak_in_flight == 3


def test_stopped_it_ends_the_call_in_flight_and_starts_no_other(study: Study, start: Callable, provider: Provider):
    provider.script([faults.reply_held()])
    asker = start(calls_in_flight=1)
    asker.submit(0, 1, 2)
    wait_until(lambda: provider.calls == 1)
    asker.runner.stop_calling()
    asker.wait_for(2)
    provider.release()
    asker.runner.wait()
    asker.submit(3)
    asker.wait_for(4)
    stopped = [failure for failure in asker.results.values() if failure is not None]
    assert len(stopped) == 3
    assert all(failure.was_stopped for failure in stopped)
    assert provider.calls == 1
    assert outcomes(study) == ["made"]
    provider.script([])
    again = start()
    again.submit(0, 1, 2)
    again.wait_for(3)
    assert provider.calls == 3


def test_stopped_it_does_not_try_a_failed_call_again_and_calls_it_no_failure(
    study: Study, start: Callable, provider: Provider
):
    provider.script([Rule("busy", Answer(status=503, held=True))])
    asker = start(calls_in_flight=1)
    asker.submit(0, 1)
    wait_until(lambda: provider.calls == 1)
    asker.runner.stop_calling()
    asker.wait_for(1)
    provider.release()
    asker.wait_for(2)
    assert all(failure.was_stopped for failure in asker.results.values())
    assert provider.calls == 1
    assert outcomes(study) == []


def test_a_stopped_one_still_makes_what_needs_no_call(study: Study, start: Callable, provider: Provider):
    first = start()
    first.submit(0)
    first.wait_for(1)
    study.files(study.rows("draft")[0]).parsed.unlink()
    asker = start()
    asker.runner.stop_calling()
    asker.submit(0)
    asker.wait_for(1)
    assert asker.results == {0: None}
    assert provider.calls == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_to_the_whole_group_lose_no_reply(number: int, start: Callable, provider: Provider):
    provider.script([faults.reply_held()])
    asker = start()
    asker.submit(0)
    wait_until(lambda: provider.calls == 1)
    os.kill(asker.runner.process_id, number)
    provider.release()
    asker.wait_for(1)
    assert asker.results == {0: None}


def test_calls_in_flight_outlive_a_killed_parent_and_no_other_starts(study: Study, provider: Provider):
    provider.script([faults.reply_held()])
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()

    def parent() -> None:
        asker = Asker(study, calls_in_flight=2)
        asker.submit(*range(5))
        theirs.send(asker.runner.process_id)
        time.sleep(PATIENCE_S)

    killed = context.Process(target=parent)
    killed.start()
    assert ours.poll(PATIENCE_S)
    process = psutil.Process(ours.recv())
    wait_until(lambda: provider.calls == 2)
    killed.kill()
    killed.join()
    provider.release()
    psutil.wait_procs([process], timeout=PATIENCE_S)
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    assert provider.calls == 2
    assert len(list(study.paths.replies.glob("??/*.json"))) == 2
    assert outcomes(study) == ["made", "made"]


def test_a_process_that_has_ended_fails_what_it_was_making_and_all_that_follows(start: Callable, provider: Provider):
    provider.script([faults.reply_held()])
    asker = start()
    asker.submit(0)
    wait_until(lambda: provider.calls == 1)
    asker.runner.kill()
    asker.wait_for(1)
    asker.submit(1)
    asker.wait_for(2)
    for failure in asker.results.values():
        assert "exit status -9" in failure.message
    assert asker.runner.end(RunEnd((), wants_scores=False, seconds=1.0)) == ""


@pytest.mark.parametrize("code", ["import os; os._exit(3)", "import sys; sys.exit(0)", "raise ValueError"])
def test_a_program_that_never_serves_fails_what_it_is_asked(code: str, study: Study, tmp_path: Path):
    program = tmp_path / "broken.py"
    program.write_text(code, encoding="utf-8")
    results: dict[int, Failure | None] = {}
    started = StartedRunner((sys.executable, str(program)), (), "run", 2)
    runner = RunnerProcess(started, results.__setitem__)
    runner.submit(0, ("--stage", "draft"))
    runner.wait()
    runner.submit(1, ("--stage", "draft"))
    runner.close()
    assert set(results) == {0, 1}
    assert all("has ended" in failure.message for failure in results.values())


def test_it_does_not_import_a_module_of_the_working_folder(
    start: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "openai.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(tmp_path)
    asker = start()
    asker.submit(0)
    asker.wait_for(1)
    assert asker.results == {0: None}

"""Servers that are started for an endpoint (`start`): shared, ended with the last who uses them, their death told."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from client_fixtures import CONTEXT, Caller, several
from core_fixtures import KEY_ENV, request, settings_for
from provider_fixtures import wait_until
from small_server import ANSWERED

from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.generation.study import answerer
from daydreaming.ledger.received import Reply
from daydreaming.llm.client import ModelClient
from daydreaming.llm.local_servers import servers_kept

SERVER = Path(__file__).parents[1] / "small_server.py"
# A process that makes one call, says what was answered, and then does what it is told.
CALLING = """
    import asyncio, sys
    sys.path[:0] = {path!r}
    from client_fixtures import CONTEXT, Caller
    from core_fixtures import request
    from daydreaming.llm.client import ModelClient
    from pathlib import Path

    async def main():
        caller = Caller(Path.cwd(), None, start={start!r})
        client = ModelClient(caller.settings, caller.store)
        done = await client.complete(request(replicate={replicate}), CONTEXT, caller.journal)
        print(done.reply.text, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await client.close()
    asyncio.run(main())
"""


def command(behaviour: str = "") -> str:
    return shlex.join([sys.executable, "-S", "-E", str(SERVER), "{port}", *([behaviour] if behaviour else [])])


@pytest.fixture
def caller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Caller]]:
    """Makes callers that work in one folder; when the test ends no server of theirs may be left."""
    monkeypatch.chdir(tmp_path)

    def make(behaviour: str = "", base_url: str | None = None, **endpoint: Any) -> Caller:
        return Caller(tmp_path, base_url, **{"start": command(behaviour), **endpoint})

    yield make
    wait_until(lambda: not servers_in(tmp_path))


def servers_in(folder: Path, *, keepers: bool = True) -> list[psutil.Process]:
    """The servers, and their keepers, that work in a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            is_ours = str(SERVER) in words or (keepers and "daydreaming.llm.local_server_keeper" in words)
            if is_ours and process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def server_in(folder: Path) -> psutil.Process:
    (server,) = servers_in(folder, keepers=False)
    return server


def pids(answers: list[Reply | GenerationError]) -> set[str]:
    return {answer.text.split()[0] for answer in answers if isinstance(answer, Reply)}


def log_of(folder: Path) -> Path:
    (log,) = (folder / "logs" / "servers").glob("scripted-*.log")
    return log


def test_nothing_starts_before_the_first_call(caller, tmp_path: Path):
    client = ModelClient(caller().settings, caller().store)
    assert servers_in(tmp_path) == []
    asyncio.run(client.close())


def test_the_calls_of_a_process_share_a_server_that_ends_with_it(caller, tmp_path: Path):
    calling = caller("slow", max_concurrency=4)
    first = calling.call(*several(4))
    assert len(pids(first)) == 1
    wait_until(lambda: not servers_in(tmp_path))
    then = pids(calling.call(*several(8)[4:]))
    assert len(then) == 1
    assert then.isdisjoint(pids(first))
    assert log_of(tmp_path).read_text().count(str(SERVER)) == 2


def test_who_comes_while_a_keeper_ends_gets_a_server_of_its_own(
    caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    slow, may_end = tmp_path / "slow", tmp_path / "may end"
    slow.mkdir()
    ends = f"""
        import atexit, time
        from pathlib import Path
        def wait():
            longest = time.monotonic() + 60
            while not Path({str(may_end)!r}).exists() and time.monotonic() < longest:
                time.sleep(0.01)
        atexit.register(wait)
    """
    (slow / "sitecustomize.py").write_text(textwrap.dedent(ends))
    monkeypatch.setenv("PYTHONPATH", str(slow))
    calling = caller()
    first, second = several(2)
    before = pids(calling.call(first))
    wait_until(lambda: not servers_in(tmp_path, keepers=False))
    assert len(servers_in(tmp_path)) == 1
    after = pids(calling.call(second))
    may_end.touch()
    assert len(before) == len(after) == 1
    assert before != after


def test_a_server_is_asked_only_when_it_says_that_it_is_ready(caller):
    assert int(caller("slow").reply().text.split()[1]) == 4


def test_it_gets_the_key_of_its_endpoint_and_none_of_another(caller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv(KEY_ENV, "hidden-from-others")
    monkeypatch.setenv("OTHER_TEST_KEY", "never-for-it")
    calling = caller()
    server = {"start": command(), "api_key_env": KEY_ENV}
    other = {"base_url": "http://127.0.0.1:1/v1", "headers": {"X-Key": "$OTHER_TEST_KEY"}}
    calling.settings = settings_for(
        None, server, data_root=str(tmp_path), endpoints={"scripted": server, "other": other}
    )
    assert f"['{KEY_ENV}']" in calling.reply().text
    assert "hidden-from-others" not in log_of(tmp_path).read_text()


def test_a_server_that_dies_at_its_start_is_told_with_its_log(caller, tmp_path: Path):
    failures = caller("broken").call(*several(3))
    assert {(failure.kind, failure.message) for failure in failures} == {(FailureKind.CONNECTION, failures[0].message)}
    assert "The server of endpoint 'scripted' ended with exit status 1." in failures[0].message
    assert f"Its log is {log_of(tmp_path)}" in failures[0].message
    assert "endpoints.scripted.start" in failures[0].message
    log = log_of(tmp_path).read_text()
    assert log.count("no such model file") == 1
    assert log.count(str(SERVER)) == 1


def test_a_program_that_there_is_not_is_told(caller):
    failure = caller(start="llama-serve --port {port}").failure()
    assert "could not be run: 'llama-serve', No such file or directory" in failure.message


@pytest.mark.parametrize("max_retries", [0, 3])
def test_a_server_that_dies_in_the_middle_is_told_and_not_started_again(
    caller, tmp_path: Path, max_retries: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("daydreaming.llm.local_server.NOTICED_S", 60.0)
    calling = caller("mortal", max_retries=max_retries, max_concurrency=1)
    failures = calling.call(*several(3))
    assert {failure.kind for failure in failures} <= {FailureKind.CONNECTION, FailureKind.NOT_TRIED}
    assert all(f"ended with exit status 7. Its log is {log_of(tmp_path)}" in failure.message for failure in failures)
    log = log_of(tmp_path).read_text()
    assert (log.count(str(SERVER)), log.count("out of memory")) == (1, 1)


def test_a_server_that_is_never_ready_is_not_waited_for_for_ever(
    caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def later() -> float:
        """A clock that is far ahead when the server has answered once."""
        return time.monotonic() + (1000 if (tmp_path / ANSWERED).exists() else 0)

    monkeypatch.setattr("daydreaming.llm.local_server.time", SimpleNamespace(monotonic=later))
    failure = caller("silent", loading_wait_s=300).failure()
    assert failure.kind == FailureKind.CONNECTION
    assert "was not ready after 300 s (loading_wait_s); /health of it said status 503" in failure.message


def test_a_run_that_is_stopped_does_not_wait_for_a_server_that_loads(caller, tmp_path: Path):
    async def stop_while_it_loads() -> None:
        calling = caller("silent")
        client = ModelClient(calling.settings, calling.store)
        call = asyncio.create_task(client.complete(request(), CONTEXT, calling.journal))
        while not servers_in(tmp_path):
            await asyncio.sleep(0.02)
        client.stop()
        await client.close()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(stop_while_it_loads())


def test_a_server_whose_keeper_was_killed_goes_with_it_and_is_started_again(caller, tmp_path: Path):
    async def kill_and_call() -> tuple[str, str]:
        calling = caller(max_retries=3)
        client = ModelClient(calling.settings, calling.store)
        one, two = several(2)
        before = await client.complete(one, CONTEXT, calling.journal)
        server = server_in(tmp_path)
        for process in servers_in(tmp_path):
            if process != server:
                process.kill()
        while server in servers_in(tmp_path):
            await asyncio.sleep(0.02)
        after = await client.complete(two, CONTEXT, calling.journal)
        await client.close()
        return before.reply.text, after.reply.text

    before, after = asyncio.run(kill_and_call())
    assert before.split()[0] != after.split()[0]


def test_who_only_keeps_servers_starts_none_and_lets_that_of_others_go_on(caller, tmp_path: Path):
    calling = caller()
    one, two = several(2)
    with servers_kept(calling.settings):
        assert servers_in(tmp_path) == []
        assert pids(calling.call(one)) == pids(calling.call(two))
        assert server_in(tmp_path)


@pytest.fixture
def processes(tmp_path: Path, caller) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts processes that each make a call and then wait for a line."""
    started: list[subprocess.Popen[str]] = []
    path = [str(SERVER.parent), str(SERVER.parents[1])]

    def start() -> subprocess.Popen[str]:
        script = textwrap.dedent(CALLING).format(path=path, start=command("slow"), replicate=len(started) + 1)
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", script],
                cwd=tmp_path,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_processes_share_a_server_until_the_last_of_them_ends(processes, tmp_path: Path):
    one, other = processes(), processes()
    answers = [process.stdout.readline().split()[0] for process in (one, other)]
    assert answers[0] == answers[1]
    one.communicate("\n")
    assert one.returncode == 0
    assert psutil.pid_exists(int(answers[0]))
    other.communicate("\n")
    wait_until(lambda: not servers_in(tmp_path))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_process_that_is_killed_leaves_no_server(processes, tmp_path: Path, number: signal.Signals):
    process = processes()
    assert process.stdout.readline()
    assert len(servers_in(tmp_path)) == 2
    os.killpg(process.pid, number)
    if number == signal.SIGINT:  # asyncio then waits for the thread that reads the line
        process.communicate("\n")
    wait_until(lambda: not servers_in(tmp_path))


def test_requests_and_limits_are_named_by_the_command_and_not_by_the_port(caller, tmp_path: Path):
    calling = caller(max_concurrency=2)
    calling.reply()
    limits = {path.name for path in calling.settings.limits_dir.glob("*.slots")}
    wait_until(lambda: not servers_in(tmp_path))
    calling.call(request(replicate=2))
    assert {path.name for path in calling.settings.limits_dir.glob("*.slots")} == limits
    said = answerer(calling.settings, "scripted")
    assert said == f"local:{command()}"
    written_otherwise = "  ".join(map(shlex.quote, shlex.split(command())))
    spaced = settings_for(None, {"start": written_otherwise}, data_root=str(tmp_path))
    assert answerer(spaced, "scripted") == said


def test_a_path_of_the_api_can_be_given(caller):
    assert caller(base_url="http://localhost/api/v2").reply().text.split()[2] == "/api/v2/chat/completions"


def test_llama_cpp_serves_the_weights_of_the_embedded_model(caller, tmp_path: Path):
    program = tmp_path / "llama_server.py"
    program.write_text(
        textwrap.dedent("""
        import sys, threading, xllamacpp
        from daydreaming.llm.embedded_server import _weights
        params = xllamacpp.CommonParams()
        params.model.path, params.hostnames, params.port = str(_weights()), ["127.0.0.1"], int(sys.argv[2])
        params.fit_params, params.n_gpu_layers, params.n_ctx, params.n_parallel = False, 0, 512, 1
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
        server = xllamacpp.Server(params)
        threading.Event().wait()
        """)
    )
    start = shlex.join([sys.executable, str(program), "--port", "{port}"])
    (reply,) = caller(start=start, timeout_s=60).call(request(extra_body={"grammar": 'root ::= "SCORE: " [0-9]'}))
    assert isinstance(reply, Reply), reply
    assert re.fullmatch(r"SCORE: \d", reply.text)

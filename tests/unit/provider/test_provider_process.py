"""The scripted provider as a process: its limits, its ledger file, its life and its end."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openai
import psutil
import pytest
from provider_fixtures import PATIENCE_S, PROMPT, ask, has_ended, wait_until

from provider import Call, Provider, client, faults


def test_rate_above_the_limit_gets_429():
    with Provider(max_calls_per_window=2, window_s=30) as provider:
        ask(provider), ask(provider)
        with pytest.raises(openai.RateLimitError) as caught:
            ask(provider)
        assert 1 <= int(caught.value.response.headers["retry-after"]) <= 30
        assert provider.stats().answered_by == {"default": 2, "over rate": 1}
        assert provider.stats().peak_calls_per_window == 3
        assert caught.value.response.headers["x-ratelimit-remaining-requests"] == "0"


def test_rate_recovers_when_the_window_has_passed():
    with Provider(max_calls_per_window=1, window_s=0.3) as provider:
        ask(provider)
        time.sleep(0.35)
        ask(provider)
        assert provider.stats().answered_by == {"default": 2}


def test_three_hundred_at_once_through_aiohttp_and_a_cap_of_250():
    with Provider([faults.reply_slowly(600)], max_concurrency=250, keep_bodies=False) as provider:
        asyncio.run(_ask_until_all_came(provider, 300))
        assert provider.stats().peak_in_flight == 251, "250 wait, and the one that is refused counts while it is here"
        calls = provider.ledger()
    assert {call.body for call in calls} == {None}
    assert Counter(call.answered_by for call in calls if call.ended == "replied") == {"over concurrency": 50}


async def _ask_until_all_came(provider: Provider, number: int) -> None:
    async with openai.AsyncOpenAI(
        base_url=provider.base_url, api_key="key", max_retries=0, http_client=openai.DefaultAioHttpClient()
    ) as api_client:
        create = api_client.chat.completions.create
        asking = [asyncio.ensure_future(create(model="model-a", messages=PROMPT)) for _ in range(number)]
        await asyncio.to_thread(wait_until, lambda: provider.calls == number)
        for call in asking:
            call.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


def test_ledger_file_and_reset(tmp_path):
    ledger_file = tmp_path / "ledger.jsonl"
    with Provider(ledger_file=ledger_file) as provider:
        ask(provider)
        provider.reset_ledger()
        assert (provider.calls, provider.ledger(), ledger_file.read_text()) == (0, [], "")
        ask(provider, "The second.")
        (call,) = provider.ledger()
        assert (provider.calls, call.sequence) == (1, 2)
    (line,) = ledger_file.read_text().splitlines()
    assert Call(**json.loads(line)) == call


def test_stop_ends_the_process_and_writes_calls_in_flight(tmp_path):
    ledger_file = tmp_path / "ledger.jsonl"
    with ThreadPoolExecutor(1) as pool:
        with Provider([faults.reply_held()], ledger_file=ledger_file) as provider:
            asking = pool.submit(ask, provider)
            wait_until(lambda: provider.stats().in_flight == 1)
            assert [call.ended for call in provider.ledger()] == ["in flight"]
        assert isinstance(asking.exception(), openai.APIConnectionError)
    assert not psutil.pid_exists(provider.process_id)
    assert json.loads(ledger_file.read_text())["ended"] == "in flight"


def test_provider_does_not_outlive_a_killed_parent(tmp_path):
    program = "from provider import Provider; p = Provider(); p.start(); print(p.process_id, flush=True); input()"
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(Path(client.__file__).parents[1])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    process_id = int(parent.stdout.readline())
    assert psutil.pid_exists(process_id)
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    wait_until(lambda: has_ended(process_id))


def test_script_file_of_the_command_line(tmp_path):
    script = tmp_path / "script.json"
    script.write_text('[{"answer": {"latency": 1}}]')
    finished = subprocess.run(
        [sys.executable, "-m", "provider", f"--script={script}"],
        env={"PYTHONPATH": str(Path(client.__file__).parents[1])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert finished.returncode == 1
    assert "rule 1 of the script" in finished.stderr
    assert "latency" in finished.stderr

"""The line that says how a run goes."""

import io
import threading

import orjson
import pytest

from daydreaming.base.amounts import counted, duration, short_count, usd
from daydreaming.ledger.tally import JournalTail
from daydreaming.watch.progress import Progress, ProgressState, RecentRate, fitting_line
from daydreaming.watch.screen import Screen

START = 1_000_000.0


def write(path, *events, run="run-1"):
    with path.open("ab") as stream:
        stream.writelines(orjson.dumps({"run": run, "time": START, **event}) + b"\n" for event in events)


def call_started(call, reserved_usd=0.5, **details):
    return {"event": "call_started", "call": call, "reserved_usd": reserved_usd, **details}


def call_ended(call, **details):
    return {"event": "call_ended", "call": call, **details}


def generation(stage, gen_id, result, **details):
    who = {"stage": stage, "gen_id": gen_id, "template_id": "t", "llm_model_id": "m"}
    return {"event": "generation", **who, "result": result, **details}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


def state_of(path, totals):
    return ProgressState(JournalTail(path), "run-1", totals)


def state_after(path, *events, totals=None, run="run-1"):
    state = state_of(path, totals or {})
    write(path, *events, run=run)
    state.read()
    return state


def test_the_line_says_it_all(path):
    state = state_after(
        path,
        *(call_started(f"c{number}") for number in range(22)),
        *(
            call_ended(f"c{number}", cost_usd=0.01, prompt_tokens=900, completion_tokens=100, time=START + 5)
            for number in range(20)
        ),
        *(generation("draft", f"d{number}", "made", time=START + 5) for number in range(8)),
        generation("essay", "e1", "copied", time=START + 5),
        generation("draft", "d9", "parse", time=START + 5),
        totals={"draft": 20, "essay": 10},
    )
    assert state.line(START + 10) == (
        "draft 8/20, essay 1/10 | 2.0 calls/s | 2 in flight | 20.0k tokens | 0.2000 USD | 1 failed | 20 s left"
    )


def test_before_anything_has_happened_the_time_left_is_unknown(path):
    line = state_of(path, {"evaluation": 3}).line(START)
    assert line == "evaluation 0/3 | 0.0 calls/s | 0 in flight | 0 tokens | 0.0000 USD | 0 failed | - left"


def test_stages_without_a_total_are_counted_as_they_come(path):
    state = state_after(path, generation("draft", "d1", "reused"))
    assert state.line(START).startswith("draft 1 | ")


def test_earlier_lines_and_other_runs_do_not_count(path):
    write(path, generation("draft", "d0", "made"))
    state = state_after(path, generation("draft", "d1", "made"), totals={"draft": 5}, run="run-2")
    assert state.line(START).startswith("draft 0/5 | ")


@pytest.mark.parametrize(
    ("known", "unknown", "said"),
    [(1, 0, "0.2500 USD"), (1, 1, "at least 0.2500 USD"), (0, 1, "cost unknown")],
)
def test_a_cost_that_is_not_wholly_known_says_so(path, known, unknown, said):
    calls = [call_started(f"k{number}") for number in range(known)]
    calls += [call_ended(f"k{number}", cost_usd=0.25) for number in range(known)]
    calls += [call_started(f"u{number}", None) for number in range(unknown)]
    calls += [call_ended(f"u{number}", cost_usd=None, perhaps_billed=True) for number in range(unknown)]
    assert f"tokens | {said} |" in state_after(path, *calls).line(START)


def test_a_rate_forgets_what_is_older_than_its_window():
    rate = RecentRate(10)
    for moment in (0.0, 1.0, 20.0, 21.0):
        rate.add(moment)
    assert rate.per_second(now=22.0, since=0.0) == 2 / 10
    assert rate.per_second(now=40.0, since=0.0) == 0.0


def test_a_rate_is_over_the_time_that_has_passed_if_that_is_less():
    rate = RecentRate(60)
    for moment in (100.0, 100.5, 102.0, 101.0):
        rate.add(moment)
    assert rate.per_second(now=104.0, since=100.0) == 1.0
    assert rate.per_second(now=100.0, since=100.0) == 4.0


PARTS = [(0, "draft 1/2"), (2, "1 call"), (1, "0 failed"), (3, "9 s left")]


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        (None, "draft 1/2 | 1 call | 0 failed | 9 s left"),
        (40, "draft 1/2 | 1 call | 0 failed | 9 s left"),
        (39, "draft 1/2 | 1 call | 0 failed"),
        (29, "draft 1/2 | 1 call | 0 failed"),
        (28, "draft 1/2 | 0 failed"),
        (12, "draft 1/2"),
        (8, "draft 1…"),
    ],
)
def test_a_line_that_is_too_long_loses_its_least_parts_and_is_cut_in_the_end(columns, line):
    assert fitting_line(PARTS, columns) == line


@pytest.mark.parametrize("columns", [20, 80, 110, 200])
def test_the_line_of_a_large_run_fits_into_any_terminal(path, columns):
    totals = {"draft": 30_000, "essay": 30_000, "evaluation": 600_000}
    state = state_after(path, *(call_started(f"c{number}") for number in range(64)), totals=totals)
    assert len(state.line(START, columns)) <= columns
    if columns >= 80:
        assert state.line(START, columns).startswith("draft 0/30000, essay 0/30000, evaluation 0/600000 | ")


def test_in_a_file_the_end_has_a_line_and_only_one(path):
    stream = io.StringIO()
    progress = Progress(state_of(path, {"draft": 2}), Screen(stream))
    progress.start()
    write(path, generation("draft", "d1", "made"))
    progress.stop()
    progress.stop()
    [line] = stream.getvalue().splitlines()
    assert "draft 1/2" in line


def test_in_a_file_lines_are_added_while_it_goes(path):
    lines, enough = [], threading.Event()

    class Stream(io.StringIO):
        def write(self, text):
            lines.append(text)
            if len(lines) >= 2:
                enough.set()

    screen = Screen(Stream())
    screen.every_s = 0.01
    progress = Progress(state_of(path, {"draft": 2}), screen)
    progress.start()
    assert enough.wait(60)
    progress.stop()
    assert all("draft 0/2" in line for line in lines)


def test_on_a_terminal_the_last_column_stays_free(path):
    class Narrow(Screen):
        is_terminal, columns, every_s = True, 12, 0.01

        def __init__(self):
            self.lines, self.shown = [], threading.Event()

        def show(self, line):
            self.lines.append(line)
            self.shown.set()

        def remove_line(self):
            self.lines.append("removed")

    screen = Narrow()
    progress = Progress(state_of(path, {"evaluation": 30_000}), screen)
    progress.start()
    assert screen.shown.wait(60)
    progress.stop()
    assert {*screen.lines[:-1]} == {"evaluation…"}
    assert screen.lines[-1] == "removed"


def test_a_stream_that_is_gone_ends_nothing(path):
    stream = io.StringIO()
    screen = Screen(stream)
    screen.every_s = 0.01
    progress = Progress(state_of(path, {"draft": 1}), screen)
    progress.start()
    stream.close()
    progress.stop()


def test_what_a_run_holds_back_is_no_failure(path):
    state = state_after(path, generation("draft", "d1", "not_tried"), generation("draft", "d2", "kept"))
    assert "draft 1 | " in state.line(START)
    assert " | 0 failed | " in state.line(START)


def test_amounts():
    assert [usd(amount) for amount in (0, 0.001234, 0.5, 1234.567)] == [
        "0.0000 USD",
        "0.001234 USD",
        "0.5000 USD",
        "1,234.57 USD",
    ]
    assert [duration(seconds) for seconds in (-3, 59.4, 200, 7_500)] == ["0 s", "59 s", "3 min 20 s", "2 h 05 min"]
    assert [short_count(number) for number in (999, 9_999, 10_000, 123_456, 4_500_000, 2_000_000_000)] == [
        "999",
        "9999",
        "10.0k",
        "123k",
        "4.5M",
        "2.0G",
    ]
    assert [counted(number, "call") for number in (0, 1, 1_000)] == ["0 calls", "1 call", "1,000 calls"]

"""The benchmarks' own machinery: cohorts of a size, runs that count, medians and verdicts. Nothing here is timed."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from daydreaming.generation.study import load_study
from daydreaming.inputs.stages import DEFAULT_STAGES
from provider import Provider

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"
CHAINS = 250


@pytest.fixture(autouse=True)
def benchmarks_on_path(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))


@pytest.fixture
def bench_study(tmp_path, monkeypatch):
    from bench_study import make_study

    made = make_study(tmp_path / "study", CHAINS, "http://127.0.0.1:9/v1", in_flight=64)
    monkeypatch.chdir(made.folder)
    return made


def loaded():
    return load_study(yaml.safe_load(Path("config.yaml").read_text(encoding="utf-8")))


def test_study_has_one_draft_essay_and_evaluation_per_chain(bench_study):
    study = loaded()
    assert [len(study.membership.stage(stage)) for stage in DEFAULT_STAGES.names] == [CHAINS] * 3
    drafts = study.membership.stage("draft")
    assert len({draft.combo_id for draft in drafts}) == CHAINS
    assert len({combo.concept_ids for combo in study.combos.values()}) == CHAINS


def test_edited_template_concerns_as_many_chains_as_announced(bench_study):
    def fingerprints():
        study = loaded()
        drafts = study.membership.stage("draft")
        return {draft.gen_id: study.specification("draft", draft.gen_id).fingerprint() for draft in drafts}

    before = fingerprints()
    bench_study.edit_template("Be brief.")
    after = fingerprints()
    assert sum(before[gen_id] != after[gen_id] for gen_id in before) == bench_study.edited_chains == 3


def test_essays_can_be_copies(tmp_path, monkeypatch):
    from bench_study import make_study

    monkeypatch.chdir(make_study(tmp_path / "study", 4, "http://127.0.0.1:9/v1", 64, essay_generator="copy").folder)
    study = loaded()
    assert all(study.specification("essay", essay.gen_id).is_copy for essay in study.membership.stage("essay"))


@pytest.mark.parametrize(
    ("program", "calls_due", "error"),
    [("pass", 0, None), ("raise SystemExit(3)", 0, "exit code 3"), ("pass", 2, "0 calls instead of 2")],
)
def test_run_counts_only_with_a_good_end_and_the_calls_that_were_due(tmp_path, program, calls_due, error):
    from measuring import Load, measure

    with Provider(keep_bodies=False) as provider:
        run = measure("a case", Load(1, calls_due), provider, [sys.executable, "-c", program], tmp_path, {})
    assert run.error is None if error is None else run.error.startswith(error)


def test_output_of_all_runs_of_a_case_is_in_its_log(tmp_path):
    from measuring import run_measured

    for word in ("first", "second"):
        run_measured([sys.executable, "-c", f"print('{word}')"], tmp_path / "logs" / "case.log", {})
    assert (tmp_path / "logs" / "case.log").read_text(encoding="utf-8").split() == ["first", "second"]


@pytest.fixture
def run():
    from cases import Case
    from measuring import Load, Measurement

    return Measurement(
        case=Case.CHAINS,
        load=Load(generations=3000, calls=3000, latency_s=1.0, in_flight=64),
        wall_s=50.0,
        cpu_s=24.0,
        peak_memory_mib=300.0,
        calls=3000,
        peak_in_flight=64,
        first_call_s=2.0,
        provider_cpu_s=1.0,
    )


def test_summary_has_the_medians_of_the_runs_that_count(run):
    from summary import summaries

    runs = [replace(run, wall_s=wall_s) for wall_s in (62.5, 50.0, 75.0)]
    failed = replace(run, wall_s=1.0, error="exit code 1")
    (summary,) = summaries([*runs, failed]).values()
    assert (summary.runs, summary.wall_s, summary.shortest_s, summary.longest_s) == (3, 62.5, 50.0, 75.0)
    assert summary.ideal_over_wall == pytest.approx(0.75)
    assert summary.cpu_ms_per_generation == pytest.approx(8.0)


@pytest.mark.parametrize(("wall_s", "verdict"), [(50.0, "yes"), (60.0, "NO")])
def test_target_table_tells_whether_a_target_is_met(run, wall_s, verdict):
    from summary import summaries
    from tables import target_table

    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in target_table(summaries([replace(run, wall_s=wall_s)])).splitlines()
    ]
    assert rows[2][-1] == verdict  # ideal / wall, at least 0.89
    assert rows[4][1:] == ["at most 9 ms", "8 ms", "yes"]
    assert rows[6][2:] == ["not measured", ""]


def call(sequence: int, received_at: float, ended_at: float, body: str):
    from provider import Call

    values = {"path": "/", "headers": {}, "key_came": True, "key_correct": True, "model": "m", "seed": 1, "prompt": ""}
    answer = {"status": 200, "ended": "replied", "reply_sent": True, "ended_at": ended_at}
    return Call(sequence, received_at, **values, body=None, body_sha256=body, **answer)


def test_what_ended_runs_lost_and_repeated_is_counted_under_the_way_in_which_they_ended():
    from kills import Damage, Ending, find_damage, table

    class Stored:
        def stored_calls(self):
            return {"request-1", "request-4"}

    endings = [Ending("Ctrl-C", 10.0, 2, None), Ending("kill -9 of all", 20.0, 1, None)]
    kept, lost_one = call(1, 8.0, 9.0, "a"), call(2, 8.0, 9.5, "b")
    unread, again = call(3, 19.0, 19.99, "c"), call(4, 21.0, 22.0, "a")
    damage = find_damage([kept, lost_one, unread, again], Stored(), endings)
    assert damage == Damage(lost=[lost_one], unread=[unread], repeated=[again])
    rows = {row[0]: row[1:] for row in table(endings, damage)}
    assert rows["Ctrl-C"] == ("1", "2", "1", "0", "0")
    assert rows["kill -9 of all"] == ("1", "1", "0", "1", "1")
    assert rows["all"] == ("2", "3", "1", "1", "1")

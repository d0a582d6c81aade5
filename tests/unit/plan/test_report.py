"""The report of a plan, as text and as JSON, from the script and from the workflow."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from plan_fixtures import PlannedStudy

from plan import main
from provider import Provider
from studies import Choice
from studies import Study as Folder


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


@pytest.fixture
def study(tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> PlannedStudy:
    """A study of 2 drafts, 4 essays (2 copies) and 4 evaluations, of which nothing was made yet."""
    choice = Choice(essays=("copied", "developed"), combos=(("sleep", "tides"), ("sleep", "maps")))
    folder = Folder.create(tmp_path / "study", provider, choice)
    folder.build()
    monkeypatch.chdir(folder.folder)
    return PlannedStudy(folder)


def test_the_report_expects_what_a_run_then_costs(study: PlannedStudy):
    study.run()
    study.folder.edit(study.folder.template("draft", "thread"), "Answer", "Please answer")
    values = study.report().json_values()
    rows = {(row["stage"], row["llm_model_id"]): row for row in values["rows"]}
    assert rows["draft", "writer"]["call"] == 2
    assert rows["essay", "writer"]["copy"] == rows["essay", "writer"]["unknown"] == 2
    assert rows["evaluation", "judge"]["unknown"] == 4
    assert values["total"]["call"] + values["total"]["unknown"] == 8
    assert {length["past_replies"] for length in values["characters_per_token"].values()} == {4}

    events = len(study.folder.events())
    study.run()
    ended = [event for event in study.folder.events()[events:] if event["event"] == "call_ended"]
    for name, key in (
        ("prompt_tokens", "prompt_tokens"),
        ("completion_tokens", "completion_tokens"),
        ("usd", "cost_usd"),
    ):
        actual = sum(event[key] for event in ended)
        assert values["total"][name]["expected"] == pytest.approx(actual, rel=0.15), name
        assert actual < values["total"][name]["most"], name


def test_the_report_says_what_its_figures_rest_on(study: PlannedStudy):
    text = study.report().text()
    assert "Characters a token: writer, judge 4 (assumed)." in text
    assert "unknown: the request depends on a parent that is to be made first" in text
    assert "0.002062" in priced_line_of(text, "draft"), "2 prompts of 31 tokens, 2 replies of 500"
    study.folder.edit("1_raw/llm_models.csv", "local,1,2", "local,,")
    text = study.report(offline=True).text()
    assert "No price for writer, judge: fill in usd_per_mtok_in" in text
    assert priced_line_of(text, "total").split()[-2:] == ["?", "?"]
    assert "offline is true" in text


def test_the_report_says_when_there_is_nothing_to_pay(study: PlannedStudy):
    study.run()
    assert "Everything is up to date." in study.report().text()
    study.folder.edit("1_raw/evaluation_templates.csv", "in_last_line", "complex")
    text = study.report().text(why=True)
    assert "A run makes no call." in text
    for row in study.folder.rows("evaluation"):
        assert f"evaluation {row.gen_id} reparse: parser is complex, was in_last_line" in text


def test_what_is_waiting_for_you_has_a_column_and_a_note(study: PlannedStudy):
    study.run()
    assert "waiting" not in study.report().text()
    foreign = study.folder.rows("evaluation")[0]
    (study.folder.files(foreign).folder / "metadata.json").write_text('{"template_id": "novelty", "error": "api"}')
    shutil.rmtree(study.folder.paths.replies)
    (study.folder.paths.cohort("c1").journal).unlink()
    report = study.report()
    assert report.json_values()["total"]["waiting"] == 1
    text = report.text(why=True)
    assert "waiting for you: no run made these texts or those behind them" in text
    assert f"evaluation {foreign.gen_id} waiting for you: it failed last time (api), and there is a text" in text
    assert max(map(len, text.partition("\n\n")[2].partition("\n\n")[0].splitlines())) <= 80


def test_the_script_and_the_target_of_the_workflow_print_the_plan(study: PlannedStudy):
    script, target = study.folder.script("plan.py"), study.folder.run("plan")
    assert script.calls == target.calls == ()
    assert script.output == study.report().text() + "\n"
    assert script.output in target.output


def test_the_options_of_the_script(study: PlannedStudy, capsys: pytest.CaptureFixture[str]):
    assert main(["--directory", ".", "--json", "--why", "drafts"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["generations"] == values["total"]["call"] == 2
    assert {one["reason"] for one in values["why"]} == {"new: nothing of it was made yet"}
    assert main(["--directory", ".", "drafted"]) == 1
    assert "Did you mean 'drafts'?" in capsys.readouterr().err
    assert main(["--directory", ".", "--config", "cohort=other"]) == 0
    assert "is not written yet: `snakemake membership` does that" in capsys.readouterr().out


def test_the_report_fits_into_80_columns(study: PlannedStudy):
    text = study.report().text()
    tables = text.partition("\n\n")[2].partition("\n\nunknown:")[0]
    assert max(map(len, tables.splitlines())) <= 80
    assert {"completion", "expected", "evaluation", "reparse", "unknown"} <= set(tables.split())


def priced_line_of(text: str, name: str) -> str:
    """The line of a stage in its second table, which is that of the calls."""
    return [line for line in text.splitlines() if line.split()[:1] == [name]][1]

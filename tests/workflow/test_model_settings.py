"""Templates and models that carry their settings: what the server is asked, and what a changed setting makes again."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from provider import Call, Provider
from studies import Choice, Run, Study

SCALE = "1_raw/shared_templates/scale.txt"
DRAFT = "---\nsystem: You know {{ concepts|length }} fields.\ntemperature: 0.2\nstop: [THE END]\n---\n"
RUBRIC = (
    "---\nseed: 5\n---\n{% system %}You judge.\n{% include 'scale.txt' %}{% endsystem %}\n"
    "{% user %}evaluation novelty\n{{ response }}\nEnd with a line such as SCORE: 5{% enduser %}\n"
)
MODELS = {
    "writer": {"max_tokens": 700, "top_p": 0.8, "context_length": 100_000},
    "critic": {"max_tokens": 250, "reasoning_effort": "low", "output_limit_parameter": "max_completion_tokens"},
}


def make(folder: Path, provider: Provider) -> Study:
    """One draft, copied and developed; both essays judged by two rubrics and two judges."""
    choice = Choice(essays=("copied", "developed"), evaluations=("novelty", "soundness"), config={"models": MODELS})
    study = Study.create(folder, provider, choice)
    study.edit("1_raw/llm_models.csv", "\njudge,", "\ncritic,lab/critic,lab,Critic,false,true,local,1,2\njudge,")
    study.write(SCALE, "From 0 to 10.\n")
    draft = study.template("draft", "thread")
    draft.write_text(DRAFT + draft.read_text())
    study.template("evaluation", "novelty").write_text(RUBRIC)
    table = "1_raw/essay_templates.csv"
    for old, new in (
        ("parser,active", "parser,max_tokens,active"),
        ("llm,,true", "llm,,321,true"),
        ("copy,,", "copy,,,"),
    ):
        study.edit(table, old, new)
    study.build()
    return study


@pytest.fixture
def study(tmp_path: Path, provider: Provider) -> Study:
    return make(tmp_path / "study", provider)


def asked(calls: tuple[Call, ...]) -> dict[tuple[str, str], list[dict]]:
    """The bodies that the server received, by the first line of the prompt and the model."""
    found: dict[tuple[str, str], list[dict]] = {}
    for call in calls:
        found.setdefault((call.prompt.partition("\n")[0], str(call.model)), []).append(call.body)
    return found


def by_model(run: Run) -> Counter[tuple[str, str]]:
    return Counter((call.prompt.partition("\n")[0], str(call.model)) for call in run.calls)


def planned_calls(study: Study) -> int:
    return json.loads(study.script("plan.py", "--json").output)["total"]["call"]


def test_the_server_gets_what_is_said_and_a_changed_setting_makes_exactly_its_requests_again(study: Study):
    first = study.run("-j4")
    bodies = asked(first.calls)
    ((draft,), (essay,)) = bodies["draft thread", "lab/writer"], bodies["essay developed", "lab/writer"]
    assert [message["role"] for message in draft["messages"]] == ["system", "user"]
    assert draft["messages"][0]["content"] == "You know 2 fields."
    assert draft["messages"][1]["content"].startswith("draft thread\nSleep: ")
    assert (draft["temperature"], draft["max_tokens"], draft["top_p"], draft["stop"]) == (0.2, 700, 0.8, ["THE END"])
    assert (essay["temperature"], essay["max_tokens"], essay["top_p"]) == (0.7, 321, 0.8)
    assert "stop" not in essay
    for body in bodies["evaluation novelty", "lab/judge"]:
        assert [message["role"] for message in body["messages"]] == ["system", "user"]
        assert body["messages"][0]["content"] == "You judge.\nFrom 0 to 10."
        assert (body["max_tokens"], body["seed"]) == (500, 5)
    for body in bodies["evaluation soundness", "lab/critic"]:
        assert (body["max_completion_tokens"], body["reasoning_effort"]) == (250, "low")
        assert {"max_tokens", "seed", "top_p"}.isdisjoint(body)
    assert len(first.calls) == 10
    assert study.run().did_nothing

    row = study.row("draft")
    assert (
        study.files(row).prompt.read_text().startswith("===== system =====\nYou know 2 fields.\n\n===== user =====\n")
    )
    recorded = study.metadata(row)["settings"]
    assert recorded["max_tokens"] == {"value": 700, "from": "models.writer.max_tokens"}
    assert recorded["temperature"]["from"].endswith("generation_templates/draft/thread.txt, line 3")

    study.configure(models={"critic": {"max_tokens": 251}})
    assert planned_calls(study) == 4
    assert by_model(study.run()) == {("evaluation novelty", "lab/critic"): 2, ("evaluation soundness", "lab/critic"): 2}

    study.write(SCALE, "From 0 to 10, whole numbers.\n")
    assert planned_calls(study) == 4
    assert by_model(study.run()) == {("evaluation novelty", "lab/critic"): 2, ("evaluation novelty", "lab/judge"): 2}

    # Taken back, and said elsewhere: the same requests, whose replies are stored.
    study.write(SCALE, "From 0 to 10.\n")
    study.configure(models={"critic": {"max_tokens": 250}})
    assert planned_calls(study) == 0
    assert study.run().calls == ()


def test_what_changes_no_request_makes_nothing_again(study: Study):
    study.run("-j4")
    rubric = study.template("evaluation", "soundness")
    rubric.write_text("---\ndescription: How sound it is.\n---\n" + rubric.read_text())
    study.edit(study.template("draft", "thread").relative_to(study.data), "---\nsystem", "---\n# A remark.\nsystem")
    study.configure(models={"judge": {"context_length": 50_000}})
    assert study.run().did_nothing


def test_a_setting_that_stands_twice_stops_the_run_before_it_calls(study: Study):
    study.edit("1_raw/essay_templates.csv", "321", "322")
    developed = study.template("essay", "developed")
    developed.write_text("---\nmax_tokens: 321\n---\n" + developed.read_text())
    run = study.run(code=1)
    assert "max_tokens is 322 here and 321 in the front matter of" in run.output
    assert run.calls == ()
    assert "1 fault in 1 file" in study.script("validate_inputs.py", code=1).output


def test_a_prompt_that_does_not_fit_is_not_sent(study: Study):
    study.configure(models={"writer": {"context_length": 710}})
    plan = study.script("plan.py", "--why")
    assert "[too_long]" in plan.output
    run = study.run(code=1)
    assert run.calls == ()
    assert run.outcomes == {"draft thread: too_long": 1}
    study.configure(models={"writer": {"context_length": 800}})
    assert study.run("drafts").asked == {"draft thread": 1}
    # Its reply is stored: the limit keeps back calls alone.
    study.configure(models={"writer": {"context_length": 710}})
    study.files(study.row("draft")).parsed.unlink()
    assert study.run("drafts").outcomes == {"draft thread: reused": 1}


def test_explain_says_what_each_setting_is_and_where_it_stands(study: Study):
    before = study.snapshot()
    draft = study.row("draft")
    said = study.script("run_stage.py", "--stage", "draft", "--gen-id", draft.gen_id, "--explain").output
    lines = [line.split() for line in said.splitlines()]
    assert ["max_tokens", "700", "models.writer.max_tokens"] in lines
    assert ["reasoning_effort", "not", "set", "nowhere"] in lines
    assert ["context_length", "100000", "models.writer.context_length"] in lines
    assert any(line[:2] == ["temperature", "0.2"] and line[2].endswith("draft/thread.txt,") for line in lines)
    copy = study.row("essay", "copied")
    said = study.script("run_stage.py", "--stage", "essay", "--gen-id", copy.gen_id, "--explain").output
    assert "A copy: no model is asked" in said
    assert study.snapshot() == before

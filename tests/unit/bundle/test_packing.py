"""Packing: the same bytes for the same study, each text once, and nothing that has no place in it."""

from __future__ import annotations

import json
import re
import textwrap
from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bundle_fixtures import bundled, contents
from export_fixtures import loaded

from daydreaming.base.errors import InputError
from daydreaming.bundle.configuration import bundled_configuration
from daydreaming.bundle.manifest import CRATE, GENERATIONS, MANIFEST, Scope
from daydreaming.bundle.packing import write_bundle
from daydreaming.generation.inspection import inspect_cohort
from daydreaming.inputs.configuration import settings_from_config
from daydreaming.results.made_results import Result, record_made
from daydreaming.results.outdated_results import ResultsCheck, scores_of_now
from studies import Study as Folder
from studies.study import PROJECT

SECRET = "sk-planted-0123456789abcdef"


def test_the_same_study_gives_the_same_bytes(copied: Folder, bundle: Path, tmp_path: Path):
    assert bundled(copied, tmp_path / "again.zip").path.read_bytes() == bundle.read_bytes()


def test_everything_that_was_made_is_in_it(finished: Folder, bundle: Path):
    files = contents(bundle)
    reports = finished.paths.cohort("c1").reports
    # What the pages remember of themselves is made with them.
    for path in (path for path in reports.rglob("*.*") if path.is_file() and path.name != "pages.json"):
        assert files[path.relative_to(finished.folder).as_posix()] == path.read_bytes()
    lines = {json.loads(line)["name"] for line in files[GENERATIONS].splitlines()}
    made = [*finished.paths.gens.rglob("*.*"), *finished.paths.replies.rglob("*.json")]
    assert lines == {path.relative_to(finished.folder).as_posix() for path in made}
    assert {f"workflow/{name}" for name in ("Snakefile", "requirements.lock", "LICENSE", "CITATION.cff")} <= set(files)


def test_a_text_stands_once_in_it(finished: Folder, bundle: Path):
    stored = contents(bundle)[GENERATIONS].decode()
    for row in finished.rows("essay", "developed"):
        # It is in the essay's raw and parsed text, its reply, and the prompts and requests of two evaluations.
        assert stored.count(finished.files(row).parsed.read_text().splitlines()[0]) == 1


def test_the_lines_of_the_document_put_every_file_together(
    finished: Folder, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    page = (PROJECT / "docs" / "bundles.md").read_text(encoding="utf-8")
    lines = re.search(r"^    import json\n(?:    .*\n)+", page, re.MULTILINE)
    assert lines is not None
    monkeypatch.chdir(tmp_path)
    Path(GENERATIONS).write_bytes(contents(bundle)[GENERATIONS])
    names: dict[str, Any] = {}
    exec(textwrap.dedent(lines[0]), names)
    stored = [json.loads(line) for line in Path(GENERATIONS).read_bytes().splitlines()]
    for one in stored:
        assert names["texts"][one["sha256"]].encode() == (finished.folder / one["name"]).read_bytes()


def test_the_crate_describes_what_is_there(bundle: Path):
    files = contents(bundle)
    graph = {entity["@id"]: entity for entity in json.loads(files[CRATE])["@graph"]}
    root = graph["./"]
    assert {profile["@id"] for profile in root["conformsTo"]} >= {"https://w3id.org/ro/wfrun/workflow/0.5"}
    workflow = graph[root["mainEntity"]["@id"]]
    assert "ComputationalWorkflow" in workflow["@type"]
    action = graph[root["mentions"]["@id"]]
    assert action["instrument"] == {"@id": workflow["@id"]}
    assert {"@id": "data/cohorts/c1/reports/parsed_scores.csv"} in action["result"]
    assert {"@id": "data/cohorts/c1/membership.csv"} in action["object"]
    for entity in graph.values():
        if entity["@type"] == "Dataset" or "File" in entity["@type"]:
            assert entity["@id"] in {*files, "./"}
    # What the texts are licensed under, nobody told the workflow.
    assert graph[root["license"]["@id"]]["name"] == "Not stated"
    inside = [name for name in files if not any(name == part or name.startswith(part) for part in graph)]
    assert inside == []


def test_its_settings_are_those_of_the_study(finished: Folder, monkeypatch: pytest.MonkeyPatch):
    import yaml

    monkeypatch.chdir(finished.folder)
    settings = loaded(finished).settings
    again = settings_from_config(yaml.safe_load(bundled_configuration(settings, "c1")))
    private = {"api_key_env", "headers", "default_query"}
    assert again.model_dump(exclude={"endpoints"}) == settings.model_dump(exclude={"endpoints"})
    for name, endpoint in settings.endpoints.items():
        assert again.endpoints[name].model_dump(exclude=private) == endpoint.model_dump(exclude=private)


# Secrets --------------------------------------------------------------------------------------------------------------


def test_no_secret_reaches_it(copied: Folder, tmp_path: Path):
    copied.configure(
        endpoints={
            "local": {
                "api_key_env": "KEY_OF_TEST",
                "headers": {"X-Team": "team-of-the-header", "Authorization": "$TOKEN_OF_TEST"},
                "default_query": {"key": "$QUERY_OF_TEST", "tenant": "tenant-of-the-query"},
            }
        }
    )
    environment = {
        "KEY_OF_TEST": SECRET,
        "TOKEN_OF_TEST": f"Bearer {SECRET}",
        "QUERY_OF_TEST": f"query-{SECRET}",
        "HTTPS_PROXY": f"http://ann:{SECRET}-proxy@proxy.example:3128",
        "UNRELATED": "a text with blanks",
    }
    path = bundled(copied, tmp_path / "c1.zip", environment=environment).path
    everything = b"\n".join([path.read_bytes(), *contents(path).values()])
    for planted in (SECRET, "TOKEN_OF_TEST", "team-of-the-header", "tenant-of-the-query", "proxy.example"):
        assert planted.encode() not in everything


@pytest.mark.parametrize(
    ("variable", "value", "planted"),
    [
        ("MY_API_KEY", SECRET, SECRET),
        ("MY_API_KEY", SECRET, b64encode(f"Bearer {SECRET}".encode()).decode()),
        ("LOCAL_KEY", SECRET, SECRET),
        ("CLOUD_SECRET_ACCESS_KEY", "wJalr/XUtnFEMI/K7MDENG+bPx", "wJalr/XUtnFEMI/K7MDENG+bPx"),
        ("PROXY_TOKEN", f"Bearer {SECRET}", SECRET),
        ("HTTPS_PROXY", "http://ann:pass%40word-1@proxy.example", "pass@word-1"),
    ],
)
def test_a_secret_that_stands_in_a_text_is_told_and_nothing_is_written(
    copied: Folder, tmp_path: Path, variable: str, value: str, planted: str
):
    row = copied.rows("evaluation")[0]
    raw = copied.files(row).raw
    raw.write_text(f"{raw.read_text()}\n{planted}\n")
    target = tmp_path / "c1.zip"
    with pytest.raises(InputError) as told:
        bundled(copied, target, environment={variable: value})
    assert variable in str(told.value)
    assert planted not in str(told.value)
    assert not target.exists()


def test_an_address_with_a_password_in_an_input_is_told(copied: Folder, tmp_path: Path):
    journal = copied.paths.cohort("c1").journal
    with journal.open("a") as stream:
        stream.write('{"event": "note", "at": "https://ann:secret-word@example.org/v1"}\n')
    with pytest.raises(InputError, match="user name and a password") as told:
        bundled(copied, tmp_path / "c1.zip")
    assert "secret-word" not in str(told.value)


def test_a_key_in_an_extra_body_is_told(copied: Folder):
    copied.configure(endpoints={"local": {"extra_body": {"router": {"api_key": SECRET}}}})
    with pytest.raises(InputError, match="may be a key") as told:
        bundled_configuration(loaded(copied).settings, "c1")
    assert SECRET not in str(told.value)


# What is not of now ---------------------------------------------------------------------------------------------------


def test_results_that_are_not_of_now_are_not_packed(copied: Folder, tmp_path: Path):
    report = copied.paths.cohort("c1").report
    report.write_text(report.read_text().replace("</html>", "</html> "))
    with pytest.raises(InputError, match=r"report\.html: is not what the texts say now"):
        bundled(copied, tmp_path / "c1.zip")
    report.unlink()
    with pytest.raises(InputError, match=r"report\.html: does not exist"):
        bundled(copied, tmp_path / "c1.zip")
    scores = copied.paths.cohort("c1").scores
    scores.write_text(scores.read_text().replace(",novelty,", ",n0velty,", 1))
    with pytest.raises(InputError, match=r"parsed_scores\.csv: the table of scores is not what"):
        bundled(copied, tmp_path / "c1.zip")
    assert not (tmp_path / "c1.zip").exists()


def test_a_bundle_that_is_not_of_now_is_known(copied: Folder):
    def outdated() -> list[Path]:
        study = loaded(copied)
        return list(ResultsCheck(study, inspect_cohort(study)).outdated(Result.BUNDLE))

    study = loaded(copied)
    path, source = study.cohort_files.bundle, scores_of_now(study).source
    path.parent.mkdir(exist_ok=True)
    content = bundled(copied, path).path.read_bytes()
    record_made(study, Result.BUNDLE, source, [path])
    assert outdated() == []
    path.write_bytes(content[:-1] + b"x")
    assert outdated() == [path]
    path.write_bytes(content)
    assert outdated() == []
    copied.edit(copied.template("evaluation", "novelty"), "End with", "Be strict. End with")
    assert outdated() == [path]


# Less -----------------------------------------------------------------------------------------------------------------


def test_without_prompts_there_is_nothing_of_what_was_asked(finished: Folder, reduced: dict[Scope, Path]):
    files = contents(reduced[Scope.WITHOUT_PROMPTS])
    everything = b"\n".join(files.values()).decode()
    asked = [finished.template(*name).read_text() for name in (("draft", "thread"), ("evaluation", "novelty"))]
    asked += [finished.files(row).prompt.read_text() for row in finished.rows("draft")]
    for text in asked:
        for line in (line for line in text.splitlines() if len(line) > 25 and "{" not in line):
            assert line not in everything
            assert json.dumps(line)[1:-1] not in everything
    names = {json.loads(line)["name"].rpartition("/")[2] for line in files[GENERATIONS].splitlines()}
    assert names == {"raw.txt", "parsed.txt", "metadata.json"}
    assert not [name for name in files if "/reports/read/" in name]


def test_with_scores_alone_there_is_no_text_at_all(finished: Folder, reduced: dict[Scope, Path]):
    files = contents(reduced[Scope.ONLY_SCORES])
    everything = b"\n".join(files.values()).decode()
    for row in (row for stage in ("draft", "essay", "evaluation") for row in finished.rows(stage)):
        texts = [path.read_text() for path in (finished.files(row).prompt, finished.files(row).raw) if path.exists()]
        lines = [line for text in texts for line in text.splitlines() if len(line) > 25]
        assert [line for line in lines if line in everything] == []
    assert GENERATIONS not in files
    assert json.loads(files[MANIFEST])["scope"] == "only-scores"
    assert files["data/cohorts/c1/reports/parsed_scores.csv"] == finished.paths.cohort("c1").scores.read_bytes()


def test_with_scores_alone_no_message_of_a_failure_is_told(copied: Folder, tmp_path: Path):
    study = loaded(copied)
    now = scores_of_now(study)
    message = "the reply says: a text of a model"
    failed = replace(now.rows[0], score=None, error="parse", error_message=message)
    target = tmp_path / "c1.zip"
    write_bundle(study, now.inspection, [failed], target, project=PROJECT, environment={}, scope=Scope.ONLY_SCORES)
    table = contents(target)["data/cohorts/c1/reports/parsed_scores.csv"].decode()
    assert failed.gen_id in table
    assert message not in table

"""The sentences of SECURITY.md that no other test holds, and that every test which it names is there."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from core_fixtures import KEY_ENV, request, template
from runner_fixtures import Project

from daydreaming.base.errors import GenerationError
from daydreaming.ledger.replies import ReplyStore
from daydreaming.ledger.stored_answers import as_file, from_file
from provider import Answer, Provider, faults

PROJECT = Path(__file__).resolve().parents[3]
KEY = "sk-live-0123456789abcdefghij"


@pytest.fixture
def keyed(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv(KEY_ENV, KEY)
    return project


def parts_on_disk(root: Path) -> list[str]:
    """Every file that holds a part of eight characters of the key."""
    parts = [KEY[start : start + 8].encode() for start in range(len(KEY) - 7)]
    files = (path for path in root.rglob("*") if path.is_file())
    return [str(path) for path in files if any(part in path.read_bytes() for part in parts)]


def named_tests() -> Iterator[tuple[str, str]]:
    text = (PROJECT / "SECURITY.md").read_text(encoding="utf-8")
    yield from re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)


def test_every_sentence_names_a_test_that_is_there():
    sentences = re.findall(r"^- .*(?:\n  .*)*", (PROJECT / "SECURITY.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(sentences) > 20
    assert [sentence for sentence in sentences if "::test_" not in sentence] == []
    missing = [
        f"{file}::{name}"
        for file, name in named_tests()
        if not re.search(rf"^def {name}\(", (PROJECT / file).read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert missing == []


@pytest.mark.parametrize("length", [270, 285, 290, 295, 300])
def test_a_key_at_the_cut_of_a_message_leaves_no_part_of_it(keyed: Project, provider: Provider, length: int):
    body = json.dumps({"error": {"message": "x" * length + KEY}})
    provider.script([faults.rule("echo", Answer(status=400, body=body))])
    error = keyed.failure(keyed.specification(), endpoint={"api_key_env": KEY_ENV})
    assert not any(KEY[start : start + 8] in error.message for start in range(len(KEY) - 7))
    assert "sk-l" not in error.message
    assert parts_on_disk(keyed.root) == []


@pytest.mark.parametrize("said", [KEY, KEY[4:20]])
def test_an_answer_that_repeats_the_key_is_stored_without_it(keyed: Project, provider: Provider, said: str):
    provider.script([faults.reply_content(f"One.\nYour key is {said}.\nThree.")])
    made = keyed.specification()
    keyed.run(made, endpoint={"api_key_env": KEY_ENV})
    assert keyed.text(made, "raw") == "One.\nYour key is [secret removed].\nThree."
    (path,) = keyed.stored()
    stored = json.loads(path.read_text())
    assert (stored["received"]["redacted"], stored["reply"]["redacted"]) == (1, 1)
    assert parts_on_disk(keyed.root) == []


def test_a_template_sees_the_values_of_its_stage_alone(project: Project, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DAYDREAMING_TEST_SECRET", "hidden")
    for name in ("config", "settings", "environ", "os", "DAYDREAMING_TEST_SECRET"):
        error = project.failure(project.specification(template=template("draft", f"{{{{ {name} }}}}")))
        assert error.kind == "template"


def test_a_reply_that_looks_like_a_template_is_text(project: Project, provider: Provider):
    text = "{{ 7 * 7 }}\n{% for x in range(3) %}\n{{ concepts }}"
    provider.script([faults.reply_content(text)])
    made = project.specification()
    project.run(made)
    assert project.text(made, "parsed") == text
    parent = project.root / "gens" / "draft" / "parent-1" / "parsed.txt"
    parent.write_text(text)
    essay = project.specification("essay")
    project.run(essay)
    assert text in project.text(essay, "prompt")


def test_a_reply_that_was_made_up_with_its_digest_is_believed(project: Project, provider: Provider):
    made = project.specification()
    project.run(made)
    (path,) = project.stored()
    answer = from_file(path, path.read_bytes(), path.stem)
    assert answer.reply is not None
    answer.reply["text"] = "Made up.\nBy\nsomebody."
    path.write_bytes(as_file(answer))
    shutil.rmtree(project.root / "gens" / "draft" / made.gen_id)
    project.run(made)
    assert (project.text(made, "parsed"), provider.calls) == ("Made up.\nBy\nsomebody.", 1)


def test_a_stored_reply_cannot_stand_for_another_request(project: Project):
    from core_fixtures import settings_for

    project.run(project.specification())
    (path,) = project.stored()
    store = ReplyStore(settings_for(project.base_url, data_root=str(project.root)).paths)
    other = store.path(request().sha256)
    other.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(path, other)
    with pytest.raises(GenerationError, match="it is the reply to the request"):
        store.load(request().sha256)

"""The comparison says "the same" of what is the same, and names what is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from bundle_fixtures import make_results
from export_fixtures import EVALUATIONS, loaded

from daydreaming.base.errors import InputError
from daydreaming.bundle.comparison import Comparison, OpenedFolder, compare_reduced, compare_study, comparison_text
from daydreaming.bundle.manifest import Scope
from daydreaming.bundle.opening import open_bundle
from daydreaming.inputs.stages import DEFAULT_STAGES
from provider import Provider
from studies import Study as Folder
from studies.study import PROJECT

REPORTS = Path("data/cohorts/c1/reports")


@pytest.fixture
def opened(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: Provider) -> Folder:
    """The opened bundle; its folder is the current one."""
    folder = open_bundle(bundle, tmp_path / "opened", PROJECT).folder
    monkeypatch.chdir(folder)
    return Folder(folder, provider)


def compared(folder: Folder) -> Comparison:
    return compare_study(loaded(folder), OpenedFolder.read(folder.folder))


def test_what_is_made_again_is_the_same(opened: Folder):
    before = compared(opened)
    assert before.different == []
    assert len(before.missing) == before.results > 0
    make_results(loaded(opened))
    after = compared(opened)
    assert after.is_same
    assert (after.texts, after.again, after.as_they_are) == (12 + EVALUATIONS, 12 + EVALUATIONS, 0)
    line = comparison_text(after, "0.1.0")
    assert line.startswith("The same, byte for byte: 28 texts (28 read again from their replies) and ")
    assert "\n" not in line
    assert opened.provider.calls == 0


def _edit_text(study: Folder) -> str:
    path = study.files(study.rows("essay", "developed")[0]).parsed
    path.write_text(f"{path.read_text()} More.")
    return path.relative_to(study.folder).as_posix()


def _edit_rubric(study: Folder) -> str:
    study.edit(study.template("evaluation", "novelty"), "End with", "Be strict. End with")
    return study.files(study.rows("evaluation", "novelty")[0]).parsed.relative_to(study.folder).as_posix()


def _edit_reply(study: Folder) -> str:
    row = study.rows("evaluation")[0]
    reply = study.paths.reply(study.metadata(row)["request_sha256"])
    reply.write_bytes(reply.read_bytes().replace(b"SCORE", b"SC0RE"))
    return study.files(row).parsed.relative_to(study.folder).as_posix()


def _edit_table(study: Folder) -> str:
    make_results(loaded(study))
    table = REPORTS / "ranking.csv"
    table.write_text(table.read_text().replace("novelty", "n0velty"))
    return table.as_posix()


@pytest.mark.parametrize("edit", [_edit_text, _edit_rubric, _edit_reply, _edit_table])
def test_what_differs_is_named_with_the_versions(opened: Folder, edit: Callable[[Folder], str]):
    name = edit(opened)
    found = compared(opened)
    assert name in found.different
    text = comparison_text(found, "0.2.0 (commit abc)", everything=True)
    assert text.startswith("Not the same: ")
    assert f"DayDreaming {found.manifest.made_by} made; here is 0.2.0 (commit abc)." in text.splitlines()[0]
    assert f"  {name}" in text.splitlines()


def test_a_bundle_with_less_is_checked_as_far_as_it_goes(
    reduced: dict[Scope, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for scope, path in reduced.items():
        folder = open_bundle(path, tmp_path / f"opened-{scope}", PROJECT).folder
        monkeypatch.chdir(folder)
        assert not (folder / "Snakefile").exists()
        found = compare_reduced(OpenedFolder.read(folder), DEFAULT_STAGES)
        assert found.is_same
        with_texts = scope is Scope.WITHOUT_PROMPTS
        # Copies have no reply.
        assert (found.texts, found.again, found.as_they_are) == ((28, 24, 4) if with_texts else (0, 0, 0))
        assert "\n" not in comparison_text(found, "")

        pivot = REPORTS / "pivot_mean.csv"
        pivot.write_text(pivot.read_text().replace("thread", "thr3ad"))
        assert compare_reduced(OpenedFolder.read(folder), DEFAULT_STAGES).different == [pivot.as_posix()]


def test_a_score_that_is_not_that_of_its_reply_is_found_without_prompts(
    finished: Folder, reduced: dict[Scope, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = open_bundle(reduced[Scope.WITHOUT_PROMPTS], tmp_path / "opened", PROJECT).folder
    monkeypatch.chdir(folder)
    row = finished.rows("evaluation")[0]
    parsed = folder / "data/gens/evaluation" / row.gen_id / "parsed.txt"
    parsed.write_text("1.5")
    assert parsed.relative_to(folder).as_posix() in compare_reduced(OpenedFolder.read(folder), DEFAULT_STAGES).different


def test_an_id_of_a_stranger_moves_no_cursor(
    finished: Folder, reduced: dict[Scope, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = open_bundle(reduced[Scope.WITHOUT_PROMPTS], tmp_path / "opened", PROJECT).folder
    monkeypatch.chdir(folder)
    scores = REPORTS / "parsed_scores.csv"
    scores.write_text(scores.read_text().replace(finished.rows("evaluation")[0].gen_id, "\x1b[2J"))
    told = comparison_text(compare_reduced(OpenedFolder.read(folder), DEFAULT_STAGES), "", everything=True)
    assert "\u241b[2J" in told
    assert "\x1b" not in told


def test_a_folder_that_was_not_opened_is_told(tmp_path: Path):
    with pytest.raises(InputError, match="no folder of an opened bundle"):
        OpenedFolder.read(tmp_path)

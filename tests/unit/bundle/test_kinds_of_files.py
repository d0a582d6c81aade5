"""Whatever a study is made of is in its bundle, and everything can be made again from that in another folder."""

from __future__ import annotations

import contextlib
import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from bundle_fixtures import bundled, contents, make_results
from export_fixtures import loaded
from plan_fixtures import PlannedStudy

from daydreaming.archive.moves import move_to_archive
from daydreaming.archive.purge_plan import plan_purge
from daydreaming.bundle.comparison import Comparison, OpenedFolder, compare_study
from daydreaming.bundle.manifest import CONFIGURATION, GENERATIONS, MANIFEST, Scope
from daydreaming.bundle.opening import Opened, open_bundle
from daydreaming.cohort.writer import build_cohort
from daydreaming.importing.study_import import plan_import
from daydreaming.importing.writing import write_import
from daydreaming.inputs.configuration import settings_from_config
from daydreaming.results.score_table import READER
from provider import Provider
from studies import Choice
from studies import Study as Folder
from studies.original import COHORT as OLD_COHORT
from studies.original import write_original
from studies.study import PROJECT

SERVER = Path(__file__).parents[1] / "small_server.py"
START = shlex.join([sys.executable, "-S", "-E", str(SERVER), "{port}"])
SYSTEM = "You are a lighthouse keeper who never hurries."
WHOLE_SPEC = """\
axes:
  draft_template: "@file:drafts.csv"
  draft_llm: [writer]
  essay_template: [copied, developed]
  evaluation_template: [novelty, soundness]
  evaluation_llm: [judge, homely]
"""
CHOICE = Choice(
    drafts=("thread", "contrast"),
    essays=("copied", "developed"),
    evaluations=("novelty", "soundness"),
    config={
        "endpoints": {"home": {"start": START, "max_concurrency": 1}},
        "models": {"writer": {"temperature": 0.3, "seed": 7}},
        "retry_replies": {"parse": 1},
    },
)


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Folder]]:
    """Two cohorts with all their results: one of everything, one that was brought in. For reading only."""
    folder = tmp_path_factory.mktemp("kinds")
    with Provider() as provider:
        yield {"of everything": _of_everything(folder, provider), "brought in": _brought_in(folder, provider)}


@pytest.fixture(scope="module")
def bundles(studies: dict[str, Folder], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each of them in one file."""
    place, made = tmp_path_factory.mktemp("bundles-of-kinds"), {}
    for name, study in studies.items():
        with contextlib.chdir(study.folder):
            made[name] = bundled(study, place / f"{name}.zip").path
    return made


def _of_everything(folder: Path, provider: Provider) -> Folder:
    study = Folder.create(folder / "everything", provider, CHOICE)
    study.edit("1_raw/llm_models.csv", "\njudge,", "\nhomely,small,home,Homely,false,true,home,0,0\njudge,")
    study.write("cohorts/c1/spec/config.yaml", WHOLE_SPEC)
    study.write("cohorts/c1/spec/drafts.csv", "draft_template\nthread\ncontrast\n")
    study.write("1_raw/shared_templates/scale.txt", "Ten is what nobody has thought of.\n")
    study.write("1_raw/shared_templates/words.txt", "{% macro shout(word) %}{{ word|upper }}{% endmacro %}")
    study.edit(study.template("evaluation", "novelty"), "End with", '{% include "scale.txt" %}End with')
    contrast = study.template("draft", "contrast")
    text = contrast.read_text().replace(
        "contrast\n", '{% from "words.txt" import shout %}contrast {{ shout("now") }}\n'
    )
    contrast.write_text(f"---\nsystem: {SYSTEM}\ntop_p: 0.5\n---\n{text}")
    with contextlib.chdir(study.folder):
        study.build()
        PlannedStudy(study).run()
        _move_out_and_back(study)
        essay = study.rows("essay", "developed")[0]
        sha256 = study.metadata(essay)["parsed_sha256"]
        study.write(
            "2_tasks/human_scores.csv",
            "essay_gen_id,rubric,reader,score,created_at,text_sha256\n"
            f"{essay.gen_id},novelty,ann,8,2026-01-01T00:00:00Z,{sha256}\n",
        )
        make_results(loaded(study))
    return study


def _move_out_and_back(study: Folder) -> None:
    """Half of the cohort goes to the archive and is made again, from replies that stay there."""
    spec = study.data / "cohorts/c1/spec/drafts.csv"
    whole = spec.read_text()
    spec.write_text("draft_template\nthread\n")
    study.build(force=True)
    move_to_archive(study.paths, plan_purge(study.paths).items)
    spec.write_text(whole)
    study.build(force=True)
    assert PlannedStudy(study).run() == 0
    assert list((study.paths.archive / "replies").rglob("*.json"))


def _brought_in(folder: Path, provider: Provider) -> Folder:
    study = Folder.create(folder / "brought-in", provider)
    original = write_original(folder / "old" / "data")
    with contextlib.chdir(study.folder):
        plan = plan_import(original.data, settings_from_config(study.config()))
        assert write_import(plan) == []
        study.configure(cohort=OLD_COHORT)
        assert PlannedStudy(study).run() == 0
        make_results(loaded(study))
    return study


def _opened(bundle: Path, folder: Path) -> tuple[Opened, Comparison]:
    """The opened bundle, whose results are made, and how it compares."""
    opened = open_bundle(bundle, folder, PROJECT)
    with contextlib.chdir(folder), Provider() as provider:
        study = Folder(folder, provider)
        make_results(loaded(study))
        return opened, compare_study(loaded(study), OpenedFolder.read(folder))


def test_a_cohort_of_everything_is_made_again(studies: dict[str, Folder], bundles: dict[str, Path], tmp_path: Path):
    opened, found = _opened(bundles["of everything"], tmp_path / "opened")
    assert found.different == []
    assert found.is_same
    # Two drafts, four essays (two are copies), sixteen evaluations by two judges.
    assert (found.texts, found.again, found.as_they_are) == (22, 22, 0)
    assert opened.commands == [START]
    data = opened.folder / "data"
    for name in (
        "1_raw/shared_templates/scale.txt",
        "1_raw/shared_templates/words.txt",
        "cohorts/c1/spec/config.yaml",
        "cohorts/c1/spec/drafts.csv",
        "2_tasks/human_scores.csv",
    ):
        assert (data / name).read_bytes() == (studies["of everything"].data / name).read_bytes()
    assert f"{READER}ann" in (data / "cohorts/c1/reports/judges.csv").read_text()
    # The spec still describes the cohort that is there.
    with contextlib.chdir(opened.folder):
        settings = settings_from_config(Folder(opened.folder, studies["of everything"].provider).config())
        before = (data / "cohorts/c1/membership.csv").read_bytes()
        build_cohort(settings)
        assert (data / "cohorts/c1/membership.csv").read_bytes() == before


def test_a_cohort_that_was_brought_in_is_made_again(bundles: dict[str, Path], tmp_path: Path):
    _, found = _opened(bundles["brought in"], tmp_path / "opened")
    assert found.is_same
    # Texts that no run of the workflow made, and two copies of them.
    assert (found.texts, found.again, found.as_they_are) == (10, 2, 8)


def test_without_prompts_no_system_message_and_no_shared_text_is_told(
    studies: dict[str, Folder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(studies["of everything"].folder)
    for scope in (Scope.WITHOUT_PROMPTS, Scope.ONLY_SCORES):
        files = contents(bundled(studies["of everything"], tmp_path / f"{scope}.zip", scope).path)
        everything = b"\n".join(files.values()).decode()
        assert "lighthouse" not in everything
        assert "nobody has thought of" not in everything


def test_its_replies_come_from_the_archive_and_its_commands_are_told(
    studies: dict[str, Folder], bundles: dict[str, Path]
):
    files, study = contents(bundles["of everything"]), studies["of everything"]
    lines = {json.loads(line)["name"] for line in files[GENERATIONS].splitlines()}
    archived = list((study.paths.archive / "replies").rglob("*.json"))
    assert {path.relative_to(study.paths.archive).as_posix() for path in archived} <= {
        name.removeprefix("data/") for name in lines
    }
    endpoints = yaml.safe_load(files[CONFIGURATION])["endpoints"].values()
    assert START in [endpoint.get("start") for endpoint in endpoints]
    assert "2_tasks/human_scores.csv" in "".join(json.loads(files[MANIFEST])["inputs"])

"""Texts of templates and concepts that lie outside of the project: not read, however a path leads there."""

import os

import pytest
from inputs_fixtures import RAW, make_project, settings_with, write

from daydreaming.base.errors import InputError
from daydreaming.inputs.catalogs import load_catalogs


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    make_project(tmp_path, monkeypatch)


def message():
    with pytest.raises(InputError) as caught:
        load_catalogs(settings_with())
    return str(caught.value)


@pytest.fixture
def secret(tmp_path_factory):
    return write(tmp_path_factory.mktemp("elsewhere") / "secret.txt", "{{ draft_block }} secret")


@pytest.mark.parametrize("active", ["true", "false"])
def test_a_text_outside_of_the_project_is_not_read(secret, active):
    row = f"template_id,template_path,generator,active\nleak,{secret},llm,{active}\n"
    write(RAW / "essay_templates.csv", row)
    assert "row 2, column 'template_path': the text of template 'leak' lies outside of the project" in message()
    allowed = load_catalogs(settings_with(template_folders=[str(secret.parent)])).templates["essay"]["leak"]
    assert allowed.path == str(secret)


def test_links_and_dots_lead_no_template_and_no_concept_out_of_the_project(secret):
    (RAW / "generation_templates/essay/write.txt").unlink()
    (RAW / "generation_templates/essay/write.txt").symlink_to(secret)
    (RAW / "concepts/descriptions-paragraph/loom.txt").unlink()
    (RAW / "concepts/descriptions-paragraph/loom.txt").symlink_to(secret)
    lines = message().splitlines()
    assert ["essay_templates.csv, row 3" in lines[1], "concepts_metadata.csv, row 3" in lines[0]] == [True, True]
    assert all("outside of the project and the data root" in line for line in lines)
    up = os.path.relpath(secret)
    write(RAW / "essay_templates.csv", f"template_id,template_path,generator,active\nleak,{up},llm,true\n")
    assert "template 'leak' lies outside" in message()


def test_the_raw_folder_may_be_a_link(tmp_path_factory):
    RAW.rename(tmp_path_factory.mktemp("disk") / "raw")
    RAW.symlink_to(tmp_path_factory.getbasetemp() / "disk0" / "raw")
    assert load_catalogs(settings_with()).templates["essay"]["write"].path.endswith("write.txt")

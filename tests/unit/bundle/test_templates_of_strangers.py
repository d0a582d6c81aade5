"""Templates of a hostile bundle: what they try ends the generations that they are of, and reaches nothing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from bundle_fixtures import contents, with_manifest
from export_fixtures import EVALUATIONS, loaded

from daydreaming.base.errors import InputError
from daydreaming.bundle.comparison import OpenedFolder, compare_study
from daydreaming.bundle.opening import open_bundle
from provider import Provider
from studies import Study as Folder
from studies.study import PROJECT

NOVELTY = "data/1_raw/evaluation_templates/novelty.txt"
TABLE = "data/1_raw/evaluation_templates.csv"
ATTACKS = {
    "globals of a function": "{{ cycler.__init__.__globals__.os.system('touch mark') }}",
    "subclasses": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "a format": "{{ '{0.__class__.__init__.__globals__}'.format(cycler) }}",
    "a format by a filter": "{{ '%s'|format(cycler.__init__.__globals__) }}",
    "a filter for attributes": "{{ cycler|attr('__init__')|attr('__globals__') }}",
    "the environment": "{{ self._TemplateReference__context.environment.loader }}",
    "more than any memory": "{{ 'a' * 10**15 }}",
    "a long range": "{% for n in range(10**9) %}{% endfor %}",
    "no end of nesting": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
}


def opened(bundle: Path, place: Path, name: str, content: str) -> Folder:
    """The folder of a bundle in which a file has another content."""

    def change(manifest: dict) -> None:
        manifest["inputs"][name] = hashlib.sha256(content.encode()).hexdigest()

    evil = with_manifest(bundle, place / "evil.zip", change, **{name.replace("/", "__"): content.encode()})
    return Folder(open_bundle(evil, place / "opened", PROJECT).folder, Provider())


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_renders_nothing(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    study = opened(bundle, tmp_path, NOVELTY, f"{ATTACKS[name]}{{{{ response }}}}\nEnd with SCORE: X\n")
    monkeypatch.chdir(study.folder)
    found = compare_study(loaded(study), OpenedFolder.read(study.folder))
    assert (found.again, found.as_they_are) == (found.texts - EVALUATIONS // 2, 0)
    assert len(found.different) == EVALUATIONS // 2
    assert not Path("mark").exists()


@pytest.mark.parametrize("attack", ['{% include "/etc/passwd" %}', '{% include "../../../../config.yaml" %}'])
def test_an_include_leads_nowhere(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attack: str):
    study = opened(bundle, tmp_path, NOVELTY, f"{attack}{{{{ response }}}}\n")
    monkeypatch.chdir(study.folder)
    with pytest.raises(InputError, match="does not lie in"):
        loaded(study)


def test_a_table_names_no_file_of_this_machine(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    secret = tmp_path / "secret.txt"
    secret.write_text("mine {{ response }}")
    table = contents(bundle)[TABLE].decode().replace("parser,active", "parser,template_path,active")
    table = table.replace("in_last_line,true", f"in_last_line,{secret},true")
    study = opened(bundle, tmp_path, TABLE, table)
    monkeypatch.chdir(study.folder)
    with pytest.raises(InputError, match="outside"):
        loaded(study)

"""Opening: the files of the study come back to the last byte, and nothing of a hostile bundle gets anywhere."""

from __future__ import annotations

import hashlib
import json
import stat
import struct
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile, ZipInfo

import pytest
import yaml
from bundle_fixtures import altered, contents, files_below, with_entry, with_lines, with_manifest
from plan_fixtures import PlannedStudy

from daydreaming.base.errors import InputError
from daydreaming.bundle.archive import Limits
from daydreaming.bundle.manifest import CONFIGURATION, GENERATIONS, MANIFEST
from daydreaming.bundle.opening import open_bundle
from daydreaming.bundle.pieces import Reference, StoredFile
from provider import Provider
from studies import Study as Folder
from studies.study import PROJECT

Make = Callable[[Path, Path], Path]


def test_the_files_of_the_study_come_back(finished: Folder, bundle: Path, tmp_path: Path):
    opened = open_bundle(bundle, tmp_path / "opened", PROJECT)
    kept = {"gens", "replies", "1_raw", "2_tasks"}
    for path in (path for path in finished.data.rglob("*") if path.is_file() and not path.name.startswith(".")):
        name = path.relative_to(finished.data)
        if name.parts[0] in kept:
            assert (opened.folder / "data" / name).read_bytes() == path.read_bytes()
    assert opened.files == len(files_below(opened.folder)) - len(("Snakefile", "profile"))
    # Results are made again.
    assert not (opened.folder / "data/cohorts/c1/reports").exists()


def test_an_empty_folder_may_be_there_and_nothing_else(bundle: Path, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    assert open_bundle(bundle, tmp_path / "empty", PROJECT).files
    with pytest.raises(InputError, match="there is something already"):
        open_bundle(bundle, tmp_path / "empty", PROJECT)


def test_the_workflow_of_this_machine_works_on_it_and_nothing_of_the_bundle(bundle: Path, tmp_path: Path):
    evil = b"print('owned')\n"
    changed = altered(bundle, tmp_path / "evil.zip", {"workflow/Snakefile": evil, "workflow/rules/common.smk": evil})
    opened = open_bundle(changed, tmp_path / "opened", PROJECT).folder
    assert str(PROJECT) in (opened / "Snakefile").read_text()
    assert b"owned" not in b"".join((opened / name).read_bytes() for name in files_below(opened))


def test_a_command_of_a_stranger_is_told_and_not_run(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It stays in the settings, for it is part of the name of each request; calls are off."""
    config = yaml.safe_load(contents(bundle)[CONFIGURATION])
    config["endpoints"]["local"] = {"start": f"touch {tmp_path}/mark {{port}}"}
    changed = altered(bundle, tmp_path / "evil.zip", {CONFIGURATION: yaml.safe_dump(config).encode()})
    opened = open_bundle(changed, tmp_path / "opened", PROJECT)
    assert opened.commands == [f"touch {tmp_path}/mark {{port}}"]
    assert "`start`" in (opened.folder / "config.yaml").read_text()
    monkeypatch.chdir(opened.folder)
    with Provider() as provider:
        study = Folder(opened.folder, provider)
        for path in study.paths.gens.glob("evaluation/*/parsed.txt"):
            path.unlink()
        assert PlannedStudy(study).run() == 0
    assert {study.metadata(row)["error"] for row in study.rows("draft")} == {"offline"}
    assert not (tmp_path / "mark").exists()


def test_settings_of_a_stranger_reach_nothing_of_this_machine(bundle: Path, tmp_path: Path):
    config = yaml.safe_load(contents(bundle)[CONFIGURATION])
    config |= {"data_root": "/etc", "limits_dir": "/etc", "template_folders": ["/"], "offline": False}
    config["endpoints"]["local"] |= {
        "base_url": "https://stranger.example",
        "api_key_env": "AWS_SECRET_ACCESS_KEY",
        "headers": {"X-Token": "$HOME"},
    }
    changed = altered(bundle, tmp_path / "evil.zip", {CONFIGURATION: yaml.safe_dump(config).encode()})
    opened = open_bundle(changed, tmp_path / "opened", PROJECT).folder
    settings = yaml.safe_load((opened / "config.yaml").read_text())
    assert (settings["data_root"], settings["offline"], settings["cohort"]) == ("data", True, "c1")
    assert not {"limits_dir", "template_folders"} & set(settings)
    assert settings["endpoints"]["local"]["api_key_env"] is None
    assert "headers" not in settings["endpoints"]["local"]


def test_a_version_of_a_stranger_moves_no_cursor(bundle: Path, tmp_path: Path):
    evil = with_manifest(bundle, tmp_path / "evil.zip", lambda manifest: manifest.update(commit="\x1b[2Jabc"))
    made_by = open_bundle(evil, tmp_path / "opened", PROJECT).manifest.made_by
    assert "\x1b" not in made_by
    assert "[2Jabc" in made_by


# Hostile bundles ------------------------------------------------------------------------------------------------------


def _entry(name: str, mode: int = 0o100644, method: int = ZIP_DEFLATED) -> ZipInfo:
    entry = ZipInfo(name)
    entry.external_attr, entry.compress_type, entry.create_system = mode << 16, method, 3
    return entry


def _named(name: str) -> Make:
    return lambda bundle, target: with_entry(bundle, target, _entry(name))


def _input(name: str) -> Make:
    """The manifest calls a file an input of the study."""

    def make(bundle: Path, target: Path) -> Path:
        manifest = json.loads(contents(bundle)[MANIFEST])
        manifest["inputs"][name] = "0" * 64
        return altered(bundle, target, {name: b"x", MANIFEST: json.dumps(manifest).encode()})

    return make


def _line(name: str, *pieces: object, sha256: str | None = None) -> Make:
    text = "".join(piece for piece in pieces if isinstance(piece, str))
    stored = StoredFile(name, sha256 or hashlib.sha256(text.encode()).hexdigest(), tuple(pieces))
    return lambda bundle, target: with_lines(bundle, target, stored)


def _bomb_of_one_file(bundle: Path, target: Path) -> Path:
    return altered(bundle, target, {"data/1_raw/zeros.txt": bytes(100_000_000)})


def _bomb_of_references(bundle: Path, target: Path) -> Path:
    text = "x" * 100_000
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    first = StoredFile("data/gens/draft/d/raw.txt", sha256, (text,))
    second = StoredFile("data/gens/draft/d/parsed.txt", "0" * 64, (Reference(sha256),) * 1_000)
    return with_lines(bundle, target, first, second)


def _bomb_of_copies(bundle: Path, target: Path) -> Path:
    text = "x" * 1_000_000
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    first = StoredFile("data/gens/draft/d0/raw.txt", sha256, (text,))
    copies = [
        StoredFile(f"data/gens/draft/d{number}/raw.txt", sha256, (Reference(sha256),)) for number in range(1, 300)
    ]
    return with_lines(bundle, target, first, *copies)


def _shared_bytes(bundle: Path, target: Path) -> Path:
    """A list of files that all point to the same packed bytes."""
    with ZipFile(target, "w") as zipped:
        zipped.writestr(
            _entry("data/1_raw/first.txt"), b"".join(hashlib.sha256(bytes([n])).digest() for n in range(99))
        )
        first = zipped.infolist()[0]
        for number in range(50):
            again = _entry(f"data/1_raw/again{number}.txt")
            again.header_offset, again.CRC = first.header_offset, first.CRC
            again.compress_size, again.file_size = first.compress_size, first.file_size
            zipped.filelist.append(again)
            zipped.NameToInfo[again.filename] = again
    return target


def _encrypted(bundle: Path, target: Path) -> Path:
    content = bytearray(bundle.read_bytes())
    place = content.index(b"PK\x01\x02")
    struct.pack_into("<H", content, place + 8, 1)
    target.write_bytes(content)
    return target


def _cut(bundle: Path, target: Path) -> Path:
    target.write_bytes(bundle.read_bytes()[:-100])
    return target


def _flipped(bundle: Path, target: Path) -> Path:
    """A bit of the packed generations is another one."""
    content = bytearray(bundle.read_bytes())
    with ZipFile(bundle) as zipped:
        entry = zipped.getinfo(GENERATIONS)
    content[entry.header_offset + 200] ^= 1
    target.write_bytes(content)
    return target


def _settings(text: str) -> Make:
    return lambda bundle, target: altered(bundle, target, {CONFIGURATION: text.encode()})


def _manifest(**changes: object) -> Make:
    return lambda bundle, target: with_manifest(bundle, target, lambda manifest: manifest.update(changes))


HOSTILE: dict[str, tuple[Make, str]] = {
    "a way up": (_named("../evil.txt"), "outside of the folder"),
    "a way up inside": (_named("data/1_raw/../../../evil.txt"), "outside of the folder"),
    "an absolute path": (_named("/tmp/evil.txt"), "outside of the folder"),
    "a drive": (_named("C:/evil.txt"), "outside of the folder"),
    "backslashes": (_named("data\\..\\..\\evil.txt"), "outside of the folder"),
    "a hidden file": (_named(".snakemake/evil.txt"), "outside of the folder"),
    "a line end in a name": (_named("data/1_raw/a\nb.txt"), "outside of the folder"),
    "a link": (
        lambda bundle, target: with_entry(
            bundle, target, _entry("data/1_raw/l.txt", stat.S_IFLNK | 0o777), b"/etc/passwd"
        ),
        "no ordinary file",
    ),
    "a folder outside": (_named("../evil/"), "outside of the folder"),
    "a link with the name of a folder": (
        lambda bundle, target: with_entry(bundle, target, _entry("data/1_raw/", stat.S_IFLNK | 0o777), b"/etc"),
        "no ordinary file",
    ),
    "a device": (
        lambda bundle, target: with_entry(bundle, target, _entry("data/1_raw/d.txt", stat.S_IFCHR | 0o666)),
        "no ordinary file",
    ),
    "a name in another case": (_named("CONFIG.YAML"), "in it twice"),
    "an unusual packing": (
        lambda bundle, target: with_entry(bundle, target, _entry("data/1_raw/b.txt", method=ZIP_BZIP2)),
        "packed in a way",
    ),
    "encryption": (_encrypted, "packed in a way"),
    "a bomb of one file": (_bomb_of_one_file, "as a bomb does"),
    "a bomb of references": (_bomb_of_references, "would come to more than"),
    "a bomb of copies": (_bomb_of_copies, "as a bomb does"),
    "shared bytes": (_shared_bytes, "as in a bomb"),
    "a Snakefile as an input": (_input("Snakefile"), "a study has no file at"),
    "a profile as an input": (_input("profiles/default/config.yaml"), "a study has no file at"),
    "a script as an input": (_input("scripts/evil.txt"), "a study has no file at"),
    "a module as an input": (_input("sitecustomize.py"), "a study has no file at"),
    "another cohort": (_input("data/cohorts/other/membership.csv"), "a study has no file at"),
    "what is written by us": (_input("bundle/texts.json"), "a study has no file at"),
    "a result as an input": (_input("data/cohorts/c1/reports/parsed_scores.csv"), "a study has no file at"),
    "a record that results are of now": (_input("data/cohorts/c1/made/scores.json"), "a study has no file at"),
    "a page as an input": (_input("data/2_tasks/read.html"), "a study has no file at"),
    "a script in a folder of reports": (_input("data/1_raw/reports/evil.py"), "a study has no file at"),
    "an input that is not there": (
        _manifest(inputs={"data/1_raw/gone.csv": "0" * 64}),
        "there is no data/1_raw/gone.csv",
    ),
    "another input": (
        lambda bundle, target: altered(bundle, target, {"data/1_raw/llm_models.csv": b"id\n"}),
        "not the file that bundle.json names",
    ),
    "a line that leads out": (_line("data/gens/draft/../../../evil.txt", "x"), "a study has no file at"),
    "a line of code": (_line("data/gens/draft/evil.py", "x"), "a study has no file at"),
    "a line that is a result": (_line("data/cohorts/c1/made/scores.json", "x"), "a study has no file at"),
    "a line twice": (
        lambda bundle, target: with_lines(
            bundle, target, *[StoredFile("data/gens/draft/d/raw.txt", hashlib.sha256(b"x").hexdigest(), ("x",))] * 2
        ),
        "in it twice",
    ),
    "a text that is another one": (_line("data/gens/draft/d/raw.txt", "x", sha256="0" * 64), "its digest names"),
    "a reference to nothing": (_line("data/gens/draft/d/raw.txt", Reference("0" * 64)), "cannot be read"),
    "more lines than it says": (_manifest(generations=1), "more lines"),
    "fewer lines than it says": (_manifest(generations=10_000), "fewer lines"),
    "a later format": (_manifest(format=2), "of format 2"),
    "a cohort that leads out": (_manifest(cohort=".."), "no name of a cohort"),
    "a result of this machine": (_manifest(results={"/dev/zero": "0" * 64}), "no result at '/dev/zero'"),
    "a result outside": (_manifest(results={"data/cohorts/c1/reports/../../../../x.csv": "0" * 64}), "no result at"),
    "a result with marks of a terminal": (
        _manifest(results={"data/cohorts/c1/reports/\x1b[2J.csv": "0" * 64}),
        "no result at .*\u241b",
    ),
    "a manifest of another form": (_manifest(results=["a"]), "cannot be read"),
    "no manifest": (lambda bundle, target: altered(bundle, target, {MANIFEST: None}), "no bundle of a study"),
    "settings that are none": (_settings("- a\n"), "holds no settings"),
    "settings that are unknown": (_settings("surprise: 1\n"), "surprise"),
    "settings that are code": (_settings("!!python/object/apply:os.system ['true']\n"), "cannot be read"),
    "a cut file": (_cut, "no zip file"),
    "a changed bit": (_flipped, "Get it again"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_bundle_is_refused_and_leaves_nothing(bundle: Path, tmp_path: Path, name: str):
    make, told = HOSTILE[name]
    place = tmp_path / "place"
    place.mkdir()
    changed = make(bundle, tmp_path / "evil.zip")
    with pytest.raises(InputError, match=told) as error:
        open_bundle(changed, place / "opened", PROJECT, Limits(file_bytes=50_000_000))
    assert "\n" not in str(error.value).strip()
    assert list(place.iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"place", "evil.zip"}


def test_what_may_come_out_has_a_limit(bundle: Path, tmp_path: Path):
    with pytest.raises(InputError, match="as a bomb does"):
        open_bundle(bundle, tmp_path / "opened", PROJECT, Limits(total_bytes=10_000))
    assert not (tmp_path / "opened").exists()


def test_too_many_files_are_refused_before_they_are_listed(bundle: Path, tmp_path: Path):
    with pytest.raises(InputError, match="more than 50 files"):
        open_bundle(bundle, tmp_path / "opened", PROJECT, Limits(files=50))


def test_a_bundle_that_another_program_packed_again_is_opened(bundle: Path, tmp_path: Path):
    """Programs such as `zip -r` add an entry for each folder."""
    again = with_entry(bundle, tmp_path / "again.zip", _entry("data/", mode=stat.S_IFDIR | 0o755), b"")
    again = with_entry(again, tmp_path / "more.zip", _entry("data/1_raw/", mode=0), b"")
    assert open_bundle(again, tmp_path / "opened", PROJECT).files


def test_a_file_that_is_no_zip_is_told(tmp_path: Path):
    (tmp_path / "study.zip").write_text("nothing")
    with pytest.raises(InputError, match="no zip file"):
        open_bundle(tmp_path / "study.zip", tmp_path / "opened", PROJECT)

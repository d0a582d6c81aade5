"""The exported files as a target: no part of `all`, made when asked for, and made anew when a score changes."""

from __future__ import annotations

import os

from studies import Study


def test_the_export_is_a_target_of_its_own(copied: Study):
    files = copied.paths.cohort("c1")
    targets = (files.parquet, files.sqlite, files.datasette)
    assert not files.export.exists()
    first = copied.run("export")
    assert first.calls == ()
    before = [target.read_bytes() for target in targets]
    assert copied.run("export").did_nothing

    moment = files.sqlite.stat().st_mtime_ns
    files.sqlite.write_bytes(before[1].replace(b"novelty", b"n0velty"))
    os.utime(files.sqlite, ns=(moment, moment))
    assert copied.run("export").calls == ()
    assert [target.read_bytes() for target in targets] == before

    copied.edit(copied.template("evaluation", "novelty"), "End with", "Be strict. End with")
    assert copied.run("export").asked == {"evaluation novelty": 8}
    assert files.parquet.read_bytes() != before[0]
    assert files.sqlite.read_bytes() != before[1]


def test_the_script_exports_what_is_there_to_any_folder(copied: Study):
    evaluation = copied.rows("evaluation")[0]
    copied.files(evaluation).parsed.unlink()
    run = copied.script("export_cohort.py", "--output", "elsewhere")
    assert {path.name for path in (copied.folder / "elsewhere").iterdir()} == {
        "c1.parquet",
        "c1.sqlite",
        "c1.datasette.json",
    }
    assert "datasette" in run.output
    assert not copied.paths.cohort("c1").export.exists()


def test_an_output_that_is_no_folder_is_told(copied: Study):
    (copied.folder / "file").write_text("")
    run = copied.script("export_cohort.py", "--output", "file/below", code=1)
    assert "cannot be read or written" in run.output
    assert "Traceback" not in run.output


def test_a_run_of_all_tells_of_an_export_that_it_leaves_behind(copied: Study):
    files = copied.paths.cohort("c1")
    copied.run("export")
    assert "snakemake export" not in copied.run("-n", "all").output
    files.parquet.write_bytes(files.parquet.read_bytes()[:-1] + b"?")
    told = f"The export {files.parquet.relative_to(copied.folder)} is not of the texts of now."
    dry = copied.run("-n", "all")
    assert dry.did_nothing and told in dry.output
    copied.edit(copied.template("evaluation", "novelty"), "End with", "Be strict. End with")
    assert "may not be of the texts that this run makes" in copied.run("-n", "all").output

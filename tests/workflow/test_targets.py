"""Targets, places and ways to run: each names its files or folders in the way that users do."""

import shutil
import sys
from pathlib import Path

from daydreaming.cohort.membership import write_membership
from daydreaming.inputs.records import Generation
from provider import Provider
from studies import Choice, Study
from studies.study import PROJECT


def test_each_target_makes_its_stage_and_what_it_needs(make_study):
    study = make_study(drafts=("thread", "contrast"), essays=("copied", "developed"))
    assert study.run("-j8", "drafts").asked == {"draft thread": 1, "draft contrast": 1}
    essay = study.rows("essay", "developed")[0]
    one = study.run("-j8", f"data/gens/essay/{essay.gen_id}/parsed.txt")
    assert one.outcomes == {"essay developed: made": 1}
    assert study.run("-j8", "essays").outcomes == {"essay developed: made": 1, "essay copied: copied": 2}
    assert study.run("-j8", "evaluations").outcomes == {"evaluation novelty: made": 4}
    reports = study.paths.cohort("c1").reports
    assert not reports.exists()
    assert study.run("-j8", "scores").calls == ()
    names = {"parsed_scores.csv", "pivot_mean.csv", "pivot_n.csv", "pivot_sum.csv", "pivot_n_failed.csv"}
    assert names <= {file.name for file in reports.iterdir()}


def test_a_generation_that_the_cohort_has_not_is_a_clear_error(finished: Study):
    run = finished.run("data/gens/essay/nobody/parsed.txt", code=1)
    assert "the cohort has no essay 'nobody'" in run.output
    assert run.calls == ()


def test_a_project_whose_path_has_spaces_runs_from_inside_and_from_elsewhere(tmp_path: Path, provider: Provider):
    folder = tmp_path / "my own project"
    study = Study.create(folder, provider)
    shutil.copy(PROJECT / "Snakefile", folder)
    for name in ("rules", "profiles", "scripts"):
        shutil.copytree(PROJECT / name, folder / name)
    study.build()
    inside = study.command("snakemake", "-j8")
    assert inside.outcomes == {"draft thread: made": 1, "essay copied: copied": 1, "evaluation novelty: made": 1}
    elsewhere = tmp_path / "some where"
    elsewhere.mkdir()
    assert study.command("snakemake", "-s", str(folder / "Snakefile"), cwd=elsewhere).did_nothing
    # Snakemake opens its log where it is called, before it reads a workflow.
    assert [path.name for path in elsewhere.iterdir()] in ([], [".snakemake"])


def test_the_data_can_live_elsewhere(tmp_path: Path, provider: Provider):
    data = tmp_path / "a large disk" / "my data"
    study = Study.create(tmp_path / "study", provider, data=data)
    assert str(data) in study.run("membership").output
    assert len(study.run().calls) == 2
    assert not (study.folder / "data").exists()
    essay = study.row("essay")
    assert study.metadata(essay)["files"]["parsed"] == str(study.files(essay).parsed)
    assert study.run("-n").did_nothing


def test_a_table_of_the_users_own_with_ids_of_all_kinds_and_files_of_windows(tmp_path: Path, provider: Provider):
    study = Study.create(tmp_path / "study", provider, Choice(essays=("developed",)))
    rows = [
        Generation("draft", "Draft.1", "c1", "", "sleep_tides", "thread", "writer"),
        Generation("essay", "an_essay-of-mine", "c1", "Draft.1", "sleep_tides", "developed", "writer"),
        # The same id may be used at each stage.
        Generation("evaluation", "an_essay-of-mine", "c1", "an_essay-of-mine", "", "novelty", "judge"),
    ]
    table = study.paths.cohort("c1").membership
    write_membership(table, rows)
    for file in [table, *(study.data / "1_raw").glob("*.csv"), study.paths.selected_combos]:
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    run = study.run("-j8")
    assert run.outcomes == {"draft thread: made": 1, "essay developed: made": 1, "evaluation novelty: made": 1}
    assert (study.paths.gens / "evaluation/an_essay-of-mine/parsed.txt").exists()


def test_a_table_without_the_column_of_replicates_is_complete(make_study):
    study = make_study()
    table = study.paths.cohort("c1").membership
    lines = [line.rpartition(",")[0] for line in table.read_text().splitlines()]
    table.write_text("\n".join(lines) + "\n")
    assert "replicate" not in table.read_text()
    assert study.run("drafts").outcomes == {"draft thread: made": 1}


def test_without_the_profile_jobs_are_processes_and_the_run_says_what_that_costs(make_study, tmp_path):
    study = make_study()
    # Snakemake does not quote its interpreter: this way, its folder's name may have spaces.
    (tmp_path / "environment").symlink_to(Path(sys.executable).parents[1])
    python = str(tmp_path / "environment" / "bin" / "python")
    arguments = ["-d", ".", "-j1", "--workflow-profile", "none", "evaluations"]
    run = study.command(python, "-m", "snakemake", "-s", str(PROJECT / "Snakefile"), *arguments)
    assert run.outcomes == {"draft thread: made": 1, "essay copied: copied": 1, "evaluation novelty: made": 1}
    assert run.asked == {"draft thread": 1, "evaluation novelty": 1}
    assert "profiles/default" in run.output
    assert len({event["run"] for event in study.events()}) == 1

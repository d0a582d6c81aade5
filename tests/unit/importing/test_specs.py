"""Cohorts that the original project describes by a spec: what comes, what is compiled, and what stops an import."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from importing_fixtures import SETTINGS, SOURCE, bring_in, only_fault, plan, snapshot
from inputs_fixtures import settings_with, write

from daydreaming.base.errors import InputError
from daydreaming.cohort.membership import read_generations
from daydreaming.cohort.writer import build_cohort
from daydreaming.generation.currency import State
from daydreaming.generation.inspection import inspect_cohort
from daydreaming.generation.study import load_study, study_to_build
from daydreaming.importing.import_text import import_text
from daydreaming.importing.study_import import plan_import
from daydreaming.importing.writing import write_import
from daydreaming.plan.cohort_to_plan import study_to_plan
from studies.original import COHORT, SPEC, Original

HERE = Path(f"data/cohorts/{COHORT}")
TABLE = HERE / "membership.csv"


def without_table(original: Original) -> Original:
    """A cohort of which there is a spec alone."""
    original.membership.unlink()
    return original


def remarks() -> str:
    (cohort,) = plan().cohorts
    return "\n".join(cohort.remarks)


def settings(**config: object):
    return settings_with(**(SETTINGS | config))


class TestASpecBesideATable:
    def test_it_comes_with_its_files_and_says_what_the_table_says(self, latest: Original):
        before = snapshot(SOURCE)
        assert "its spec comes, and says what its table says" in import_text(plan())
        bring_in()
        for name in ("spec/config.yaml", "spec/items/essays.csv"):
            assert (HERE / name).read_bytes() == (latest.data / "cohorts" / COHORT / name).read_bytes()
        assert snapshot(SOURCE) == before
        assert plan().changes_nothing

    def test_it_compiles_here_to_the_ids_that_came(self, latest: Original):
        bring_in()
        built = study_to_build(settings()).membership.generations
        assert built == load_study(settings()).membership.generations
        assert study_to_plan(settings())[1] == ""
        assert "The table has not changed." in build_cohort(settings())

    def test_a_copy_by_the_essays_model_is_the_copy_of_its_draft(self, latest: Original):
        for gen_id in ("e_copy_one", "e_copy_two"):
            latest.change_record("essay", gen_id, llm_model_id="critic")
        bring_in()
        assert "The table has not changed." in build_cohort(settings())

    def test_rows_that_it_adds_are_said_and_not_bought(self, latest: Original):
        write(latest.spec, SPEC.replace("['1']", "['1', '2']"))
        assert "its spec has 4 evaluations more than its table: that does not come" in remarks()
        bring_in()
        assert len(read_generations(TABLE)) == 10
        assert inspect_cohort(load_study(settings())).counts() == {State.ADOPTED: 10}
        assert "4 rows come" in build_cohort(settings())

    def test_rows_that_it_lacks_are_said_and_come(self, latest: Original):
        write(latest.spec, SPEC.replace("[combo_v1_one, combo_v1_two]", "[combo_v1_one]"))
        assert "its table has 1 draft, 2 essays, 2 evaluations more than its spec" in remarks()
        bring_in()
        assert len(read_generations(TABLE)) == 10
        with pytest.raises(InputError, match="rows of this table would go, so nothing was changed"):
            build_cohort(settings())

    def test_a_level_that_comes_by_the_spec_alone_is_here_afterwards(self, latest: Original):
        """A combo without a draft, and a model that wrote nothing yet."""
        header = (latest.data / "combo_mappings.csv").read_text()
        write(latest.data / "combo_mappings.csv", f"{header}new,v1,clay,paragraph,1,\n")
        with (latest.data / "1_raw/llm_models.csv").open("a") as table:
            table.write("bard,lab/bard,lab,Bard,writing\n")
        write(latest.spec, SPEC.replace("combo_v1_two]", "combo_v1_two, new]").replace("_llm: [poet]", "_llm: [bard]"))
        bring_in()
        built = study_to_build(settings()).membership
        assert {row.combo_id for row in built.stage("draft")} == {"combo_v1_one", "combo_v1_two", "new"}
        assert {row.llm_model_id for row in built.stage("draft")} == {"bard"}

    def test_axes_that_it_leaves_out_are_said(self, latest: Original):
        write(
            latest.spec, SPEC.replace("  evaluation_llm: [critic]\n", "").replace("  evaluation_replicate: ['1']\n", "")
        )
        settings_here = settings(replicates={"evaluation": 3})
        text = import_text(plan_import(SOURCE, settings_here))
        assert "its spec leaves out evaluation_llm, evaluation_replicate: there is all that is active here" in text

    def test_it_can_stay_where_it_is(self, latest: Original):
        write(latest.spec, "axes: [\n")
        planned = plan_import(SOURCE, settings(), with_specs=False)
        assert f"its spec, {latest.spec}, does not come" in import_text(planned)
        assert write_import(planned) == []
        assert not (HERE / "spec").exists()
        assert len(read_generations(TABLE)) == 10


class TestASpecWithoutATable:
    def test_its_table_is_compiled_and_generations_that_exist_are_adopted(self, latest: Original):
        before = snapshot(without_table(latest).data)
        bring_in()
        study = load_study(settings())
        assert inspect_cohort(study).counts() == {State.ADOPTED: 10}
        assert {gen_id for _, gen_id in study.membership.generations} >= {"d_one", "e_copy_two", "v_one"}
        assert snapshot(latest.data) == before

    def test_a_second_import_changes_nothing(self, latest: Original):
        without_table(latest)
        bring_in()
        before = snapshot(Path("data"))
        assert bring_in().changes_nothing
        assert snapshot(Path("data")) == before
        assert "The table has not changed." in build_cohort(settings())

    def test_what_was_never_made_is_to_be_made_and_keeps_its_id(self, latest: Original):
        write(without_table(latest).spec, SPEC.replace("['1']", "['1', '2']"))
        (cohort,) = bring_in().cohorts
        assert (len(cohort.come), cohort.without_text) == (14, 4)
        assert inspect_cohort(load_study(settings())).counts()[State.ADOPTED] == 10
        assert "The table has not changed." in build_cohort(settings())
        assert plan().changes_nothing

    def test_of_several_that_are_the_same_its_own_is_taken(self, latest: Original):
        """Two evaluations of one essay; `a_` comes first by its name, and another cohort made it."""
        home = latest.file("evaluation", "v_one", "metadata.json").parent
        shutil.copytree(home, home.with_name("a_twin"))
        latest.change_record("evaluation", "a_twin", gen_id="a_twin", origin_cohort_id="summer")
        without_table(latest)
        assert "for 1 row there are several generations: the cohort's own is taken" in remarks()
        bring_in()
        judged = [row.gen_id for row in read_generations(TABLE) if row.parent_gen_id == "e_one"]
        assert judged == ["v_one"]

    def test_it_may_be_one_file_and_name_files_of_another_cohort(self, latest: Original):
        shutil.rmtree(without_table(latest).spec.parent)
        folder = latest.data / "cohorts"
        write(folder / COHORT / "spec.yaml", SPEC.replace("@file:items", "@file:../shared"))
        write(folder / "shared/essays.csv", "essay_template\ntell\nas-is\n")
        bring_in()
        assert Path("data/cohorts/shared/essays.csv").is_file()
        assert inspect_cohort(load_study(settings())).counts() == {State.ADOPTED: 10}

    def test_another_encoding_is_read_as_said_and_written_as_utf8(self, latest: Original):
        without_table(latest).spec.write_bytes(f"# été\n{SPEC}".encode("latin-1"))
        assert "is not UTF-8 text" in str(only_fault())
        bring_in("latin-1")
        assert (HERE / "spec/config.yaml").read_text(encoding="utf-8").startswith("# été\n")

    def test_what_needs_something_that_is_missing_does_not_come(self, latest: Original):
        """The essays by `tell` are left out with their template; so is the spec that names it."""
        latest.template("essay", "tell").unlink()
        without_table(latest)
        planned = bring_in()
        assert planned.left_out["essay", "e_one"].startswith("the essay template tell cannot be used")
        assert f"its spec, {latest.spec}, does not come: the essay template tell cannot be used" in import_text(planned)
        assert not HERE.exists()


class TestWhatStopsIt:
    @pytest.mark.parametrize(
        ("old", "new", "place", "problem"),
        [
            ("  draft_llm", "  drift_llm", "line 4, key 'axes.drift_llm'", "there is no axis 'drift_llm'"),
            ("[weave]", "[weeve]", "line 3, key 'axes.draft_template'", "there is no draft template 'weeve'"),
            ("output:", "rules: [subset]\noutput:", "line 10, key 'rules'", "stands where keys are expected"),
            ("@file:items/essays", "@file:items/gone", "line 5", "cohorts/winter/spec/items/gone.csv does not exist"),
            (
                "@file:items/",
                "@file:../../../1_raw/",
                "old/cohorts/winter/spec/config.yaml",
                "lies outside of old/cohorts",
            ),
            ("axes:", "axes: {", "line", "is not YAML"),
        ],
    )
    def test_a_faulty_spec_is_told_with_its_line_and_nothing_is_written(
        self, old: str, new: str, place: str, problem: str, latest: Original
    ):
        write(latest.spec, SPEC.replace(old, new, 1))
        write(latest.data / "1_raw/essays.csv", "essay_template\ntell\n")
        before = snapshot(Path())
        message = str(only_fault())
        assert message.startswith("old/cohorts/winter/spec/config.yaml")
        assert place in message
        assert problem in message
        assert "--without-specs" in message
        with pytest.raises(InputError):
            write_import(plan())
        assert snapshot(Path()) == before

    def test_a_fault_of_a_file_that_it_names_has_that_files_place(self, latest: Original):
        write(latest.spec.with_name("items") / "essays.csv", "essay_template\ntell\ntold\n")
        assert str(only_fault()).startswith("old/cohorts/winter/spec/items/essays.csv, row 3")

    def test_a_link_that_leads_out_is_not_followed(self, latest: Original):
        helper = latest.spec.with_name("items") / "essays.csv"
        helper.unlink()
        write("secret.csv", "essay_template\ntell\n")
        helper.symlink_to(Path("secret.csv").resolve())
        assert "leads out of the folder" in str(only_fault())

    def test_two_specs_of_one_cohort_are_one_too_many(self, latest: Original):
        write(latest.data / "cohorts" / COHORT / "spec.yaml", SPEC)
        assert "the cohort has another spec" in str(only_fault())

    def test_another_file_that_it_would_name_here_is_in_the_way(self, latest: Original):
        write(HERE / "spec/items/essays.csv", "essay_template\npass\n")
        assert only_fault().file == f"{HERE}/spec/items/essays.csv"

    def test_a_spec_that_was_changed_here_stays_and_stops_nothing(self, latest: Original):
        bring_in()
        changed = write(HERE / "spec/config.yaml", SPEC.replace("['1']", "['1', '2']"))
        planned = plan()
        assert planned.changes_nothing
        assert f"here it has another spec, {HERE}/spec/config.yaml, which stays" in import_text(planned)
        bring_in()
        assert "'2'" in changed.read_text()

    def test_older_forms_are_said_not_to_be_read(self, latest: Original):
        write(latest.data / "cohorts/planned/spec/axes/draft_template.txt", "weave\n")
        text = import_text(plan())
        assert "planned: it has no membership.csv" in text
        assert "planned: old/cohorts/planned/spec does not come: it has no config.yaml" in text


def test_an_import_of_a_spec_that_was_killed_goes_on(latest: Original, monkeypatch: pytest.MonkeyPatch):
    """Killed when the files that the spec names are there, and it is not."""
    from daydreaming.importing import writing

    without_table(latest)
    write_text = writing.write_text

    def killed(path: Path, *arguments: object, **more: bool) -> None:
        if path.name == "config.yaml":
            raise KeyboardInterrupt
        write_text(path, *arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(writing, "write_text", killed)
        with pytest.raises(KeyboardInterrupt):
            bring_in()
    assert not TABLE.exists()
    bring_in()
    assert inspect_cohort(load_study(settings())).counts() == {State.ADOPTED: 10}

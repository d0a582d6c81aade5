from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from cohort_fixtures import make_cohort_project, plan
from inputs_fixtures import COMBO_HEADER, settings_with, write
from spec_fixtures import COHORT, SPEC, column, compiled, crossing, faults_of, rows_of, write_models

from daydreaming.base.errors import InputError
from daydreaming.base.identifiers import generation_id
from daydreaming.cohort.writer import build_cohort
from daydreaming.inputs.catalogs import load_catalogs
from daydreaming.inputs.concepts import cohort_combos

ALL = {
    "draft_template": ["plain", "bold"],
    "draft_llm": ["writer", "poet"],
    "evaluation_template": ["rubric", "strict"],
    "evaluation_llm": ["judge", "critic"],
}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_cohort_project(tmp_path, monkeypatch)
    write_models()


def combos() -> list[str]:
    settings = settings_with()
    return [combo.combo_id for combo in cohort_combos(settings, load_catalogs(settings))]


class TestAxes:
    @pytest.mark.parametrize("spec", ["", "axes: {}", "axes: {draft_template: active, combo: }"])
    def test_a_spec_that_says_nothing_is_the_cohort_without_one(self, spec: str):
        replicates = {"draft": 2, "essay": 3, "evaluation": 2}
        without = plan(cohort="other", replicates=replicates).generations
        assert compiled(spec, replicates=replicates) == tuple(replace(one, cohort_id=COHORT) for one in without)

    def test_what_is_listed_is_what_there_is_active_or_not(self):
        write("data/1_raw/generation_templates/draft/old.txt", "Be old.")
        rows = rows_of("axes: {draft_template: [old], essay_template: [write], draft_llm: [poet]}")
        assert set(rows) == crossing(
            **{**ALL, "combo": combos(), "draft_template": ["old"], "draft_llm": ["poet"]},
            essay_template=["write"],
            essay_llm=["poet"],
        )

    def test_an_essay_can_have_another_model_than_its_draft(self):
        rows = rows_of("axes: {essay_template: [write], draft_llm: [writer], essay_llm: [poet]}")
        assert {row[2] for row in rows} == {"writer"}
        assert set(column(rows, "essay_llm")) == {"poet"}

    def test_ids_are_those_of_the_same_generations_without_a_spec(self):
        draft, *_ = (one for one in compiled("axes: {draft_llm: [poet]}") if one.stage != "evaluation")
        assert draft.gen_id == generation_id("draft", "plain", "poet", combos()[0], 1)
        essays = [one for one in compiled("axes: {draft_llm: [poet]}") if one.stage == "essay"]
        copy = next(one for one in essays if one.template_id == "pass" and one.parent_gen_id == draft.gen_id)
        assert copy.gen_id == generation_id("essay", "pass", "poet", draft.gen_id, 1)

    def test_replicates_are_a_number_or_a_list(self):
        for spec in (
            "evaluation_replicate: 3",
            "evaluation_replicate: [1, 2, 3]",
            "evaluation_llm_replicate: ['1', '2', '3']",
        ):
            assert set(column(rows_of(f"axes: {{{spec}}}"), "evaluation_replicate")) == {"1", "2", "3"}

    def test_a_second_set_of_samples_keeps_the_first(self):
        first = {one.gen_id for one in compiled("axes: {draft_replicate: 1}")}
        assert first < {one.gen_id for one in compiled("axes: {draft_replicate: 2}")}

    def test_combos_by_id(self):
        wanted = combos()[1]
        assert set(column(rows_of(f"axes: {{combo_id: [{wanted}]}}"), "combo")) == {wanted}

    def test_combos_of_an_earlier_cohort_by_id(self):
        write("data/combo_mappings.csv", COMBO_HEADER + "old-one,v1,moss,paragraph,1,2026-01-01\n")
        assert set(column(rows_of("axes: {combo: [old-one]}"), "combo")) == {"old-one"}

    def test_combos_of_chosen_concepts_are_the_same_combos_as_elsewhere(self):
        rows = rows_of("axes: {combo: {k_of: {concepts: [moss, tide], k: 2}}}")
        (combo,) = set(column(rows, "combo"))
        assert combo in combos()
        assert len(set(column(rows_of("axes: {combo: {k_of: {concepts: active, k: 1}}}"), "combo"))) == 3

    def test_levels_from_files(self):
        write(SPEC.with_name("drafts.csv"), "note,draft_template\nfirst,bold\n,plain\n")
        write(SPEC.with_name("rubrics.txt"), "strict\n\n")
        write(SPEC.with_name("judges.yaml"), "- critic\n")
        rows = rows_of(
            "axes:\n  draft_template: '@file:drafts.csv'\n"
            "  evaluation_template: '@file:rubrics.txt'\n  evaluation_llm: '@file:judges.yaml'\n"
        )
        assert list(dict.fromkeys(column(rows, "draft_template"))) == ["bold", "plain"]
        assert {(row[7], row[8]) for row in rows} == {("strict", "critic")}

    def test_rows_come_in_the_order_of_the_levels(self):
        rows = rows_of("axes: {draft_template: [bold, plain], evaluation_llm: [critic, judge]}")
        assert list(dict.fromkeys(column(rows, "draft_template"))) == ["bold", "plain"]
        assert rows[0][8] == "critic"

    def test_ids_stay_as_they_are_written(self):
        table = "data/1_raw/draft_templates.csv"
        write(table, Path(table).read_text() + "007,llm,false\non,llm,false\n")
        for name in ("007", "on"):
            write(f"data/1_raw/generation_templates/draft/{name}.txt", "Write.")
        assert set(column(rows_of("axes: {draft_template: [007, on]}"), "draft_template")) == {"007", "on"}


class TestRules:
    def test_a_subset_keeps_levels(self):
        assert set(column(rows_of("rules: {subsets: {draft_llm: [poet]}}"), "draft_llm")) == {"poet"}

    def test_tied_axes_move_together_on_common_levels(self):
        spec = "axes: {essay_llm: [poet, writer]}\nrules: {ties: {one_voice: [draft_llm, essay_llm]}}"
        rows = rows_of(spec)
        assert {(row[2], row[5]) for row in rows} == {("writer", "writer"), ("poet", "poet")}
        assert rows_of(
            spec.replace("[poet, writer]", "[poet]").replace("one_voice: [", "t: {axes: [").replace("llm]}}", "llm]}}}")
        )

    def test_pairs_are_the_only_ones(self):
        rows = rows_of(
            "rules:\n  pairs:\n    modes:\n      left: draft_template\n      right: essay_template\n"
            "      balance: both\n      allowed: [[plain, pass], [bold, write]]\n"
        )
        assert {(row[1], row[4]) for row in rows} == {("plain", "pass"), ("bold", "write")}

    def test_a_tuple_gives_its_axes_their_levels(self):
        write(
            SPEC.with_name("bundle.csv"), "evaluation_llm,note,evaluation_template\njudge,x,strict\ncritic,y,rubric\n"
        )
        rows = rows_of(
            "rules:\n  tuples:\n    bundle:\n      axes: [evaluation_template, evaluation_llm]\n"
            "      items: '@file:bundle.csv'\n"
        )
        assert {(row[7], row[8]) for row in rows} == {("strict", "judge"), ("rubric", "critic")}

    def test_a_pair_with_a_tuple(self):
        rows = rows_of(
            "rules:\n"
            "  tuples:\n    bundle: {axes: [essay_template, essay_llm], items: [[write, poet], [write, writer]]}\n"
            "  pairs:\n    which: {left: draft_template, right: bundle, allowed: [[plain, [write, poet]], "
            "[bold, [write, writer]]]}\n"
        )
        assert {(row[1], row[4], row[5]) for row in rows} == {("plain", "write", "poet"), ("bold", "write", "writer")}

    def test_rules_that_share_an_axis_hold_together(self):
        rows = rows_of(
            "rules:\n  pairs:\n"
            "    one: {left: draft_template, right: essay_template, allowed: [[plain, pass], [bold, write]]}\n"
            "    two: {left: essay_template, right: evaluation_template, allowed: [[pass, rubric], [write, strict]]}\n"
        )
        assert {(row[1], row[4], row[7]) for row in rows} == {("plain", "pass", "rubric"), ("bold", "write", "strict")}

    def test_a_subset_narrows_the_rows_of_a_rule(self):
        rows = rows_of(
            "rules:\n  subsets: {draft_template: [bold]}\n  pairs:\n"
            "    one: {left: draft_template, right: essay_template, allowed: [[plain, pass], [bold, write]]}\n"
        )
        assert {(row[1], row[4]) for row in rows} == {("bold", "write")}

    def test_a_tie_counts_as_all_its_axes(self):
        rows = rows_of(
            "axes: {essay_llm: [poet, writer]}\nrules:\n  ties: {voice: [draft_llm, essay_llm]}\n  pairs:\n"
            "    who: {left: voice, right: evaluation_llm, allowed: [[poet, judge], [writer, critic]]}\n"
        )
        assert {(row[2], row[5], row[8]) for row in rows} == {("poet", "poet", "judge"), ("writer", "writer", "critic")}


class TestCopies:
    def test_a_copy_is_made_once_whatever_the_axes_say(self):
        rows = rows_of("axes: {essay_llm: [poet, writer], essay_replicate: 3}")
        copies = {row[:7] for row in rows if row[4] == "pass"}
        assert {(row[5], row[6]) for row in copies} == {("writer", "1"), ("poet", "1")}
        assert all(row[5] == row[2] for row in copies)
        assert len(copies) == 3 * 2 * 2
        assert len({row[:7] for row in rows if row[4] == "write"}) == 3 * 2 * 2 * 2 * 3

    def test_none_as_the_model_of_a_copy(self):
        items = "[[pass, None], [write, poet]]"
        spec = f"rules: {{tuples: {{t: {{axes: [essay_template, essay_llm], items: {items}}}}}}}"
        assert {(row[4], row[5]) for row in rows_of(spec)} == {("pass", "writer"), ("pass", "poet"), ("write", "poet")}
        (fault,) = faults_of("axes: {essay_llm: [None, poet]}")
        assert "'write' calls a model" in fault.problem
        assert fault.line == 1


class TestSample:
    def test_the_same_seed_gives_the_same_rows_and_a_larger_n_keeps_them(self):
        def sample(n: int, seed: int) -> list:
            return rows_of({"sample": {"n": n, "seed": seed, "balance": ["draft_template"]}})

        assert sample(10, 1) == sample(10, 1)
        assert set(sample(10, 1)) < set(sample(25, 1))
        assert set(sample(10, 1)) != set(sample(10, 2))
        assert len(set(sample(96, 1))) == 96

    def test_a_model_that_follows_the_drafts_is_spread_as_the_drafts(self):
        rows = rows_of({"sample": {"n": 10, "balance": ["essay_llm"]}})
        assert sorted(column(rows, "essay_llm").count(one) for one in ("poet", "writer")) == [5, 5]

    def test_chains_are_whole(self):
        generations = compiled("sample: {n: 7}")
        names = {one.gen_id for one in generations}
        assert all(one.parent_gen_id in names for one in generations if one.stage != "draft")

    def test_more_rows_than_there_are(self):
        (fault,) = faults_of("sample:\n  n: 97\n")
        assert "n is 97, and the crossing has 96 rows" in str(fault)
        assert (fault.line, fault.key) == (1, "sample")

    def test_a_sample_of_a_crossing_that_no_table_could_hold(self):
        axes = {f"{stage}_replicate": 10_000 for stage in ("draft", "essay", "evaluation")}
        rows = rows_of(
            {"axes": axes | {"essay_template": ["write"]}, "sample": {"n": 50, "balance": ["evaluation_llm"]}}
        )
        assert len(set(rows)) == 50
        (fault,) = faults_of("axes: {draft_replicate: 1000, evaluation_replicate: 1000}")
        assert "96,000,000 rows" in fault.problem


class TestTable:
    def test_the_table_and_its_manifest_come_from_the_spec(self):
        write(SPEC.with_name("drafts.csv"), "draft_template\nbold\n")
        write(SPEC, "axes: {draft_template: '@file:drafts.csv', essay_llm: [poet]}\nsample: {n: 4}\n")
        said = build_cohort(settings_with(cohort=COHORT))
        assert "made (spec)" in said
        manifest = json.loads(SPEC.with_name("manifest.json").read_text())
        assert manifest["axes"]["templates"]["draft"] == ["bold"]
        assert manifest["counts"]["evaluation"] == 4
        assert {"cohorts/made/spec.yaml", "cohorts/made/drafts.csv"} <= manifest["digests"].keys()
        assert "has not changed" in build_cohort(settings_with(cohort=COHORT))

    def test_a_spec_wins_over_chosen_essays_and_is_no_other_cohorts(self):
        write("data/2_tasks/selected_essays.txt", "nobody\n")
        assert compiled("axes: {}")
        with pytest.raises(InputError, match="nobody"):
            plan(cohort="other")

    def test_a_spec_in_a_folder(self):
        write(SPEC.parent / "spec/config.yaml", "axes: {draft_template: '@file:drafts.csv'}\n")
        write(SPEC.parent / "spec/drafts.csv", "draft_template\nbold\n")
        rows = plan(cohort=COHORT).generations
        assert {one.template_id for one in rows if one.stage == "draft"} == {"bold"}
        write(SPEC, "axes: {}\n")
        with pytest.raises(InputError, match="another spec"):
            plan(cohort=COHORT)

    def test_rows_that_would_go_are_shown_and_stay(self):
        write(SPEC, "axes: {draft_template: [plain, bold]}\n")
        build_cohort(settings_with(cohort=COHORT))
        before = SPEC.with_name("membership.csv").read_bytes()
        write(SPEC, "axes: {draft_template: [plain]}\n")
        with pytest.raises(InputError, match="rows of this table would go"):
            build_cohort(settings_with(cohort=COHORT))
        assert SPEC.with_name("membership.csv").read_bytes() == before

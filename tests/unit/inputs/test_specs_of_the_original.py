"""Specs in the format of the original project: the same rows as there."""

from __future__ import annotations

from pathlib import Path

import pytest
from cohort_fixtures import make_cohort_project
from inputs_fixtures import write
from spec_fixtures import SPEC, crossing, rows_of, write_models

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_cohort_project(tmp_path, monkeypatch)
    write_models()


class TestTheOriginalsFormat:
    def test_its_names_of_axes_and_its_sections(self):
        write(SPEC.parent / "spec/items/drafts.csv", "draft_template\nplain\nbold\n")
        write(SPEC.parent / "spec/items/essays.csv", "essay_template,essay_llm\nwrite,poet\nwrite,writer\n")
        write(SPEC.parent / "spec/items/pairs.csv", "evaluation_template,evaluation_llm\nrubric,judge\nstrict,critic\n")
        write(
            SPEC.parent / "spec/config.yaml",
            "axes:\n"
            "  combo_id: [mine]\n  draft_template: '@file:items/drafts.csv'\n  draft_llm: [writer]\n"
            "  draft_template_replicate: ['1', '2']\n  evaluation_replicate: ['1', '2']\n"
            "rules:\n"
            "  tuples:\n    essay_bundle:\n      axes: [essay_template, essay_llm]\n"
            "      items: '@file:items/essays.csv'\n"
            "  pairs:\n    which:\n      left: draft_template\n      right: essay_bundle\n      allowed:\n"
            "        - [plain, [write, poet]]\n        - [bold, [write, writer]]\n"
            "    judging:\n      left: evaluation_template\n      right: evaluation_llm\n"
            "      allowed: '@file:items/pairs.csv'\n"
            "output:\n  field_order:\n    - combo_id\n    - draft_template_replicate\n    - evaluation_replicate\n",
        )
        columns = "combo_id,version,concept_id,description_level,k_max,created_at\n"
        write("data/combo_mappings.csv", columns + "mine,v1,tide,paragraph,1,\n")
        rows = self._rows()
        every = crossing(
            combo=["mine"],
            draft_template=["plain", "bold"],
            draft_llm=["writer"],
            draft_replicate=["1", "2"],
            essay_template=["write"],
            essay_llm=["poet", "writer"],
            evaluation_template=["rubric", "strict"],
            evaluation_llm=["judge", "critic"],
            evaluation_replicate=["1", "2"],
        )
        together = {("plain", "poet"): True, ("bold", "writer"): True}
        judged = {("rubric", "judge"): True, ("strict", "critic"): True}
        assert set(rows) == {row for row in every if (row[1], row[5]) in together and (row[7], row[8]) in judged}

    def test_its_tuple_of_all_axes_that_lists_a_whole_cohort(self):
        axes = "combo_id, draft_template, draft_llm, draft_replicate, essay_template, essay_llm, essay_replicate"
        axes += ", evaluation_template, evaluation_llm, evaluation_replicate"
        columns = "combo_id,version,concept_id,description_level,k_max,created_at\n"
        write("data/combo_mappings.csv", columns + "mine,v1,tide,paragraph,1,\n")
        write(
            SPEC.parent / "spec/config.yaml",
            f"axes: {{}}\nrules:\n  tuples:\n    cohort_rows:\n      axes: [{axes}]\n"
            f"      items: '@file:items/rows.yaml'\n",
        )
        write(
            SPEC.parent / "spec/items/rows.yaml",
            "- [mine, plain, writer, 1, write, poet, 2, rubric, judge, 1]\n"
            "- [mine, plain, writer, 1, pass, None, 1, strict, critic, 3]\n",
        )
        assert set(self._rows()) == {
            ("mine", "plain", "writer", "1", "write", "poet", "2", "rubric", "judge", "1"),
            ("mine", "plain", "writer", "1", "pass", "writer", "1", "strict", "critic", "3"),
        }

    def _rows(self) -> list[tuple[str, ...]]:
        """The rows of the spec in the folder: `rows_of` writes one of its own, so it is given the same text."""
        folder = SPEC.parent / "spec"
        text = (folder / "config.yaml").read_text()
        (folder / "config.yaml").unlink()
        return rows_of(text.replace("@file:", "@file:spec/"))

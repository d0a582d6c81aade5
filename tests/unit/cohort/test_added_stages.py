"""The table of a cohort with stages that config.yaml adds: links, ids, and what a row of a comparison has to say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from daydreaming.base.paths import DataPaths
from daydreaming.cohort.integrity import Background, integrity_faults
from daydreaming.cohort.membership import Membership, read_generations, write_membership
from daydreaming.inputs.configuration import settings_from_config
from daydreaming.inputs.records import Catalogs, Combo, Generation, Model, Template

STAGES = settings_from_config(
    {
        "stages": {
            "critique": {"parent": "essay"},
            "revision": {"parent": "critique", "sees": ["essay"]},
            "second_evaluation": {"parent": "revision", "makes": "score"},
        }
    }
).stage_table
MODEL = Model("writer", "w/1", "", "W", True, True)


def row(stage: str, gen_id: str, parent: str = "", **changes: Any) -> Generation:
    combo = "k1" if not parent else ""
    return Generation(
        **{**dict(zip(FIELDS, (stage, gen_id, "c1", parent, combo, "t", "writer"), strict=True)), **changes}
    )


FIELDS = ("stage", "gen_id", "cohort_id", "parent_gen_id", "combo_id", "template_id", "llm_model_id")
CHAIN = [
    row("draft", "d"),
    row("essay", "e", "d"),
    row("critique", "c", "e"),
    row("revision", "r", "c"),
    row("second_evaluation", "v", "r"),
]


def faults(*rows: Generation) -> list[str]:
    templates = {name: {"t": Template(name, "t", "llm", None, True, None, "x")} for name in STAGES.names}
    catalogs = Catalogs({}, templates, {"writer": MODEL})
    background = Background(
        "table", "c1", DataPaths(Path("data")), catalogs, {"k1": Combo("k1", "", "", 1, ())}, STAGES
    )
    return [str(fault) for fault in integrity_faults([(None, one) for one in rows], background)]


def test_a_chain_of_added_stages_holds():
    assert faults(*CHAIN) == []


def test_a_text_knows_all_that_it_is_made_from():
    members = Membership("c1", {(one.stage, one.gen_id): one for one in CHAIN}, STAGES)
    revision = members.get("revision", "r")
    assert [one.gen_id for one in members.chain(revision)] == ["d", "e", "c", "r"]
    assert [one.gen_id for one in members.further(revision)] == ["e"]
    assert [one.gen_id for one in members.ancestors(members.get("second_evaluation", "v"))] == ["d", "e", "c", "r"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (row("revision", "r", "e"), "is of stage 'essay', and that of this revision must be 'critique'"),
        (row("revision", "r", ""), "this revision names no parent"),
        (row("revision", "r", "c", combo_id="k2"), "but its draft 'd' has 'k1'"),
        (row("revision", "e", "c"), "a text of the stage 'essay' that is judged, too, has the gen_id 'e'"),
        (row("revision", "r", "c", second_parent_gen_id="e"), "is made from one text, but names a second"),
        (row("poem", "r", "c"), "'poem' is not a stage"),
    ],
)
def test_a_row_that_does_not_fit_is_a_fault(changed: Generation, words: str):
    assert words in "\n".join(faults(*CHAIN[:3], changed))


def test_only_a_table_with_comparisons_has_a_column_for_the_second_text(tmp_path: Path):
    path = tmp_path / "membership.csv"
    write_membership(path, CHAIN)
    assert path.read_text().partition("\n")[0].split(",") == [*FIELDS, "replicate"]
    compared = [*CHAIN, row("revision", "p", "c", second_parent_gen_id="x")]
    write_membership(path, compared)
    assert path.read_text().partition("\n")[0].split(",") == [*FIELDS, "replicate", "second_parent_gen_id"]
    assert read_generations(path) == compared

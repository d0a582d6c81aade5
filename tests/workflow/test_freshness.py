"""Our own check of what is up to date against Snakemake's: it may never leave out what Snakemake would make."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable

import pytest
from agreement import dry_run

from studies import Study


def some_text(study: Study, chance: random.Random):
    return chance.choice(sorted(study.paths.gens.glob("*/*/parsed.txt")))


def touch(study: Study, chance: random.Random) -> None:
    some_text(study, chance).touch()


def edit_text(study: Study, chance: random.Random) -> None:
    text = some_text(study, chance)
    text.write_text("3.0" if "evaluation" in text.parts else "Edited\nby\nhand\n", encoding="utf-8")


def delete_text(study: Study, chance: random.Random) -> None:
    some_text(study, chance).unlink()


def edit_template(study: Study, chance: random.Random) -> None:
    stage = chance.choice(("draft", "essay", "evaluation"))
    template = study.template(stage, chance.choice(study.rows(stage)).template_id)
    template.write_text(template.read_text(encoding="utf-8") + "More.\n", encoding="utf-8")


def touch_template(study: Study, chance: random.Random) -> None:
    study.template("essay", study.rows("essay")[0].template_id).touch()


def change_setting(study: Study, chance: random.Random) -> None:
    study.configure(stages={chance.choice(("draft", "evaluation")): {"temperature": chance.random()}})


def delete_scores(study: Study, chance: random.Random) -> None:
    next(study.paths.cohorts.glob("*/reports/parsed_scores.csv")).unlink()


def newer_evaluation(study: Study, chance: random.Random) -> None:
    """As after `snakemake evaluations`: a result that is certain, and newer than the scores made from it."""
    text = chance.choice(sorted(study.paths.gens.glob("evaluation/*/parsed.txt")))
    text.write_text("9.0", encoding="utf-8")
    os.utime(text, (time.time() + 1, time.time() + 1))


def remove_row(study: Study, chance: random.Random) -> None:
    table = next(study.paths.cohorts.glob("*/membership.csv"))
    lines = table.read_text(encoding="utf-8").splitlines(keepends=True)
    table.write_text("".join(lines[:-1]), encoding="utf-8")


EDITS = [
    touch, edit_text, delete_text, edit_template, touch_template, change_setting, delete_scores,
    newer_evaluation, remove_row,
]  # fmt: skip


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_one_edit(edit: Callable, copied: Study):
    edit(copied, random.Random(edit.__name__))
    assert dry_run(copied) == dry_run(copied, "--config", "full_dag=true")


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.full_set) for seed in range(1, 8))])
def test_edits_and_runs_in_any_order(seed: int, copied: Study):
    chance = random.Random(seed)
    for edit in chance.sample(EDITS, 3):
        edit(copied, chance)
        if chance.random() < 0.5:
            copied.run(chance.choice(("drafts", "evaluations", "all")), "-j8")
    assert dry_run(copied) == dry_run(copied, "--config", "full_dag=true")
    copied.run("-j8")
    assert copied.run("-j8", "--config", "full_dag=true").did_nothing


def test_what_is_certain_is_not_in_the_graph(finished: Study):
    assert "essay" not in finished.run("-n", "--debug-dag").output
    assert "essay" in finished.run("-n", "--debug-dag", "--config", "full_dag=true").output

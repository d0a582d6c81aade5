"""Judgements of two essays in a made-up cohort, of a stage that makes preferences, whose name nothing knows.

The study is put together by hand, and its inspection from the files.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import score_fixtures as fixtures

from daydreaming.base.errors import FailureKind
from daydreaming.cohort.membership import Membership, write_membership
from daydreaming.cohort.pairs import all_pairs, both_orders
from daydreaming.generation.currency import Finding, State, look
from daydreaming.generation.inspection import Inspection, inspect_cohort
from daydreaming.generation.study import Study
from daydreaming.inputs.records import Catalogs, Generation, Template
from daydreaming.inputs.stages import Stage, StageTable

STAGE, RUBRIC = "duel", "which-is-bolder"
DUEL = Stage(STAGE, parent="essay", makes="preference", parsers=("preference",))
JUDGES = ("judge", "slow-writer")
PROMPT = "Which is bolder?\n\nResponse A:\n{}\n\nResponse B:\n{}\n\nEnd with `Verdict: A, B or tie`.\n"
# In log-odds: what the writers, the first place and a judge's own text are worth.
WORTH, FIRST, OWN = {"quick-writer": 0.0, "slow-writer": 0.9}, 0.7, 0.8


def judgement(gen_id: str, first: str, second: str, **changes: object) -> Generation:
    values = {"template_id": RUBRIC, "llm_model_id": "judge", "second_parent_gen_id": second, **changes}
    return fixtures.generation(STAGE, gen_id, first, **values)


def duels(essays_by_combo: dict[str, list[str]], judges: Sequence[str] = JUDGES) -> list[Generation]:
    """All pairs of the essays of each combo, by each judge, in both orders."""
    return [
        judgement(f"c-{judge}-{pair.first}--{pair.second}", pair.first, pair.second, llm_model_id=judge)
        for judge in judges
        for pair in both_orders(all_pairs(essays_by_combo))
    ]


def with_rows(study: Study, rows: Sequence[Generation]) -> Study:
    """A study whose cohort has further rows, and whose catalogs have the templates of their stage."""
    generations = {**study.membership.generations, **{(row.stage, row.gen_id): row for row in rows}}
    template = Template(STAGE, RUBRIC, "llm", "preference", True, None, PROMPT)
    templates = {**study.catalogs.templates, STAGE: {RUBRIC: template}}
    stages = StageTable((*study.membership.stages.rows, DUEL))
    members = Membership(study.membership.cohort_id, generations, stages)
    catalogs = Catalogs(study.catalogs.concepts, templates, study.catalogs.models)
    return replace(study, catalogs=catalogs, membership=members)


def without(study: Study, left_out: Callable[[Generation], bool]) -> Study:
    """A study without some rows of its cohort."""
    kept = {key: row for key, row in study.membership.generations.items() if not left_out(row)}
    return replace(study, membership=Membership(study.membership.cohort_id, kept))


def inspect(study: Study) -> Inspection:
    """A look at a cohort with judgements of pairs: of these by their records alone."""
    texts = {key: one for key, one in study.membership.generations.items() if key[0] != STAGE}
    plain = inspect_cohort(replace(study, membership=Membership(study.membership.cohort_id, texts)))
    findings, found = {}, {}
    for key in study.membership.generations:
        if key[0] != STAGE:
            findings[key], found[key] = plain.finding(key), plain.found(key)
            continue
        found[key] = there = look(study.paths, key)
        state = State.CURRENT if there.parsed_sha256 else State.MISSING
        findings[key] = Finding(State.FAILED if there.record.metadata.failed else state)
    return Inspection(frozenset(key for key, one in findings.items() if not one.is_done), findings, found)


def judge(study: Study, row: Generation, verdict: str | None, reply: str = "", error: str = "none") -> None:
    """Write the files of a judgement; without a verdict it failed."""
    error = FailureKind.PARSE.value if verdict is None and error == "none" else error
    record = {"finished_at": 1_767_225_600.0, "served_model": f"lab/{row.llm_model_id}-2026-01", "cost_usd": 0.0031}
    fixtures.make(study.settings, row, verdict, error=error, **record)
    files = study.files(row.stage, row.gen_id)
    files.prompt.write_text(PROMPT.format(row.parent_gen_id, row.second_parent_gen_id), encoding="utf-8")
    files.raw.write_text(reply or f"The one is bolder than the other.\n\nVerdict: {verdict}", encoding="utf-8")


def make_duels(study: Study, failures: int = 2) -> tuple[Study, Inspection]:
    """Let two judges compare the developed essays of a cohort, in both orders; the last `failures` failed."""
    essays: dict[str, list[str]] = defaultdict(list)
    for essay in study.membership.stage("essay"):
        if essay.template_id == "developed":
            essays[study.membership.chain(essay)[0].combo_id].append(essay.gen_id)
    rows = duels(essays)
    study = with_rows(study, rows)
    dice = random.Random(5)
    for row in rows:
        verdict = _verdict(study, row, dice)
        judge(study, row, verdict, f"{_reasons(dice)}\n\nVerdict: {verdict}")
    for row in rows[len(rows) - failures :]:
        judge(study, row, None, "Both have their merits.")
    return study, inspect(study)


def write_table(study: Study, folder: Path) -> None:
    """Write the table of the cohort with its judgements."""
    write_membership(folder / study.cohort_files.membership, study.membership.generations.values())


def _verdict(study: Study, row: Generation, dice: random.Random) -> str:
    texts = [study.membership.get("essay", gen_id) for gen_id in (row.parent_gen_id, row.second_parent_gen_id)]
    lengths = [study.files("essay", one.gen_id).parsed.stat().st_size for one in texts]
    first, second = (WORTH[one.llm_model_id] + OWN * (one.llm_model_id == row.llm_model_id) for one in texts)
    lead = first - second + FIRST + (lengths[0] - lengths[1]) / 1500 + dice.gauss(0, 1.2)
    return "tie" if abs(lead) < 0.35 else "A" if lead > 0 else "B"


def _reasons(dice: random.Random) -> str:
    text = "**A** keeps to one thought and follows it; **B** has more of them, and none to its end. "
    return (text * dice.randint(1, 3)).strip()

"""Pairs of essays that judges compared: what an essay's page says of them, and the verdicts that two essays got."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from daydreaming.results.pages.essay_plans import EssayPlan, GenerationPlan, Opponent
from daydreaming.results.pages.essay_texts import read_generation
from daydreaming.results.pages.rendering import LARGEST_PAGE, script_data
from daydreaming.results.pages.shown_text import as_markdown, visible
from daydreaming.results.verdicts.verdict_table import VerdictRow

_LONGEST_JUDGEMENT = 20_000  # bytes of HTML
# No id has this character: two pairs never share a file.
_BETWEEN = "~"


def with_opponents(plans: Sequence[EssayPlan], verdicts: Iterable[VerdictRow]) -> list[EssayPlan]:
    """The plans with the essays that each was compared with, in the order of the membership."""
    by_id = {plan.gen_id: plan for plan in plans}
    found: dict[str, dict[str, list[VerdictRow]]] = defaultdict(lambda: defaultdict(list))
    for row in _of_essays(verdicts, by_id):
        found[row.essay_a][row.essay_b].append(row)
        found[row.essay_b][row.essay_a].append(row)
    return [
        replace(
            plan, opponents=tuple(_opponent(plan, by_id[other], rows) for other, rows in found[plan.gen_id].items())
        )
        if plan.gen_id in found
        else plan
        for plan in plans
    ]


def pair_files(plans: Sequence[EssayPlan], verdicts: Iterable[VerdictRow]) -> dict[str, str]:
    """The scripts with the verdicts of each pair, by their path in the folder of the pages."""
    by_id = {plan.gen_id: plan for plan in plans}
    pairs: dict[str, list[VerdictRow]] = defaultdict(list)
    for row in _of_essays(verdicts, by_id):
        pairs[_BETWEEN.join(sorted((row.essay_a, row.essay_b)))].append(row)
    shown = {name: [_judgement(row, LARGEST_PAGE // len(rows)) for row in rows] for name, rows in pairs.items()}
    return {f"pairs/{name}.js": script_data(f"pair {name}", value) for name, value in shown.items()}


def _of_essays(verdicts: Iterable[VerdictRow], plans: Mapping[str, EssayPlan]) -> Iterable[VerdictRow]:
    """The verdicts on two texts that have pages."""
    for row in verdicts:
        ends = [plans.get(gen_id) for gen_id in (row.essay_a, row.essay_b)]
        if all(plan is not None and plan.essay.stage == row.text_stage for plan in ends):
            yield row


def _opponent(plan: EssayPlan, other: EssayPlan, rows: Sequence[VerdictRow]) -> Opponent:
    winners = [{"A": row.essay_a, "B": row.essay_b}.get(row.verdict or "") for row in rows]
    tied = sum(row.verdict == "tie" for row in rows)
    return Opponent(
        other.gen_id,
        other.labels["draft_template"],
        other.essay.template_id,
        other.labels["generation_model"],
        won=winners.count(plan.gen_id),
        tied=tied,
        lost=winners.count(other.gen_id),
        failed=winners.count(None) - tied,
    )


def _judgement(row: VerdictRow, size: int) -> dict[str, Any]:
    """A verdict as the page has it: which essay was shown first, which won, and what the judge said."""
    plan = GenerationPlan(
        stage=row.stage,
        gen_id=row.gen_id,
        template_id=row.rubric,
        llm_model_id=row.judge,
        replicate=row.replicate,
        generator="llm",
        folder=str(Path(row.judgement_path).parent),
        adopted=row.adopted,
        error=row.error,
        message=row.error_message,
    )
    said = as_markdown(read_generation(plan).judgement, min(size, _LONGEST_JUDGEMENT))
    return {
        "id": row.gen_id,
        "stage": row.stage,
        "rubric": row.rubric,
        "judge": row.judge,
        "replicate": row.replicate,
        "first": row.essay_a,
        "verdict": row.verdict,
        "failure": row.error and f"{row.error}: {visible(row.error_message)}",
        "html": said.html,
        "whole": said.is_whole,
    }

"""The views of an exported database, over the tables of the stages that the study has."""

from __future__ import annotations

from pathlib import Path
from string import Template

from daydreaming.inputs.stages import Stage, StageTable
from daydreaming.results.export.columns import parent_column
from daydreaming.results.labels import NO_DRAFT, judged_stages

_TEXT = Path(__file__).with_name("sqlite_views.sql")
_VERDICTS = Path(__file__).with_name("sqlite_verdict_views.sql")
_UNION = "\nUNION ALL\n"
_NO_SCORES = (
    "SELECT NULL AS evaluation_id, NULL AS essay_id, NULL AS draft_id, NULL AS combo_id, NULL AS draft_template,"
    " NULL AS essay_template, NULL AS generation_model, NULL AS rubric, NULL AS judge, NULL AS replicate, NULL AS score"
    " WHERE 0"
)


def views(stages: StageTable) -> str:
    """The commands that make the views. Names of templates are those of the table of scores (`results.labels`)."""
    texts = [stages[name].target for name in judged_stages(stages)]
    columns = "request_sha256, template_id, model_id, cost_usd, prompt_tokens, completion_tokens"
    failed = "gen_id, template_id, model_id, state, error, error_message"
    verdicts = _UNION.join(_verdicts_of(stages, stage) for stage in stages.comparing)
    of_verdicts = Template(_VERDICTS.read_text(encoding="utf-8")).substitute(verdicts=verdicts) if verdicts else ""
    return of_verdicts + Template(_TEXT.read_text(encoding="utf-8")).substitute(
        scores=_UNION.join(_scores_of(stages, stage) for stage in stages.scoring) or _NO_SCORES,
        texts=texts[0] if len(texts) == 1 else f"({_UNION.join(f'SELECT gen_id, text FROM {one}' for one in texts)})",
        failures=_UNION.join(
            f"SELECT '{one.name}' AS stage, {failed} FROM {one.target} WHERE error IS NOT NULL" for one in stages
        ),
        requests=_UNION.join(f"SELECT '{one.name}' AS stage, {columns} FROM {one.target}" for one in stages),
    )


def _scores_of(stages: StageTable, judging: Stage) -> str:
    """The scores that one stage makes, each with its chain: v is the judgement, e the text, d what came first."""
    chain = stages.chain(judging.name)[:-1]
    names = {name: f"t{number}" for number, name in enumerate(chain)} | {chain[0]: "d"} | {chain[-1]: "e"}
    child, lines = "v", [f"FROM {judging.target} AS v"]
    above = judging
    for name in reversed(chain):
        lines.append(
            f"JOIN {stages[name].target} AS {names[name]} ON {names[name]}.gen_id = {child}.{parent_column(above)}"
        )
        child, above = names[name], stages[name]
    first = names[chain[0]]
    draft = _labelled(stages, chain[0], first, stages.chain(stages.main)[0]) if len(chain) > 1 else f"'{NO_DRAFT}'"
    is_first_table = stages.of_table(judging.name) == stages.of_table(stages.first_scoring)
    rubric = "v.template_id" if is_first_table else f"'{stages.of_table(judging.name)}:' || v.template_id"
    return "\n".join(
        [
            "SELECT",
            f"    v.gen_id AS evaluation_id, e.gen_id AS essay_id, {first}.gen_id AS draft_id, {first}.combo_id,",
            f"    {draft} AS draft_template, {_labelled(stages, chain[-1], 'e', stages.main)} AS essay_template,",
            f"    e.model_id AS generation_model, {rubric} AS rubric, v.model_id AS judge, v.replicate, v.score",
            *lines,
            "WHERE v.score IS NOT NULL",
        ]
    )


def _verdicts_of(stages: StageTable, comparing: Stage) -> str:
    """The verdicts that one stage makes: v is the judgement, a and b the texts in the order in which it saw them."""
    texts = f"JOIN {stages[comparing.parent].target}"
    return "\n".join(
        [
            "SELECT",
            f"    v.gen_id AS judgement_id, '{comparing.name}' AS stage, v.combo_id, a.gen_id AS first_id,",
            "    b.gen_id AS second_id, a.template_id AS first_template, b.template_id AS second_template,",
            "    a.model_id AS first_model, b.model_id AS second_model, v.template_id AS rubric, v.model_id AS judge,",
            "    v.shown_order, v.replicate, v.verdict",
            f"FROM {comparing.target} AS v",
            f"{texts} AS a ON a.gen_id = v.first_{comparing.parent}_id",
            f"{texts} AS b ON b.gen_id = v.second_{comparing.parent}_id",
            "WHERE v.verdict IS NOT NULL",
        ]
    )


def _labelled(stages: StageTable, stage: str, name: str, usual: str) -> str:
    return f"{name}.template_id" if stage == usual else f"'{stage}:' || {name}.template_id"

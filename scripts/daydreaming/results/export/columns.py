"""The data dictionary: every column of the exported tables, its type, and what it means.

The types are the same in all forms: Parquet, SQLite, data frames. docs/data_out.md has the same words; a test compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from daydreaming.inputs.stages import DEFAULT_STAGES, Stage, StageTable


class Kind(StrEnum):
    """What a column holds. Any value but an id may be missing."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    FLAG = "true or false"
    TIME = "time"  # UTC, to the microsecond
    LIST = "list of texts"  # JSON in SQLite


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an exported table."""

    name: str
    kind: Kind
    meaning: str


_IDENTITY = (
    Column("gen_id", Kind.TEXT, "the generation; its files are in `data/gens/<stage>/<gen_id>/`"),
    Column("replicate", Kind.INTEGER, "the number of the sample, from 1"),
    Column("template_id", Kind.TEXT, "the template that it is made with"),
    Column("model_id", Kind.TEXT, "the model in `llm_models.csv`"),
)
_STATE = Column(
    "state",
    Kind.TEXT,
    "what its text is by what is asked now: `current`, `adopted`, `missing`, `failed`, `out of date`, `edited`, "
    "`damaged`, `conflict`, or `waiting for you`. **Only `current` and `adopted` texts count**",
)
_FAILURE = (
    Column("error", Kind.TEXT, "why its text counts for nothing; missing where it counts"),
    Column("error_message", Kind.TEXT, "the same in words"),
)
_MAKING = (
    Column("text", Kind.TEXT, "`parsed.txt`: the result, whatever its state"),
    Column("prompt", Kind.TEXT, "`prompt.txt`: what was sent"),
    Column("raw", Kind.TEXT, "`raw.txt`: the reply as it came; after a failure with, or as, a report. A copy has none"),
    Column("mode", Kind.TEXT, "`llm` or `copy`"),
    Column("model", Kind.TEXT, "the model string that was sent"),
    Column("served_model", Kind.TEXT, "the model that the provider says has answered"),
    Column("endpoint", Kind.TEXT, "the name of the endpoint that was called"),
    Column(
        "answerer",
        Kind.TEXT,
        "who answered: a `base_url`, the command of a local server, or the embedded model's package and version",
    ),
    Column("temperature", Kind.NUMBER, "as sent"),
    Column("max_tokens", Kind.INTEGER, "the most tokens that were asked for"),
    Column("seed", Kind.INTEGER, "as sent"),
    Column("parser_name", Kind.TEXT, "the parser that read the reply"),
    Column("finish_reason", Kind.TEXT, "why the reply ended, as the provider says it"),
    Column("prompt_tokens", Kind.INTEGER, "tokens of the prompt, as the provider counts them"),
    Column("completion_tokens", Kind.INTEGER, "tokens of the reply"),
    Column("total_tokens", Kind.INTEGER, "both, and what the provider adds to them"),
    Column(
        "cost_usd",
        Kind.NUMBER,
        "US dollars that its reply cost when it was paid for, once, even where several generations use it",
    ),
    Column("started_at", Kind.TIME, "when its last try began"),
    Column("finished_at", Kind.TIME, "when its last try ended"),
    Column("duration_s", Kind.NUMBER, "seconds between the two, the waiting for a turn included"),
    Column("llm_ms", Kind.NUMBER, "milliseconds that the call took; 0 for a stored reply"),
    Column("attempts", Kind.INTEGER, "requests tried: more than 1 only with `retry_replies`"),
    Column("reply_reused", Kind.FLAG, "whether the reply was stored already"),
    Column("request_id", Kind.TEXT, "the provider's name for the call"),
    Column("request_sha256", Kind.TEXT, "the name of the stored reply in `data/replies`"),
    Column("text_sha256", Kind.TEXT, "the digest of `parsed.txt` as it was written"),
    Column("fingerprint", Kind.TEXT, "everything that it was made from besides its parent's text"),
)
_SCORE = (
    Column("score", Kind.NUMBER, "on the rubric's scale; **missing where there is none, never zero**"),
    Column("error", Kind.TEXT, "missing where there is a score; else why there is none, as in `parsed_scores.csv`"),
    Column("error_message", Kind.TEXT, "the same in words"),
    Column("failed_gen_id", Kind.TEXT, "the generation that failed: the evaluation, its essay or its draft"),
)
_VERDICT = (
    Column("verdict", Kind.TEXT, "`A`, `B` or `tie`; **missing where there is none, never a tie**"),
    Column("error", Kind.TEXT, "missing where there is a verdict; else why, as in `parsed_preferences.csv`"),
    Column("error_message", Kind.TEXT, "the same in words"),
    Column("failed_gen_id", Kind.TEXT, "the generation that failed: the judgement, or one that it depends on"),
    Column("shown_order", Kind.INTEGER, "1 for the way round in which the cohort has the pair first, 2 for the other"),
)
_SCALE = (
    Column("score_min", Kind.NUMBER, "the lowest score of the rubric's scale"),
    Column("score_max", Kind.NUMBER, "the highest one"),
    Column("score_as_written", Kind.TEXT, "the score in the words of the reply"),
)
CONCEPT_COLUMNS = (
    Column("concept_id", Kind.TEXT, "the concept in `concepts_metadata.csv`"),
    Column("name", Kind.TEXT, "its name"),
)
COMBO_COLUMNS = (
    Column("combo_id", Kind.TEXT, "the combo"),
    Column("description_level", Kind.TEXT, "how its concepts are described: `sentence`, `paragraph` or `article`"),
)
COMBO_CONCEPT_COLUMNS = (
    Column("combo_id", Kind.TEXT, "the combo"),
    Column("position", Kind.INTEGER, "the place of the concept in the combo, from 1"),
    Column("concept_id", Kind.TEXT, "the concept"),
    Column("description", Kind.TEXT, "what templates see of it, as it is now"),
)
TEMPLATE_COLUMNS = (
    Column("stage", Kind.TEXT, "`draft`, `essay`, `evaluation` or an added stage"),
    Column("template_id", Kind.TEXT, "the template"),
    Column("generator", Kind.TEXT, "`llm` or `copy`"),
    Column("parser", Kind.TEXT, "the parser that its row names"),
    Column("template_text", Kind.TEXT, "its text as it is now"),
)
MODEL_COLUMNS = (
    Column("model_id", Kind.TEXT, "the model in `llm_models.csv`"),
    Column("model", Kind.TEXT, "the model string"),
    Column("provider", Kind.TEXT, "as in the catalog"),
    Column("display_name", Kind.TEXT, "as in the catalog"),
    Column("endpoint", Kind.TEXT, "the endpoint that it is called at"),
    Column("usd_per_mtok_in", Kind.NUMBER, "US dollars for a million prompt tokens"),
    Column("usd_per_mtok_out", Kind.NUMBER, "US dollars for a million completion tokens"),
)


def parent_column(stage: Stage) -> str:
    """The column that says what a generation of a stage is made from."""
    return f"{stage.parent}_id" if stage.parent else "combo_id"


def stage_columns(stage: Stage) -> tuple[Column, ...]:
    """The columns of the table of a stage."""
    verb = "judges" if stage.judges else "is made from"
    what = f"the {stage.parent} that it {verb}" if stage.parent else "the combo of concepts that it is made from"
    parents = [Column(parent_column(stage), Kind.TEXT, what)]
    if stage.takes_pairs:
        parents = [
            Column(f"first_{stage.parent}_id", Kind.TEXT, f"the {stage.parent} that is shown as A"),
            Column(f"second_{stage.parent}_id", Kind.TEXT, f"the {stage.parent} that is shown as B"),
            Column("combo_id", Kind.TEXT, "the combo of both"),
        ]
    came_to = (*_SCORE, *_SCALE) if stage.makes == "score" else _VERDICT if stage.takes_pairs else _FAILURE
    return (*_IDENTITY, *parents, _STATE, *came_to, *_MAKING)


def tables_of(stages: StageTable) -> dict[str, tuple[Column, ...]]:
    """The tables of the database and the data frames, in the order in which one refers to those before it."""
    return {
        "concepts": CONCEPT_COLUMNS,
        "combos": COMBO_COLUMNS,
        "combo_concepts": COMBO_CONCEPT_COLUMNS,
        "templates": TEMPLATE_COLUMNS,
        "models": MODEL_COLUMNS,
        **{stage.target: stage_columns(stage) for stage in stages},
    }


TABLES = tables_of(DEFAULT_STAGES)

_OF_COMBO = (
    Column("cohort_id", Kind.TEXT, "the cohort"),
    Column("combo_id", Kind.TEXT, "the combo of concepts that the chain begins with"),
    Column("concept_ids", Kind.LIST, "its concepts, in their order"),
    Column("concept_names", Kind.LIST, "their names"),
    Column("description_level", Kind.TEXT, "how its concepts are described"),
)


def _of_stage(stage: Stage, name: str) -> tuple[Column, ...]:
    """The columns of a chain's generation of a stage, under names that begin with `name`."""
    # Which texts a row is about, their own ids say; a score and its failure need no stage.
    left_out = {parent_column(stage), *(column.name for column in _SCORE if stage.makes == "score")}
    own = stage_columns(stage)
    return tuple(
        Column(f"{name}_{column.name}", column.kind, column.meaning) for column in own if column.name not in left_out
    )


_STAGE = Column("stage", Kind.TEXT, "the stage of the judgement, whose columns begin with `evaluation_`")


def chain_columns(stages: StageTable) -> tuple[Column, ...]:
    """One row for each judgement, with the whole chain that it ends; what another chain has is missing."""
    texts = {name: stages[name] for stage in stages.scoring for name in stages.chain(stage.name)[:-1]}
    ordered = (column for name in stages.names if name in texts for column in _of_stage(stages[name], name))
    judgements = _of_stage(stages[stages.first_scoring], EVALUATION) if stages.scoring else ()
    several = (_STAGE,) if len(stages.scoring) > 1 else ()
    return (*_OF_COMBO, *_SCORE, *several, *ordered, *judgements)


_OF_VERDICT = (
    Column("stage", Kind.TEXT, "the stage of the judgement, whose columns begin with `judgement_`"),
    Column("text_stage", Kind.TEXT, "the stage of both texts, whose columns begin with `first_` and `second_`"),
)
# Both texts of a judgement, and itself, have what generations of all stages have.
_OF_TEXT = (*_IDENTITY, _STATE, *_FAILURE, *_MAKING)
FIRST, SECOND, JUDGEMENT = "first", "second", "judgement"
VERDICT_COLUMNS = (
    *_OF_COMBO,
    *_VERDICT,
    *_OF_VERDICT,
    *(Column(f"{side}_{one.name}", one.kind, one.meaning) for side in (FIRST, SECOND) for one in _OF_TEXT),
    *(Column(f"{JUDGEMENT}_{one.name}", one.kind, one.meaning) for one in _OF_TEXT if one not in _FAILURE),
)

# How the columns of a judgement by one text begin.
EVALUATION = "evaluation"
CHAIN_COLUMNS = chain_columns(DEFAULT_STAGES)

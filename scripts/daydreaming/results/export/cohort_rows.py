"""The rows of the exported tables, from the files of a cohort in one look at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from daydreaming.generation.inspection import Inspection, inspect_cohort
from daydreaming.generation.study import Study
from daydreaming.inputs.concepts import read_description
from daydreaming.inputs.records import Catalogs, Generation
from daydreaming.inputs.stages import Stage, StageTable
from daydreaming.inputs.templates import load_template_text
from daydreaming.results.cohort_statistics import draft_price
from daydreaming.results.export.columns import (
    EVALUATION,
    FIRST,
    JUDGEMENT,
    SECOND,
    VERDICT_COLUMNS,
    Column,
    chain_columns,
    parent_column,
    tables_of,
)
from daydreaming.results.human_scores import human_rows
from daydreaming.results.score_table import ScoreRow
from daydreaming.results.scores import collect_scores, trouble_of
from daydreaming.results.verdicts.collecting import collect_verdicts
from daydreaming.results.verdicts.verdict_table import VerdictRow
from daydreaming.results.written_texts import written_text

Row = dict[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# These columns have the names of the record's fields.
_OF_RECORD = (
    "mode",
    "model",
    "served_model",
    "endpoint",
    "answerer",
    "temperature",
    "max_tokens",
    "seed",
    "parser_name",
    "finish_reason",
    "cost_usd",
    "duration_s",
    "llm_ms",
    "attempts",
    "reply_reused",
    "request_id",
    "request_sha256",
    "fingerprint",
)


@dataclass(frozen=True)
class CohortRows:
    """The tables of a cohort: by name, each a list of rows in the order of its catalog or of the membership.

    `scores` has the rows of `parsed_scores.csv`, `verdicts` those of `parsed_preferences.csv`, `readers` those of
    people's scores; `draft_price` is the mean cost of a draft in US dollars, None where nobody told any.
    """

    cohort_id: str
    stages: StageTable
    tables: dict[str, list[Row]]
    scores: list[ScoreRow]
    verdicts: list[VerdictRow]
    readers: list[ScoreRow]
    draft_price: float | None
    catalogs: Catalogs

    def chains(self) -> Iterator[Row]:
        """One row for each evaluation, with the texts of its chain and its combo."""
        texts = {stage.name: self._by_id(stage.target, "gen_id") for stage in self.stages if not stage.judges}
        combos, concepts, columns = self._by_id("combos", "combo_id"), self._concepts(), chain_columns(self.stages)
        for judging in self.stages.scoring:
            for evaluation in self.tables[judging.target]:
                row = {"cohort_id": self.cohort_id, **evaluation, "stage": judging.name}
                row |= {f"{EVALUATION}_{name}": value for name, value in evaluation.items()}
                stage, one = judging, evaluation
                while stage.parent:
                    one, stage = texts[stage.parent][one[parent_column(stage)]], self.stages[stage.parent]
                    row |= {f"{stage.name}_{name}": value for name, value in one.items()}
                row |= _of_combo(combos[one["combo_id"]], concepts)
                # What only chains of another shape have is missing.
                yield {column.name: row.get(column.name) for column in columns}

    def judged_pairs(self) -> Iterator[Row]:
        """One row for each judgement of two texts, with both texts and their combo."""
        texts = {stage.name: self._by_id(stage.target, "gen_id") for stage in self.stages if not stage.judges}
        combos, concepts = self._by_id("combos", "combo_id"), self._concepts()
        for comparing in self.stages.comparing:
            for judgement in self.tables[comparing.target]:
                row = {"cohort_id": self.cohort_id, **judgement, "stage": comparing.name}
                row["text_stage"] = comparing.parent
                row |= {f"{JUDGEMENT}_{name}": value for name, value in judgement.items()}
                for side in (FIRST, SECOND):
                    text = texts[comparing.parent][judgement[f"{side}_{comparing.parent}_id"]]
                    row |= {f"{side}_{name}": value for name, value in text.items()}
                row |= _of_combo(combos[judgement["combo_id"]], concepts)
                yield {column.name: row[column.name] for column in VERDICT_COLUMNS}

    def _by_id(self, table: str, key: str) -> dict[str, Row]:
        return {row[key]: row for row in self.tables[table]}

    def _concepts(self) -> dict[str, list[Row]]:
        """The concepts of each combo, in their order."""
        known = self._by_id("concepts", "concept_id")
        found: dict[str, list[Row]] = {row["combo_id"]: [] for row in self.tables["combos"]}
        for row in self.tables["combo_concepts"]:
            found[row["combo_id"]].append(known[row["concept_id"]])
        return found


def _of_combo(combo: Row, concepts: Mapping[str, Sequence[Row]]) -> Row:
    own = concepts[combo["combo_id"]]
    ids, names = [concept["concept_id"] for concept in own], [concept["name"] for concept in own]
    return {**combo, "concept_ids": ids, "concept_names": names}


def cohort_rows(study: Study, inspection: Inspection | None = None) -> CohortRows:
    """Read all that is exported of a cohort. Raises InputError for a template or a description that cannot be read."""
    inspection = inspection or inspect_cohort(study)
    scores, verdicts = collect_scores(study, inspection), collect_verdicts(study, inspection)
    stages = study.membership.stages
    columns = tables_of(stages)
    rows = {**_catalog_rows(study), **_generation_rows(study, inspection, scores, verdicts, columns)}
    tables = {name: rows[name] for name in columns}
    price = draft_price(study, inspection)
    readers, cohort_id = human_rows(study), study.membership.cohort_id
    return CohortRows(cohort_id, stages, tables, scores, verdicts, readers, price, study.catalogs)


def _catalog_rows(study: Study) -> dict[str, list[Row]]:
    """What the generations of the cohort refer to; nothing of the catalogs besides."""
    generations = study.membership.generations.values()
    combos = [study.combos[combo_id] for combo_id in dict.fromkeys(one.combo_id for one in generations if one.combo_id)]
    concept_ids = dict.fromkeys(concept_id for combo in combos for concept_id in combo.concept_ids)
    model_ids = dict.fromkeys(one.llm_model_id for one in generations if one.llm_model_id)
    used = dict.fromkeys((one.stage, one.template_id) for one in generations)
    templates = [study.catalogs.templates[stage][template_id] for stage, template_id in used]
    models = [study.catalogs.models[model_id] for model_id in model_ids]
    return {
        "concepts": [
            {"concept_id": concept_id, "name": study.catalogs.concepts[concept_id].name} for concept_id in concept_ids
        ],
        "combos": [{"combo_id": combo.combo_id, "description_level": combo.description_level} for combo in combos],
        "combo_concepts": [
            {
                "combo_id": combo.combo_id,
                "position": position,
                "concept_id": concept_id,
                "description": read_description(
                    study.paths.concept_text(combo.description_level, concept_id), concept_id
                ),
            }
            for combo in combos
            for position, concept_id in enumerate(combo.concept_ids, start=1)
        ],
        "templates": [
            {
                "stage": template.stage,
                "template_id": template.template_id,
                "generator": template.generator,
                "parser": template.parser,
                "template_text": load_template_text(template),
            }
            for template in templates
        ],
        "models": [
            {
                "model_id": model.id,
                "model": model.model,
                "provider": model.provider,
                "display_name": model.display_name,
                "endpoint": model.endpoint or study.settings.default_endpoint,
                "usd_per_mtok_in": model.usd_per_mtok_in,
                "usd_per_mtok_out": model.usd_per_mtok_out,
            }
            for model in models
        ],
    }


def _generation_rows(
    study: Study,
    inspection: Inspection,
    scores: list[ScoreRow],
    verdicts: list[VerdictRow],
    columns: Mapping[str, Sequence[Column]],
) -> dict[str, list[Row]]:
    stages, rows = study.membership.stages, dict[str, list[Row]]()
    for stage in stages:
        rows[stage.target] = [
            _generation_row(study, inspection, generation, stage) for generation in study.membership.stage(stage.name)
        ]
    scored_rows = (row for stage in stages.scoring for row in rows[stage.target])
    for row, scored in zip(scored_rows, scores, strict=True):
        row |= {"score": scored.score, "error": scored.error or None, "error_message": scored.error_message or None}
        row["failed_gen_id"] = scored.failed_gen_id or None
    by_judgement = {(told.stage, told.gen_id): told for told in verdicts}
    for stage in stages.comparing:
        for row in rows[stage.target]:
            told = by_judgement[stage.name, row["gen_id"]]
            row |= {"verdict": told.verdict, "error": told.error or None, "error_message": told.error_message or None}
            row |= {"failed_gen_id": told.failed_gen_id or None, "shown_order": told.order, "combo_id": told.combo_id}
    return {name: [{column.name: row[column.name] for column in columns[name]} for row in rows[name]] for name in rows}


def _generation_row(study: Study, inspection: Inspection, generation: Generation, stage: Stage) -> Row:
    """All that is known of a generation, also what only other stages have a column for."""
    key = (generation.stage, generation.gen_id)
    files, record = study.files(*key), inspection.found(key).record.metadata
    trouble, usage = trouble_of(study, inspection, generation), record.usage or {}
    return {
        "gen_id": generation.gen_id,
        "replicate": generation.replicate,
        "template_id": generation.template_id,
        "model_id": generation.llm_model_id or None,
        **_parents(generation, stage),
        "state": str(inspection.state(key)),
        "error": trouble.error if trouble else None,
        "error_message": trouble.message if trouble else None,
        "text": written_text(files.parsed, None),
        "prompt": written_text(files.prompt, record.prompt_sha256),
        "raw": written_text(files.raw, record.raw_sha256),
        **{name: _storable(getattr(record, name)) for name in _OF_RECORD},
        **{name: _storable(usage.get(name)) for name in ("prompt_tokens", "completion_tokens", "total_tokens")},
        "started_at": _moment(record.started_at),
        "finished_at": _moment(record.finished_at),
        "text_sha256": record.parsed_sha256,
        "score_min": record.score_min,
        "score_max": record.score_max,
        "score_as_written": record.score_as_written,
    }


def _parents(generation: Generation, stage: Stage) -> Row:
    if stage.takes_pairs:
        ids = (generation.parent_gen_id, generation.second_parent_gen_id)
        return dict(zip((f"first_{stage.parent}_id", f"second_{stage.parent}_id"), ids, strict=True))
    return {parent_column(stage): generation.parent_gen_id if stage.parent else generation.combo_id}


def _storable(value: Any) -> Any:
    """A value; None for a whole number that no format can hold."""
    return None if isinstance(value, int) and not -(2**63) <= value < 2**63 else value


def _moment(seconds: float | None) -> datetime | None:
    """A moment in UTC; None for one that no calendar has."""
    try:
        return None if seconds is None else _EPOCH + timedelta(microseconds=round(seconds * 1e6))
    except (OverflowError, ValueError):
        return None

"""The statistics of a cohort's verdicts: an analysis for each question, and all of them as tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from daydreaming.base import atomic
from daydreaming.generation.study import Study
from daydreaming.inputs.records import Catalogs
from daydreaming.results.score_table import ScoreRow, csv_text
from daydreaming.results.statistics.preferences import table_names
from daydreaming.results.verdicts.verdict_table import VerdictRow, verdicts_frame, verdicts_text

if TYPE_CHECKING:
    import pandas as pd

    from daydreaming.results.statistics.preferences.analysis import PreferenceAnalysis

QUESTION = ("stage", "rubric")


@dataclass(frozen=True)
class CohortPreferences:
    """The analyses of a cohort's verdicts, by stage and rubric: each rubric asks another question of the judges."""

    analyses: Mapping[tuple[str, str], PreferenceAnalysis]

    def name_of(self, question: tuple[str, str]) -> str:
        """A question in words: its rubric, and its stage where there are several."""
        stage, rubric = question
        return f"{rubric} ({stage})" if len({one for one, _ in self.analyses}) > 1 else rubric

    @cached_property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """All tables, with the question of each row."""
        import pandas as pd

        found: dict[str, pd.DataFrame] = {}
        for name in table_names.TABLES:
            parts = []
            for (stage, rubric), analysis in self.analyses.items():
                part: pd.DataFrame = getattr(analysis, name).copy()
                part.insert(0, QUESTION[0], stage)
                part.insert(1, QUESTION[1], rubric)
                parts.append(part)
            filled = [part for part in parts if len(part)]
            found[name] = pd.concat(filled, ignore_index=True) if filled else parts[0]
        return found


def analyse_verdicts(rows: Sequence[VerdictRow], scores: Sequence[ScoreRow], catalogs: Catalogs) -> CohortPreferences:
    """Analyse the verdicts of a cohort, of which there is at least one row, beside the scores of the same texts.

    Raises InputError for rows that contradict each other, such as two judgements of the same kind.
    """
    from daydreaming.results.statistics.preferences.analysis import analyse_preferences

    frame = verdicts_frame(rows)
    writers = own_models(catalogs)
    return CohortPreferences(
        {
            (str(stage), str(rubric)): analyse_preferences(own, _means_of(scores, own), writers)
            for (stage, rubric), own in frame.groupby(list(QUESTION), sort=False)
        }
    )


def _means_of(scores: Sequence[ScoreRow], verdicts: pd.DataFrame) -> dict[str, float]:
    """The mean scores of the texts of those stages that these verdicts are about: those of others do not move them."""
    stages = set(verdicts["text_stage"]) | {""}
    return mean_scores([row for row in scores if row.text_stage in stages])


def mean_scores(rows: Sequence[ScoreRow]) -> dict[str, float]:
    """The mean score of each essay; over several rubrics and judges after each one's own mean was taken off."""
    if all(row.score is None for row in rows):
        return {}
    from daydreaming.results.statistics.analysis import analyse_rows

    several = len({(row.evaluation_template, row.evaluation_llm_model) for row in rows}) > 1
    ranking = analyse_rows(rows, pool=several).ranking
    essays = ranking[(ranking["kind"] == "essay") & ranking["mean"].notna()]
    if several:
        essays = essays[(essays["rubric"] == "") & (essays["judge"] == "")]
    return dict(zip(essays["essay"], map(float, essays["mean"]), strict=True))


def own_models(catalogs: Catalogs) -> dict[str, list[str]]:
    """For each model the ids of the catalog that stand for the same model: the judge may write under another one."""
    same: dict[str, list[str]] = defaultdict(list)
    for model in catalogs.models.values():
        same[model.model].append(model.id)
    return {model.id: same[model.model] for model in catalogs.models.values()}


def table_files(reports: Path) -> list[Path]:
    """The files of the tables of preferences."""
    return [reports / f"preference_{name}.csv" for name in table_names.TABLES]


def write_preferences(study: Study, rows: Sequence[VerdictRow], preferences: CohortPreferences) -> list[Path]:
    """Write the verdicts and their statistics to the cohort's reports, each table whole; return their files.

    Raises OSError.
    """
    files = study.cohort_files
    texts = {files.preferences: verdicts_text(rows)}
    for path, name in zip(table_files(files.reports), table_names.TABLES, strict=True):
        table = preferences.tables[name]
        texts[path] = csv_text(table.columns, table.astype(object).where(table.notna(), None).to_numpy().tolist())
    for path, text in texts.items():
        atomic.write_text(path, text)
    return list(texts)

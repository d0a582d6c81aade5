"""What the report shows of the statistics: sections of charts, each with its numbers as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from daydreaming.generation.study import Study
from daydreaming.inputs.records import Scale
from daydreaming.results.labels import rubric_scales
from daydreaming.results.report.answer import WORDS
from daydreaming.results.report.charts import Interval, draw_bars, draw_intervals
from daydreaming.results.report.essays import concept_names, excerpt
from daydreaming.results.report.parts import Link, Part, Section, Table, cut_note, ends_of, rows_of
from daydreaming.results.report.readers import readers_part
from daydreaming.results.statistics.readers import is_reader

if TYPE_CHECKING:
    import pandas as pd

    from daydreaming.results.statistics.analysis import Analysis

BEST_ESSAYS = 5


def sections(study: Study, analysis: Analysis) -> list[Section]:
    """The sections of the statistics of a cohort that has at least one score."""
    return [
        Section("contrasts", "Comparisons", _CONTRASTS, list(_contrasts(analysis))),
        Section("leaderboard", "Leaderboard", _LEADERBOARD, list(_leaderboard(study, analysis))),
        Section("judges", "Judges", _JUDGES, list(_judges(analysis))),
        Section(
            "variance", "Where the differences come from, and what more would bring", _CHANCE, list(_chance(analysis))
        ),
    ]


_CONTRASTS = (
    "Differences between two levels, paired within combos, over all judges, with 95% intervals. An interval that does "
    "not touch 0 speaks for a difference; p is corrected for multiple comparisons (Holm). Combos are the sample."
)
_LEADERBOARD = (
    "Each rubric and judge is a scale of its own. A path is a draft template, an essay template and a model. "
    "“May be best”: it cannot be told from the one with the highest mean. Equal means share a rank. "
    "Links to essays work beside the folder read/."
)
_JUDGES = (
    "Krippendorff's alpha (interval level): 1 is perfect agreement, 0 what chance would give. A judge's failures may "
    "depend on the essays: the means had all of them got the lowest, or the highest, score are bounds."
)
_CHANCE = "Shares of the variance of single scores, and by how much more of each kind would narrow the comparisons."


def _contrasts(analysis: Analysis) -> Iterator[Part]:
    headings = (
        "Rubric",
        "First",
        "less",
        "Difference",
        "Low",
        "High",
        "p (Holm)",
        "Combos",
        "Scores",
        "Failed",
        "Note",
    )
    columns = [
        "rubric",
        "level_a",
        "level_b",
        "difference",
        "low",
        "high",
        "p_holm",
        "n_combos",
        "n_scores",
        "n_failed",
        "note",
    ]
    contrasts = analysis.contrasts[analysis.contrasts.judge == ""]
    for factor, word in WORDS.items():
        own = contrasts[(contrasts.factor == factor) & ((contrasts.rubric != "") | (factor == "evaluation_template"))]
        own = own if len(own) else contrasts[(contrasts.factor == factor) & (contrasts.rubric == "")]
        told = own[own.low.notna()]
        marks = [
            Interval(f"{row.level_a} − {row.level_b}{_of(row.rubric)}", row.difference, row.low, row.high)
            for row in told.itertuples()
        ]
        drawing = draw_intervals(f"Differences between {word}s", "points", marks, scale=None) if marks else None
        yield Part(
            f"{word.capitalize()}s",
            drawing,
            Table(f"Comparisons of {word}s", headings, rows_of(own, columns)),
            cut_note(marks),
        )


def _leaderboard(study: Study, analysis: Analysis) -> Iterator[Part]:
    scales = rubric_scales(study.catalogs, study.membership.stages)
    for (rubric, judge), ranking in analysis.ranking.groupby(["rubric", "judge"], sort=False):
        paths = ranking[ranking.kind == "path"]
        marks = [
            Interval(f"{row.rank}. {_path(row)}", row.mean, *ends_of(row.low, row.high)) for row in paths.itertuples()
        ]
        scale = scales.get(str(rubric), Scale())
        ends = (scale.lowest, scale.highest)
        drawing = (
            draw_intervals(f"Means by {rubric}, judged by {judge}", "mean score", marks, scale=ends) if marks else None
        )
        headings = ("Rank", "Path", "Mean", "Low", "High", "May be best", "Scores", "Failed")
        rows = [
            (row.rank, _path(row), row.mean, row.low, row.high, _yes(row.may_be_best), row.n_scores, row.n_failed)
            for row in paths.itertuples()
        ]
        yield Part(
            f"{rubric}, judged by {judge}",
            drawing,
            Table(f"Paths by {rubric}, judged by {judge}", headings, rows),
            cut_note(marks),
        )
        best = ranking[ranking.kind == "essay"].head(BEST_ESSAYS)
        essays = [
            (row.rank, _page(study, row), _path(row), row.mean, excerpt(study, row.essay)) for row in best.itertuples()
        ]
        yield Part(
            "",
            None,
            Table(
                f"The first essays by {rubric}, judged by {judge}",
                ("Rank", "Concepts", "Path", "Mean", "Begins"),
                essays,
            ),
        )


def _judges(analysis: Analysis) -> Iterator[Part]:
    agreement = analysis.agreement[~analysis.agreement.judge_b.map(is_reader)]
    alphas = agreement[(agreement.figure == "alpha") & agreement.value.notna()]
    marks = [
        Interval(
            f"{row.judge_a} and {row.judge_b}{_of(row.rubric)}" if row.judge_a else f"all judges{_of(row.rubric)}",
            row.value,
            *ends_of(row.low, row.high),
        )
        for row in alphas.itertuples()
    ]
    drawing = draw_intervals("Agreement of judges", "alpha", marks, scale=None) if marks else None
    headings = ("Rubric", "Judge", "and", "Figure", "Value", "Low", "High", "Essays", "Note")
    columns = ["rubric", "judge_a", "judge_b", "figure", "value", "low", "high", "n_essays", "note"]
    yield Part(
        "Agreement", drawing, Table("Agreement of judges", headings, rows_of(agreement, columns)), cut_note(marks)
    )
    yield from readers_part(analysis)
    headings = ("Judge", "Rubric", "Figure", "Value", "Low", "High", "Unit", "Note")
    columns = ["judge", "rubric", "figure", "value", "low", "high", "unit", "note"]
    yield Part(
        "Each judge",
        None,
        Table(
            "Means, bounds, use of the scale and failures of each judge", headings, rows_of(analysis.judges, columns)
        ),
    )


def _without_revisions(components: pd.DataFrame) -> str:
    """Say that the random components are not of all scores, where the cohort has texts made from judged ones."""
    if not components.note.str.contains("made from judged ones").any():
        return ""
    return (
        "The random ones are those of first texts: what was made from a judged text, such as a revision, shares its "
        "accidents and is left out."
    )


def _chance(analysis: Analysis) -> Iterator[Part]:
    components = analysis.components
    told = components[components.share.notna() & (components.share > 0)]
    bars = [Interval(row.component.replace("_", " "), 100 * row.share) for row in told.itertuples()]
    drawing = draw_bars("Shares of the variance of scores", "% of the variance", bars) if bars else None
    headings = ("Component", "Kind", "Variance", "Deviation", "Share", "Note")
    columns = ["component", "kind", "variance", "deviation", "share", "note"]
    yield Part(
        "Variance components",
        drawing,
        Table("Variance components", headings, rows_of(components, columns)),
        " ".join(filter(None, (_without_revisions(components), cut_note(bars)))),
    )
    headings = (
        "Factor",
        "Change",
        "Combos",
        "Essays",
        "Evaluations",
        "Half-width",
        "Found with 80% power",
        "USD",
        "Note",
    )
    columns = [
        "factor",
        "change",
        "combos",
        "essays",
        "evaluations",
        "half_width",
        "smallest_difference",
        "price_usd",
        "note",
    ]
    for factor in dict.fromkeys(analysis.design.factor):
        own = analysis.design[analysis.design.factor == factor]
        options = [
            Interval(
                row.change + ("" if row.price_usd != row.price_usd else f", {row.price_usd:.2f} USD"), row.half_width
            )
            for row in own[own.half_width.notna()].itertuples()
        ]
        title = f"Design study: {WORDS[factor]}s"
        drawing = draw_bars(f"{title}: half-width of the interval", "± points", options) if options else None
        yield Part(title, drawing, Table(title, headings, rows_of(own, columns)))


def _of(rubric: str) -> str:
    return f" ({rubric})" if rubric else ""


def _path(row: Any) -> str:
    return f"{row.draft_template}, {row.generation_template}, {row.generation_model}"


def _page(study: Study, row: Any) -> Link:
    """The concepts of an essay, as a link to its page beside the report."""
    files = study.cohort_files
    address = files.reading_pages.relative_to(files.reports) / "essays" / f"{row.essay}.html"
    return Link(" + ".join(concept_names(study, row.combo_id)), address.as_posix())


def _yes(value: object) -> str:
    return "yes" if value is True or str(value) == "True" else "no"

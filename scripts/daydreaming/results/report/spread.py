"""How scores are spread, and how they go with the length of essays: sections from the single scores."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from daydreaming.results.report.charts import Share, Spot, draw_distributions, draw_lengths
from daydreaming.results.report.parts import Part, Section, Table
from daydreaming.results.score_table import ScoreRow, distinct_evaluations

# What is beyond is in parsed_scores.csv.
MOST_PANELS = 12
_PLACES = 24  # of lengths, from the shortest essay to the longest


def spread_sections(rows: Sequence[ScoreRow]) -> list[Section]:
    """The distributions of scores by rubric and judge, and scores against length, where lengths are known."""
    judged: dict[tuple[str, str], list[ScoreRow]] = defaultdict(list)
    for row in distinct_evaluations(rows):
        judged[row.evaluation_template, row.evaluation_llm_model].append(row)
    groups = list(judged.items())[:MOST_PANELS]
    cut = (
        f" Shown are the first {MOST_PANELS} of {len(judged)} pairs of rubric and judge."
        if len(judged) > MOST_PANELS
        else ""
    )
    about = f"How often each score was given, for the essays of each path.{cut}"
    lengths = [part for names, own in groups for part in _length_part(names, own)]
    found = [Section("distributions", "Distributions", about, [_distribution(names, own) for names, own in groups])]
    slope = "The slopes with their intervals, within combos and paths, are among the figures of each judge."
    return [
        *found,
        Section("lengths", "Score against length", f"The larger a circle, the more scores. {slope}", lengths),
    ]


def _distribution(names: tuple[str, str], rows: Sequence[ScoreRow]) -> Part:
    title = f"{names[0]}, judged by {names[1]}"
    conditions: dict[str, list[ScoreRow]] = defaultdict(list)
    for row in rows:
        conditions[f"{row.draft_template}, {row.generation_template}, {row.generation_model}"].append(row)
    scored = {name: [row.score for row in own if row.score is not None] for name, own in conditions.items()}
    step = 1.0 if all(score.is_integer() for scores in scored.values() for score in scores) else 0.5
    shares = [
        Share(name, place * step, number / len(scores))
        for name, scores in scored.items()
        for place, number in sorted(Counter(math.floor(score / step + 0.5) for score in scores).items())
    ]
    ends = (min(row.score_min for row in rows), max(row.score_max for row in rows))
    drawing = draw_distributions(f"Distribution of scores: {title}", shares, step, ends) if shares else None
    counts = [(name, len(scored[name]), len(own) - len(scored[name])) for name, own in conditions.items()]
    numbers = [f"{row.score:g}" + ("" if step == 1 else f" (± {step / 2:g})") for row in shares]
    table = [(row.condition, number, 100 * row.share) for row, number in zip(shares, numbers, strict=True)]
    rows_of = (
        [(*one, "", "") for one in counts]
        if not table
        else [(*next(one for one in counts if one[0] == name), number, share) for name, number, share in table]
    )
    return Part(title, drawing, Table(title, ("Path", "Scores", "No score", "Score", "% of scores"), rows_of))


def _length_part(names: tuple[str, str], rows: Sequence[ScoreRow]) -> Iterator[Part]:
    known = [(row.essay_chars, row.score) for row in rows if row.essay_chars is not None and row.score is not None]
    if not known:
        return
    shortest, longest = min(length for length, _ in known), max(length for length, _ in known)
    width = max(1, math.ceil((longest - shortest + 1) / _PLACES))
    counted = Counter(((length - shortest) // width, score) for length, score in known)
    spots = [
        Spot(shortest + (place + 0.5) * width, score, number) for (place, score), number in sorted(counted.items())
    ]
    title = f"{names[0]}, judged by {names[1]}"
    table = [
        (f"{round(spot.length - width / 2):,} to {round(spot.length + width / 2) - 1:,}", spot.score, spot.scores)
        for spot in spots
    ]
    yield Part(
        title,
        draw_lengths(f"Score against length: {title}", spots),
        Table(title, ("Characters", "Score", "Scores"), table),
    )

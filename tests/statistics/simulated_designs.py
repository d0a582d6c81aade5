"""The named designs whose coverage is promised."""

from __future__ import annotations

from simulated_cohorts import Design, Deviations, on_scale

CEILING = Deviations(combo=0.9, evaluation=1.0)
QUIET = Deviations(0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.05, 0.15)

DESIGNS = (
    Design("6 combos, 2 templates, 2 judges", 6),
    Design("6 combos, one judge", 6, judges=1),
    Design("6 combos, 2 x 3 x 3", 6, 2, 3, 3),
    Design("6 combos, two of each, replicated", 6, 2, 2, 2, 2, 2, essays=2, evaluations=2),
    Design("6 combos, 3 judges, 10% failed", 6, judges=3, failed=0.1),
    Design("6 combos, 2 x 2, 30% failed", 6, 2, 2, judges=2, failed=0.3),
    Design("6 combos, whole numbers", 6, whole=True, evaluations=2),
    Design("6 combos, whole numbers at the ceiling", 6, whole=True, middle=9.5, deviations=CEILING),
    Design(
        "6 combos, one judge, most scores are 10", 6, judges=1, whole=True, middle=10.2, spread=0.3, deviations=CEILING
    ),
    Design("6 combos, hardly any noise, whole numbers", 6, whole=True, middle=7.0, deviations=QUIET, spread=0.15),
    Design("4 combos, 2 templates, 2 judges", 4),
    Design("4 combos, 2 x 2 x 2, 3 judges, 10% failed", 4, 2, 2, 2, judges=3, failed=0.1),
    Design("12 combos, 3 templates", 12, 3),
    Design("12 combos, 2 x 2 x 2", 12, 2, 2, 2),
    Design("12 combos, 2 rubrics, 3 judges", 12, rubrics=2, judges=3),
    Design("12 combos, 2 x 2 x 2, 30% failed", 12, 2, 2, 2, failed=0.3),
    Design("12 combos, one judge fails in half", 12, 2, 2, judges=3, failed_of_first_judge=0.5),
    Design("12 combos, whole numbers, 10% failed", 12, 3, whole=True, failed=0.1),
    Design("12 combos, cut at 10", 12, 2, cut=True, middle=9.0),
    Design("12 combos, curated: 60% of 2 x 2 x 2", 12, 2, 2, 2, kept=0.6),
    Design("12 combos, curated: half of 2 x 2, 3 judges", 12, 2, 2, judges=3, kept=0.5),
    Design("40 combos, 2 templates, one judge", 40, judges=1),
    Design("40 combos, 3 x 2 x 2, 10% failed", 40, 3, 2, 2, failed=0.1),
    Design("40 combos, whole numbers at the ceiling", 40, whole=True, middle=9.5, deviations=CEILING),
    Design("40 combos, curated: 40% of 3 x 2 x 2, 30% failed", 40, 3, 2, 2, kept=0.4, failed=0.3),
    Design("40 combos, replicated, whole numbers, 30% failed", 40, evaluations=3, essays=2, whole=True, failed=0.3),
)

# As some of those above, of scores that are whole numbers on other scales.
_CEILING = Design("6 combos, whole numbers at the ceiling", 6, whole=True, middle=9.5, deviations=CEILING)
_FAILED = Design("12 combos, whole numbers, 10% failed", 12, 3, whole=True, failed=0.1)
SCALE_DESIGNS = tuple(on_scale(design, *ends) for ends in ((1, 5), (0, 100)) for design in (_CEILING, _FAILED))

ALPHA_DESIGNS = (
    Design("4 combos, 2 x 2, 3 judges", 4, 2, 2, judges=3),
    Design("6 combos, 2 templates, 2 judges", 6),
    Design("12 combos, 2 x 2, 2 judges, 10% failed", 12, 2, 2, failed=0.1),
    Design("12 combos, 2 templates, 3 judges, whole numbers", 12, judges=3, whole=True),
    Design("40 combos, 2 templates, 2 judges", 40),
)

ESSAY_DESIGNS = (
    Design("6 combos, 2 x 2, judged twice", 6, 2, 2, evaluations=2),
    Design("6 combos, 2 x 2, judged twice, whole numbers", 6, 2, 2, evaluations=2, whole=True),
)

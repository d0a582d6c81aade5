"""Statistics of a cohort's scores: comparisons, rankings, components, judges, and what to buy next."""

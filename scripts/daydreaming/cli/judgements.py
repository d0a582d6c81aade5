"""Judgements without a result as the terminal shows them: how many of each kind of failure, and where to look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from daydreaming.results.score_table import ScoreRow
    from daydreaming.results.verdicts.verdict_table import VerdictRow

_LISTED = 20


def failures_text(rows: Sequence[ScoreRow | VerdictRow], kinds: Mapping[str, int], result: str) -> str:
    """The failures among judgements whose result would be `result` ("a score"); "" where there are none.

    `kinds` has how many there are of each kind. The first 20 are named with the file to look at.
    """
    failed = [row for row in rows if row.error]
    if not failed:
        return ""
    lines = [f"  without {result}, {kind}: {number:,}" for kind, number in kinds.items()]
    lines.append(f"\nWithout {result}, and the file to look at:")
    lines += [f"  {row.gen_id} ({row.error}): {row.error_message}\n    {row.look_at}" for row in failed[:_LISTED]]
    if len(failed) > _LISTED:
        lines.append(f"  ... and {len(failed) - _LISTED:,} more; the column error of the table names them all.")
    return "\n".join(lines)


def refusal(failed_fraction: float, allowed: float | None, judgements: str, result: str) -> str:
    """Why nothing is written where more of the judgements failed than --max-failed-fraction allows; else ""."""
    if allowed is None or failed_fraction <= allowed:
        return ""
    share = f"{failed_fraction:.1%} of the {judgements} have no {result} and {allowed:.1%} are allowed"
    return f"Nothing was written: {share} (--max-failed-fraction)."

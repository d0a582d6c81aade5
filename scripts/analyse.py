"""Compare templates, models, rubrics and judges from a table of scores: tables with intervals, as CSV files."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from daydreaming.base.errors import Fault, InputError

if TYPE_CHECKING:
    import pandas as pd

    from daydreaming.inputs.records import Scale

SHOWN_FAULTS = 20
STAGES = ("draft", "essay", "evaluation")


def main(argv: list[str] | None = None) -> int:
    """Write the tables and print where they are; return 1 if the scores cannot be read or the tables not written."""
    arguments = _parser().parse_args(argv)
    from daydreaming import analyse

    costs = {stage: price for stage in STAGES if (price := getattr(arguments, f"{stage}_usd")) is not None}
    try:
        analysis = analyse(_read(arguments.parsed_scores), costs, pool=arguments.pool)
        paths = analysis.write(arguments.output)
    except InputError as error:
        print(
            *(str(fault).replace("the table of scores", str(arguments.parsed_scores)) for fault in error.faults),
            sep="\n",
        )
        return 1
    except OSError as error:
        print(
            f"{arguments.output}: the tables cannot be written: {error.strerror}. Choose another place with --output."
        )
        return 1
    print(*paths, sep="\n")
    return 0


def _read(path: Path) -> pd.DataFrame:
    """The table of scores, ids as text. Raises InputError if it cannot be read."""
    import pandas as pd

    from daydreaming.results.score_table import parse_score

    try:
        scores = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        cure = "Give the table that scripts/aggregate_scores.py wrote."
        raise InputError(Fault(str(path), f"it cannot be read: {error}.", cure)) from error
    if "score" in scores:
        rows = enumerate(zip(scores["score"], _scales(scores), strict=True), start=2)
        outside = [(row, text, scale) for row, (text, scale) in rows if text and parse_score(text, scale) is None]
        if outside:
            cure = "Make the table again with scripts/aggregate_scores.py."
            raise InputError(
                [
                    Fault(str(path), f"{text!r} is not a score from {scale}.", cure, row, "score")
                    for row, text, scale in outside[:SHOWN_FAULTS]
                ]
            )
    return scores


def _scales(scores: pd.DataFrame) -> list[Scale]:
    """The scale of each row; the usual one where the table does not say it."""
    import pandas as pd

    from daydreaming.inputs.records import Scale

    usual = Scale()
    ends = [
        pd.to_numeric(scores[column], errors="coerce").fillna(end) if column in scores else [end] * len(scores)
        for column, end in (("score_min", usual.lowest), ("score_max", usual.highest))
    ]
    return [Scale(float(lowest), float(highest)) for lowest, highest in zip(*ends, strict=True)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--parsed-scores", type=Path, required=True, metavar="FILE", help="the table that aggregate_scores.py wrote"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="the folder to write the tables to")
    for stage in STAGES:
        parser.add_argument(
            f"--{stage}-usd", type=_price, metavar="USD", help=f"what one {stage} costs on average (for design.csv)"
        )
    parser.add_argument(
        "--pool", action="store_true", help="also rank over all rubrics and judges, each one's mean taken off"
    )
    return parser


def _price(text: str) -> float:
    price = float(text)
    if not (price >= 0 and math.isfinite(price)):
        raise argparse.ArgumentTypeError(f"{text!r} is no price")
    return price


if __name__ == "__main__":
    raise SystemExit(main())

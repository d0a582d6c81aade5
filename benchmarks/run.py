"""Measure the workflow and its neighbours against a provider on this machine, and compare with the targets."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "tests"))  # the scripted provider

from machine import describe_machine  # noqa: E402
from measuring import Measurement  # noqa: E402
from scenarios import LARGE_SCENARIOS, SCENARIOS, Bench, PreparationError  # noqa: E402
from summary import summaries  # noqa: E402
from tables import case_table, target_table  # noqa: E402


def main(argv: list[str] | None = None) -> int:
    """Run the chosen cases, print the tables, write the JSON; return 1 if a case failed, whatever the figures."""
    arguments = _parser().parse_args(argv)
    machine = describe_machine(HERE.parent)
    work = HERE / "results" / "work"
    bench = Bench(work, arguments.repeats, arguments.scale, say=lambda text: print(text, flush=True))
    started = time.monotonic()
    failures: list[str] = []
    measurements = list(_run(bench, _chosen(arguments), failures))
    by_case = summaries(measurements)
    print(f"\n{json.dumps(machine, indent=2)}\n\nAll cases, medians of {arguments.repeats}:\n\n{case_table(by_case)}\n")
    if arguments.scale == 1:
        print(f"{target_table(by_case)}\n")
    else:
        print(f"At scale {arguments.scale:g} the targets do not apply.")
    _write(arguments.output, machine, arguments, measurements)
    print(f"{time.monotonic() - started:.0f} s in all. All figures: {arguments.output}")
    if failures:
        print("\n".join(["These do not count:", *failures]), file=sys.stderr)
        return 1
    shutil.rmtree(work, ignore_errors=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    names = [*SCENARIOS, *LARGE_SCENARIOS]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", nargs="+", choices=names, metavar="NAME", help=f"only these: {', '.join(names)}")
    parser.add_argument("--large", action="store_true", help="also the cases of 10,000 chains")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each case (default: %(default)s)")
    parser.add_argument("--scale", type=float, default=1.0, help="0.02 makes all cohorts small, to try the program out")
    parser.add_argument(
        "--output", type=Path, default=HERE / "results" / "results.json", help="the JSON file (default: %(default)s)"
    )
    return parser


def _chosen(arguments: argparse.Namespace) -> list[str]:
    if arguments.case:
        return arguments.case
    return [*SCENARIOS, *(LARGE_SCENARIOS if arguments.large else ())]


def _run(bench: Bench, names: list[str], failures: list[str]) -> Iterator[Measurement]:
    """Run the scenarios; say how each case went as soon as it has ended, and gather what failed."""
    for name in names:
        try:
            for measurement in (SCENARIOS | LARGE_SCENARIOS)[name](bench):
                figures = f"{measurement.wall_s:7.2f} s, CPU {measurement.cpu_s:6.2f} s, {measurement.calls} calls"
                bench.say(f"{name:16}  {measurement.case:50}  {measurement.error or figures}")
                if measurement.error:
                    failures.append(f"{name}: {measurement.case}: {measurement.error}")
                yield measurement
        except PreparationError as error:
            failures.append(f"{name}: {error}")
            bench.say(f"{name:16}  left out: {error}")


def _write(
    output: Path, machine: dict[str, object], arguments: argparse.Namespace, measurements: list[Measurement]
) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    results = {
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine,
        "scale": arguments.scale,
        "repeats": arguments.repeats,
        "measurements": [asdict(measurement) for measurement in measurements],
    }
    output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

"""End runs at random moments, in the four ways in which runs end, and count what that lost and what was paid twice.

A cohort is made by one run after the other, each of which is ended in the middle; the last one is left alone. The
provider's own ledger says which replies had arrived. The final texts are compared with those of an undisturbed run.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE.parent / "tests"), str(HERE.parent / "tests" / "faults")]

from fault_study import FaultStudy, end, finish, kill_group, lost, repeated, wait_for_calls  # noqa: E402
from machine import describe_machine  # noqa: E402
from tables import markdown  # noqa: E402

from provider import Call, Provider, faults  # noqa: E402

# Replies of very different speeds, so that at any moment some are coming, some have come, and some are being stored.
SPEEDS = [faults.reply_slowly(0.02, probability=0.4), faults.reply_slowly(0.5, probability=0.3, seed=1)]
LATENCY_S, LONGEST_DELAY_S, MOST_CALLS_BEFORE = 0.2, 0.6, 10
CHAINS_PER_KILL = 15
# A reply that the provider handed to the kernel so shortly before a kill may not have been read, let alone stored.
UNREAD_S = 0.1
COLUMNS = ("how runs were ended", "runs", "in flight", "replies lost", "unread", "repeated")


@dataclass(frozen=True)
class Ending:
    """A run that was ended: how, when (Unix seconds), and how many calls were in flight."""

    way: str
    at: float
    in_flight: int
    process: subprocess.Popen[str]


@dataclass(frozen=True)
class Damage:
    """What the endings did: the calls whose reply was lost, those whose reply was on its way, and those made again."""

    lost: list[Call]
    unread: list[Call]
    repeated: list[Call]


def kill_all(process: subprocess.Popen[str]) -> None:
    """`kill -9` of all processes of a run."""
    kill_group(process)


def kill_snakemake(process: subprocess.Popen[str]) -> None:
    """`kill -9` of Snakemake alone: what it has started goes on for a moment."""
    process.kill()
    process.wait()


def ctrl_c(process: subprocess.Popen[str]) -> None:
    """What a terminal does: the signal goes to all processes of the group."""
    os.killpg(process.pid, signal.SIGINT)
    finish(process)


def sigterm(process: subprocess.Popen[str]) -> None:
    """What a scheduler or a shutdown does."""
    process.terminate()
    finish(process)


WAYS: dict[str, Callable[[subprocess.Popen[str]], None]] = {
    "kill -9 of all": kill_all,
    "kill -9 of Snakemake": kill_snakemake,
    "Ctrl-C": ctrl_c,
    "SIGTERM": sigterm,
}


def main(argv: list[str] | None = None) -> int:
    """End runs, print the table, write the JSON; return 1 if a reply was lost, a call repeated or a text differs."""
    arguments = _parser().parse_args(argv)
    # A shell starts what runs in the background with SIGINT ignored; the runs would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    machine, started = describe_machine(HERE.parent), time.monotonic()
    chains = arguments.kills * CHAINS_PER_KILL
    print(
        f"{arguments.kills} runs of a cohort of {chains} chains ({2 * chains} calls) are ended, seed {arguments.seed}."
    )
    with tempfile.TemporaryDirectory() as folder, Provider(SPEEDS, latency_s=LATENCY_S) as provider:
        undisturbed = FaultStudy.with_chains(Path(folder, "undisturbed"), provider, chains)
        undisturbed.run(f"-j{arguments.jobs}")
        provider.reset_ledger()
        study = FaultStudy.with_chains(Path(folder, "ended"), provider, chains)
        endings = end_runs(study, arguments.kills, arguments.jobs, random.Random(arguments.seed))
        study.run("--unlock")
        last = study.run(f"-j{arguments.jobs}")
        calls = provider.ledger()
        damage = find_damage(calls, study, endings)
        same = study.parsed_texts() == undisturbed.parsed_texts()
    print(f"\n{markdown(table(endings, damage))}\n")
    ages = {kind: sorted(_age_ms(call, endings) for call in getattr(damage, kind)) for kind in ("lost", "unread")}
    for kind, of_kind in ages.items():
        if of_kind:
            print(
                f"The {kind} replies had come {', '.join(f'{age:.0f}' for age in of_kind)} ms before their run ended."
            )
    print(f"{len(calls)} calls for {2 * chains} requests, {len(last.calls)} of them by the last run.")
    print("The final texts are those of an undisturbed run." if same else "THE FINAL TEXTS DIFFER.")
    results = {
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine,
        "seed": arguments.seed,
        "chains": chains,
        "calls": len(calls),
        "texts_agree": same,
        "table": table(endings, damage),
        "ms_before_the_end": ages,
    }
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(f"{time.monotonic() - started:.0f} s in all. All figures: {arguments.output}")
    return 0 if same and not damage.lost and not damage.repeated else 1


def end_runs(study: FaultStudy, number: int, jobs: int, draw: random.Random) -> list[Ending]:
    """Start runs and end each in the middle, every way as often as the others, in any order."""
    ways = [list(WAYS)[index % len(WAYS)] for index in range(number)]
    draw.shuffle(ways)
    endings: list[Ending] = []
    for way in ways:
        # What a killed run has left locked is not in the way of the next.
        process = study.start("--nolock", f"-j{jobs}")
        wait_for_calls(study.provider, study.provider.calls + draw.randrange(1, MOST_CALLS_BEFORE), process)
        time.sleep(draw.uniform(0, LONGEST_DELAY_S))
        if process.poll() is not None:
            _, output = finish(process)
            raise RuntimeError(f"after {len(endings)} endings, a run was over before it could be ended:\n{output}")
        in_flight = study.provider.stats().in_flight
        endings.append(Ending(way, time.time(), in_flight, process))
        WAYS[way](process)
        print(f"{len(endings):4}  {way:22}  {endings[-1].in_flight} in flight", flush=True)
    for ending in endings:
        end(ending.process)
    return endings


def find_damage(calls: Sequence[Call], study: FaultStudy, endings: Sequence[Ending]) -> Damage:
    """Find what was lost and repeated. A lost reply that came right before a kill counts as unread."""
    kills = [ending for ending in endings if ending.way.startswith("kill")]
    missing = lost(calls, study)
    unread = [call for call in missing if any(abs((call.ended_at or 0) - kill.at) <= UNREAD_S for kill in kills)]
    read = [call for call in calls if call not in unread]
    return Damage([call for call in missing if call not in unread], unread, repeated(read))


def table(endings: Sequence[Ending], damage: Damage) -> list[tuple[str, ...]]:
    """A row for each way, with what it did to the calls of the run that it ended, and one for all."""
    rows, counts = [COLUMNS], Counter(ending.way for ending in endings)
    of_calls = [Counter(_way_before(call, endings) for call in calls) for calls in (damage.lost, damage.unread)]
    again = Counter(_way_after(call, endings) for call in damage.repeated)
    for way in [*WAYS, "all"]:
        figures = [sum(ending.in_flight for ending in endings if way in (ending.way, "all"))]
        figures += [of.total() if way == "all" else of[way] for of in (*of_calls, again)]
        rows.append((way, *map(str, [counts.total() if way == "all" else counts[way], *figures])))
    return rows


def _way_before(call: Call, endings: Sequence[Ending]) -> str:
    """How the run of a call was ended: the first ending after the call had come."""
    return next((ending.way for ending in endings if ending.at >= call.received_at), "none")


def _age_ms(call: Call, endings: Sequence[Ending]) -> float:
    """How long before the nearest ending a reply had come, in milliseconds; below zero if after it."""
    return 1000 * min((ending.at - (call.ended_at or 0) for ending in endings), key=abs)


def _way_after(call: Call, endings: Sequence[Ending]) -> str:
    """How the run before that of a call was ended."""
    return next((ending.way for ending in reversed(endings) if ending.at <= call.received_at), "none")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=60, help="how many runs are ended (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=8, help="calls in flight (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=20261126, help="of the moments and ways (default: %(default)s)")
    parser.add_argument(
        "--output", type=Path, default=HERE / "results" / "kills.json", help="the JSON file (default: %(default)s)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

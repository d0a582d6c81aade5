"""The neighbours: other ways to make the same calls, each in an environment of its own below benchmarks/.envs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench_study import MODEL_STRING, SAMPLING
from measuring import Load, Measurement, measure

from provider import Provider

HERE = Path(__file__).resolve().parent
PROGRAMS, ENVIRONMENTS = HERE / "neighbours", HERE / ".envs"
# No neighbour shall ask the network for anything but the calls.
QUIET = {"HF_HUB_OFFLINE": "1", "TELEMETRY_ENABLED": "false", "CURATOR_DISABLE_RICH_DISPLAY": "1"}


@dataclass(frozen=True)
class Neighbour:
    """A program in benchmarks/neighbours that makes given calls, and `extra_calls` of its own accord."""

    name: str
    program: str
    requirements: str | None = None
    extra_calls: int = 0

    @property
    def python(self) -> Path:
        """The interpreter that runs the program."""
        return (
            ENVIRONMENTS / Path(self.requirements).stem / "bin" / "python"
            if self.requirements
            else Path(sys.executable)
        )


NEIGHBOURS = (
    Neighbour("plain asyncio loop", "plain_loop.py"),
    # It asks once for the provider's limits.
    Neighbour("curator", "curator_calls.py", "curator.txt", extra_calls=1),
    Neighbour("lm-eval", "lm_eval_calls.py", "lm_eval.txt"),
    Neighbour("inspect_ai", "inspect_ai_calls.py", "inspect_ai.txt"),
)


def install(neighbour: Neighbour) -> str | None:
    """Make the neighbour's environment unless it is there already; return why that failed, None if it did not."""
    if neighbour.requirements is None:
        return None
    wanted = (PROGRAMS / neighbour.requirements).read_text(encoding="utf-8")
    folder = neighbour.python.parents[1]
    installed = folder / neighbour.requirements
    if installed.exists() and installed.read_text(encoding="utf-8") == wanted:
        return None
    for arguments in (
        ["venv", "--clear", "--python", sys.executable, str(folder)],
        [
            "pip",
            "sync",
            "--compile-bytecode",
            "--python",
            str(neighbour.python),
            str(PROGRAMS / neighbour.requirements),
        ],
    ):
        done = subprocess.run([_uv(), "--quiet", *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return done.stderr.strip()
    installed.write_text(wanted, encoding="utf-8")
    return None


def run_neighbour(
    neighbour: Neighbour, provider: Provider, prompts: Sequence[str], load: Load, folder: Path, logs: Path
) -> Measurement:
    """Let the neighbour make the calls; the new folder is its home and keeps what it writes."""
    calls = folder / "calls.json"
    calls.write_text(
        json.dumps(
            {
                "prompts": list(prompts),
                "base_url": provider.base_url,
                "api_key": provider.api_key,
                "model": MODEL_STRING,
                **SAMPLING,
                "in_flight": load.in_flight,
                "folder": str(folder),
            }
        ),
        encoding="utf-8",
    )
    command = [str(neighbour.python), str(PROGRAMS / neighbour.program), str(calls)]
    environment = {**QUIET, "HOME": str(folder), "OPENAI_API_KEY": provider.api_key}
    return measure(neighbour.name, load, provider, command, logs, environment, neighbour.extra_calls)


def _uv() -> str:
    import uv

    return uv.find_uv_bin()

"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

PACKAGES = ("snakemake", "openai", "aiohttp", "orjson")


def describe_machine(project: Path) -> dict[str, Any]:
    """Describe processor, memory, system, Python, the packages that matter, and the state of the project."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "commit": _git(project, "rev-parse", "--short", "HEAD"),
        "uncommitted_changes": bool(_git(project, "status", "--porcelain")),
        # Well above 0: something else was running, and the figures are not worth much.
        "load_average_at_start": os.getloadavg()[0],
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _git(project: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(project), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip()

"""DayDreaming: file-driven experiments with language models. The library behind the Snakemake rules and the scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from daydreaming.cli.notebook import load

__all__ = ["load"]


def __getattr__(name: str) -> Any:
    """Import what notebooks use when it is first asked for, so that scripts start without it."""
    if name == "load":
        from daydreaming.cli.notebook import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""What every neighbour is told on its command line and hands back: the same calls, and the texts that came."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Calls:
    """The calls to make; `folder` is the neighbour's own, empty at the start."""

    prompts: tuple[str, ...]
    base_url: str
    api_key: str
    model: str
    temperature: float
    max_tokens: int
    in_flight: int
    folder: Path

    def write_texts(self, texts: list[str]) -> None:
        """Write the replies' texts to texts.json, where the benchmark counts them."""
        (self.folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")


def calls_from_command_line(description: str) -> Calls:
    """Read the calls from the JSON file that the command line names."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("calls", type=Path, help="JSON file with the fields of Calls")
    values = json.loads(parser.parse_args().calls.read_text(encoding="utf-8"))
    return Calls(**{**values, "prompts": tuple(values["prompts"]), "folder": Path(values["folder"])})

"""Records of generations, as a store of theirs writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core_fixtures import reply, specification

from daydreaming.base.paths import DataPaths
from daydreaming.generation.outcome import Outcome, Received, record_of
from daydreaming.generation.store import GenerationStore, text_sha256
from daydreaming.ledger.metadata import Metadata
from daydreaming.ledger.received import Reply
from daydreaming.llm.tries import CallTimes

SHA = "a" * 64
PATHS = DataPaths(Path("data"))


def outcome(received: Reply | None = None, **changes: Any) -> Outcome:
    values: dict[str, Any] = {"started_at": 10.0, "finished_at": 12.5, "request_sha256": SHA, "attempts": 1}
    values |= {"prompt_sha256": "b" * 64, "written": {"prompt", "raw", "parsed"}}
    if received is not None:
        values["received"] = Received(received, times=CallTimes(0.0, 5.0, 0.0, 1))
    return Outcome(**{**values, **changes})


def record(raw: str | None, parsed: str | None, received: Reply | None = None, **changes: Any) -> Metadata:
    digests = {"raw_sha256": raw and text_sha256(raw), "parsed_sha256": parsed and text_sha256(parsed)}
    how = outcome(received or reply(SHA), **{**digests, **changes})
    return record_of(specification(), how, PATHS)


def kept(store: GenerationStore) -> list[dict[str, Any]]:
    """The files of the generation that were kept among the replies."""
    return [json.loads(path.read_text())["files"] for path in sorted(PATHS.replies.glob("adopted/draft/draft-1/*"))]


def replaced(store: GenerationStore) -> None:
    store.replace(record("new", "new", request_sha256="d" * 64), raw="new", parsed="new")

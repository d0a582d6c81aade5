"""What the tests of this room share."""

from __future__ import annotations

from pathlib import Path

import pytest
from store_fixtures import PATHS

from daydreaming.generation.store import GenerationStore
from daydreaming.ledger.replies import ReplyStore


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GenerationStore:
    monkeypatch.chdir(tmp_path)
    return GenerationStore(PATHS, ("draft", "draft-1"), ReplyStore(PATHS))

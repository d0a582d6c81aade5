"""An exchange of batches with the server of the tests, in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from core_fixtures import settings_for

from daydreaming.ledger.batch_records import BatchRecord, BatchRecords
from daydreaming.ledger.journal import Account, Budget, Journal, read_events
from daydreaming.ledger.model_request import ModelRequest
from daydreaming.ledger.replies import ReplyStore
from daydreaming.llm.batches.exchange import BatchExchange
from daydreaming.llm.batches.grouping import Wanted
from daydreaming.llm.call_account import CallContext
from provider import Provider

KEY_VARIABLE = "BATCH_TEST_KEY"
KINDS = ("openai", "anthropic")
PRICES = (1.0, 2.0)  # US dollars per million tokens, of single calls


class Study:
    """A data folder, its store, its journal and its exchanges: a new one for each start."""

    def __init__(self, folder: Path, provider: Provider, kind: str, budget: Budget | None = None, **endpoint: Any):
        base_url = provider.base_url if kind == "openai" else provider.base_url.removesuffix("/v1")
        values = {"kind": kind, "api_key_env": KEY_VARIABLE, **endpoint}
        self.settings = settings_for(base_url, values, data_root=str(folder))
        self.provider = provider
        self.journal_file = folder / "journal.jsonl"
        self.records = BatchRecords(self.settings.paths)
        self.store = ReplyStore(self.settings.paths)
        self._base_url = base_url
        self._budget = budget or Budget()

    def wanted(self, number: int, model: str = "model-a") -> list[Wanted]:
        """So many requests, the same ones each time."""
        return [
            Wanted(
                ModelRequest(
                    self._base_url, model, ({"role": "user", "content": f"Thought {i} of tides"},), max_tokens=50
                ),
                CallContext("draft", f"g-{i}", "cohort", "scripted", "plain", "writer", PRICES),
            )
            for i in range(number)
        ]

    def exchange(
        self, run_id: str = "run", checkpoint: Callable[[str], None] = lambda name: None, later_s: float = 0.0
    ) -> BatchExchange:
        """An exchange as a new process has it; `later_s` is by how many seconds its clock is ahead."""
        import time

        journal = Journal(self.journal_file, self._budget, run_id, self.store.cost_usd)
        return BatchExchange(
            self.settings,
            self.store,
            lambda cohort: journal,
            run_id,
            checkpoint=checkpoint,
            now=lambda: time.time() + later_s,
        )

    def submit(self, number: int, **options: Any) -> Any:
        """Order batches of so many requests."""
        exchange = self.exchange(**options)
        try:
            return exchange.submit(self.wanted(number))
        finally:
            exchange.close()

    def look(self, **options: Any) -> list[BatchRecord]:
        """Bring all open batches up to date."""
        exchange = self.exchange(**options)
        try:
            return exchange.bring_up_to_date()
        finally:
            exchange.close()

    def cancel(self, **options: Any) -> list[BatchRecord]:
        """End what waits."""
        exchange = self.exchange(**options)
        try:
            return exchange.cancel()
        finally:
            exchange.close()

    def stored(self, number: int) -> int:
        """How many of the first so many requests have a reply."""
        return sum(self.store.load(one.request.sha256) is not None for one in self.wanted(number))

    @property
    def account(self) -> Account:
        """What the journal says."""
        account = Account()
        for event in read_events(self.journal_file):
            account.take(event)
        return account

    def bought(self) -> dict[str, int]:
        """How often each request body was executed at the provider."""
        bought: dict[str, int] = self.provider.batches()["bought"]
        return bought

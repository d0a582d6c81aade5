"""A local OpenAI-compatible server that answers what a test scripted and records what it was asked.

Tests and benchmarks use `Provider` (a context manager) and the rule builders of `provider.faults`. The server is a
process of its own, listens on 127.0.0.1 only, and ends when whoever started it closes its standard input or dies.
"""

from provider.client import Provider
from provider.ledger import Call
from provider.rules import Answer, Rule, When

__all__ = ["Answer", "Call", "Provider", "Rule", "When"]

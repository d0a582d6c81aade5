"""`python -m provider`: run the server until standard input is closed (or Ctrl-C)."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import threading
from pathlib import Path

import orjson

from provider.rules import Rule, rules_from_json
from provider.server import Options, ProviderServer


def main(argv: list[str] | None = None) -> int:
    """Serve until standard input is closed; return 0, or 1 if the script of rules cannot be used."""
    args = _parser().parse_args(argv)
    try:
        rules = rules_from_json(orjson.loads(args.script.read_bytes())) if args.script else []
    except (OSError, ValueError) as error:
        print(f"{args.script}: {error}", file=sys.stderr)
        return 1
    options = Options(
        api_key=args.api_key,
        latency_s=args.latency,
        max_concurrency=args.max_concurrency,
        max_calls_per_window=args.max_calls_per_window,
        window_s=args.window,
        ledger=args.ledger,
        keep_bodies=not args.no_bodies,
        batch_s=args.batch_seconds,
    )
    asyncio.run(_serve(options, rules, args.port, args.address_file))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m provider",
        description="A scripted OpenAI-compatible server on 127.0.0.1. It ends when its standard input is closed.",
    )
    parser.add_argument("--port", type=int, default=0, help="0, the default, means any free port")
    parser.add_argument(
        "--address-file", type=Path, help="write base_url and control_url here, as JSON, once listening"
    )
    parser.add_argument("--script", type=Path, help="JSON list of rules")
    parser.add_argument("--ledger", type=Path, help="append each call that ended to this JSONL file")
    parser.add_argument("--no-bodies", action="store_true", help="keep only the hash of each request: for benchmarks")
    parser.add_argument("--api-key", default="test-key", help="the key that the ledger compares with")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="fixed for every reply")
    parser.add_argument("--max-concurrency", type=int, metavar="N", help="answer 429 to a call above N in flight")
    parser.add_argument("--max-calls-per-window", type=int, metavar="N", help="answer 429 to a call above N a window")
    parser.add_argument("--window", type=float, default=60.0, metavar="SECONDS", help="the rolling window, one minute")
    parser.add_argument(
        "--batch-seconds", type=float, help="a batch ends so long after its creation; else never by time"
    )
    return parser


async def _serve(options: Options, rules: list[Rule], port: int, address_file: Path | None) -> None:
    server = ProviderServer(options, rules)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    threading.Thread(target=_wait_for_end_of_input, args=(loop, stop), daemon=True).start()
    _announce(await server.start(port), address_file)
    await stop.wait()
    server.finish()


def _announce(addresses: dict[str, str], address_file: Path | None) -> None:
    text = orjson.dumps(addresses).decode()
    print(text, flush=True)
    if address_file:
        # Renamed into place, so that whoever waits for the file never reads half of it.
        unfinished = address_file.with_suffix(".unfinished")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(address_file)


def _wait_for_end_of_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    # os.read, unlike sys.stdin, holds no lock that would disturb the interpreter's end.
    while os.read(0, 4096):
        pass
    loop.call_soon_threadsafe(stop.set)


if __name__ == "__main__":
    sys.exit(main())

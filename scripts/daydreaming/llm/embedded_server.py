"""The embedded model's process: llama.cpp's HTTP server on a loopback port, for as long as its parent lives.

Started by `daydreaming.llm.embedded`, which writes one JSON line to its standard input (`api_key`, `parent_pid`),
keeps that pipe open, and reads one JSON line from its standard output: `base_url` when it is ready, or `error`.
"""

from __future__ import annotations

import json
import os
import select
import sys
import threading
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING

from daydreaming.llm.embedded import WEIGHTS_PACKAGE

if TYPE_CHECKING:
    import xllamacpp

CONTEXT_TOKENS = 8192
DEFAULT_SEED = 42
DEFAULT_TEMPERATURE = 0.7
HTTP_THREADS = 64
PARENT_CHECK_S = 0.5


def main() -> int:
    """Serve until the parent is gone; return 1 if the server cannot start."""
    orders = json.loads(sys.stdin.buffer.readline())
    watcher = threading.Thread(target=_exit_with_parent, args=(orders["parent_pid"],), daemon=True)
    watcher.start()
    answer_fd = _claim_standard_output()
    try:
        server = _start_server(orders["api_key"])
    except Exception as error:
        _answer(answer_fd, {"error": f"{type(error).__name__}: {str(error).rstrip('.')}."})
        return 1
    _answer(answer_fd, {"base_url": f"{server.listening_address}/v1"})
    watcher.join()
    return 0


def _exit_with_parent(parent_pid: int) -> None:
    """End this process as soon as the parent is gone, by whatever signal.

    The pipe's end is the quick sign. It does not come while a process that the parent forked still holds the other
    end, hence the second sign: an orphan gets another parent. PR_SET_PDEATHSIG is no alternative: it fires when the
    *thread* that started this process ends, and in a workflow that is the thread of one job.
    """
    pipe = select.poll()
    pipe.register(sys.stdin, select.POLLIN)
    while os.getppid() == parent_pid and not pipe.poll(PARENT_CHECK_S * 1000):
        pass
    # An orderly exit would destroy the server, which hangs in the middle of a generation.
    os._exit(0)


def _claim_standard_output() -> int:
    """Keep standard output for the answer alone: what llama.cpp prints there goes to the log with the rest."""
    answer_fd = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return answer_fd


def _answer(answer_fd: int, message: dict[str, str]) -> None:
    with os.fdopen(answer_fd, "w") as stream:
        stream.write(json.dumps(message) + "\n")


def _weights() -> Path:
    """Return the model file of the weights' package, which is never imported: it would ask for packages not needed."""
    package = distribution(WEIGHTS_PACKAGE)
    for file in package.files or []:
        if file.suffix == ".gguf":
            return Path(str(package.locate_file(file)))
    raise FileNotFoundError(f"the package {WEIGHTS_PACKAGE} has no .gguf file")


def _start_server(api_key: str) -> xllamacpp.Server:
    """Return the server, loaded and listening. The same request gets the same text on every start of it."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(_weights())
    params.model_alias = {"embedded"}
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.api_keys = [api_key]
    # The same on every machine: nothing is fitted to its free memory or moved to its graphics card.
    params.fit_params, params.n_gpu_layers = False, 0
    params.n_ctx = CONTEXT_TOKENS
    # No batching with, and no cache from, other calls: a request's text must not depend on them. A second thread is
    # slower as soon as anything else uses the cores (twelve times, on two busy ones).
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.cache_prompt, params.cache_ram_mib = False, 0
    params.sampling.seed, params.sampling.temp = DEFAULT_SEED, DEFAULT_TEMPERATURE
    # A waiting call holds a thread, an idle connection too (for 5 s): with the default, eight calls took 6 s, not 2.
    params.n_threads_http = HTTP_THREADS
    params.ui, params.endpoint_slots = False, False
    params.verbosity = 1
    return xllamacpp.Server(params)


if __name__ == "__main__":
    sys.exit(main())

"""A Python whose programs of the project are forked (see `forked_programs`): asks for one, and ends as that one ends.

    python -IS forked_python.py WORDS_FOR_PYTHON...

What is no program of scripts/ and not Snakemake, the interpreter of the environment runs.
"""

import json
import os
import socket
import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[1] / "scripts"


def main() -> None:
    words = sys.argv[1:]
    asked = words[1:] if words[:1] == ["-P"] else words
    if asked[:2] != ["-m", "snakemake"] and Path(asked[0]).parent != SCRIPTS:
        os.execv(sys.executable, [sys.executable, *words])
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(os.environ["DAYDREAMING_TESTS_PROGRAMS"])
    open_files = [int(path.name) for path in Path("/dev/fd").iterdir()]
    numbers = [number for number in open_files if is_for_programs(number, connection)]
    request = {"words": asked, "folder": str(Path.cwd()), "variables": dict(os.environ), "numbers": numbers}
    socket.send_fds(connection, [b"+"], numbers)
    connection.sendall(json.dumps(request).encode() + b"\n")
    code = int(connection.recv(100) or 1)
    # One that was killed has a code of its own: the shell's.
    os._exit(code if code >= 0 else 128 - code)


def is_for_programs(number: int, connection: socket.socket) -> bool:
    """Whether an open file is one that was handed on, and not one of this program."""
    try:
        return number != connection.fileno() and os.get_inheritable(number)
    except OSError:
        return False


main()

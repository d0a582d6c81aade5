"""What can go wrong between a client and a batch service: plain values that travel to the server as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

Operation = Literal["upload", "create", "retrieve", "list", "results", "cancel"]
Effect = Literal[
    "reset",  # the connection breaks, and the server has done nothing
    "lost answer",  # the server has done what was asked, and the connection breaks before the answer
    "late answer",  # the server has done what was asked, and its answer comes when everybody has given up
    "status",  # an error, and the server has done nothing
    "status after",  # an error, although the server has done what was asked
    "error in 200",  # a status 200 whose body is an error object
    "empty object",  # a status 200 whose body is {}
    "cut",  # the connection closes in the middle of the body
    "cut clean",  # a body that is whole by its length, and lacks its second half
    "twice",  # each line of the results stands there twice
    "other twice",  # the first id stands there twice, the second time with another answer
    "missing",  # the last line of the results is not there
    "stranger",  # a line of an id that was never sent
    "swapped",  # lines in reverse order: no fault, both providers allow it
]


@dataclass(slots=True)
class BatchFault:
    """One fault of an operation, from its `nth` time on (1 is the next), `times` times."""

    operation: Operation
    effect: Effect
    nth: int = 1
    times: int = 1
    status: int = 500

    def __post_init__(self) -> None:
        if self.operation not in get_args(Operation) or self.effect not in get_args(Effect):
            raise ValueError(f"there is no fault {self.effect!r} of {self.operation!r}")


class BatchFaults:
    """The faults that are still to come."""

    def __init__(self, rows: Sequence[Mapping[str, Any]] = ()):
        self._faults = [BatchFault(**row) for row in rows]

    def next(self, operation: Operation) -> BatchFault | None:
        """The fault of this time, if there is one."""
        for fault in self._faults:
            if fault.operation != operation or fault.times == 0:
                continue
            if fault.nth > 1:
                fault.nth -= 1
                continue
            fault.times -= 1
            return fault
        return None


def damaged_results(fault: BatchFault | None, body: bytes) -> bytes:
    """The lines of results as a fault leaves them."""
    lines = body.splitlines(keepends=True)
    match fault.effect if fault else "":
        case "cut clean":
            return body[: len(body) // 2]
        case "twice":
            return b"".join(line * 2 for line in lines)
        case "other twice":
            return body + lines[0].replace(b"Thought", b"Afterthought") if lines else body
        case "missing":
            return b"".join(lines[:-1])
        case "stranger":
            return body + lines[0].replace(b'"custom_id":"', b'"custom_id":"x') if lines else body
        case "swapped":
            return b"".join(reversed(lines))
    return body

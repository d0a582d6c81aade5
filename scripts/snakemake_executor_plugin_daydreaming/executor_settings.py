"""What the executor is told: by options, and by the rules, which know before it what the run will need."""

import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Optional

from snakemake_interface_executor_plugins.settings import ExecutorSettingsBase

from daydreaming.generation.runner_messages import RUN_VARIABLE
from daydreaming.generation.started_runner import StartedRunner
from snakemake_executor_plugin_daydreaming.commands import StageCommand


@dataclass
class ExecutorSettings(ExecutorSettingsBase):
    """What can be set by `--daydreaming-...`, or in a profile; and the process that was started ahead, if any."""

    # Snakemake makes the option's type of the annotation itself, which must be no text (so nothing is imported from
    # __future__ here), and knows Optional, and not `float | None`.
    report_every: Optional[float] = field(  # noqa: UP045
        default=0.2,
        metadata={
            "help": "Seconds after which Snakemake is told of the generations that have ended. It is told at once when "
            "calls would have to wait for more generations.",
            "env_var": False,
            "required": False,
        },
    )

    def __post_init__(self) -> None:
        """No field, which would become an option."""
        self._started: StartedRunner | None = None

    def start_ahead(self, command: Sequence[str], calls_in_flight: int | None) -> None:
        """Start the process that will make the generations, while Snakemake builds its graph.

        `command` is interpreter, script, and the arguments that all generations of the run have. Where no executor asks
        for it (nothing has to be made, or the graph has a fault), it ends with these settings.
        """
        self._discard()
        self._started = StartedRunner(command[:2], command[2:], new_run_id(), calls_in_flight or 1)

    def take_started(self, command: StageCommand | None) -> StartedRunner | None:
        """The process that was started ahead, if it makes what this command makes; any other one is ended."""
        started = self._started
        if started is None or command is None or not started.fits(command.program, command.arguments):
            self._discard()
            return None
        self._started = None
        return started

    def _discard(self) -> None:
        if self._started is not None:
            self._started.end()
            self._started = None


def new_run_id() -> str:
    """The name of a run in its journal: that of the run which this one is a part of, if any."""
    return os.environ.get(RUN_VARIABLE) or uuid.uuid4().hex[:12]

"""What the jobs of a run are for: those whose command invokes run_stage.py and nothing else make a generation."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

PROGRAM = "run_stage.py"
# Before it stand words that are the same for all generations of a run.
OWN_WORDS = " --stage "
# All programs of the workflow get the folder of the run first.
OPTIONS = " --directory "
# Sends a command to a cluster and waits for its end.
SENT = '"$DAYDREAMING_SLURM"/send.sh '


@dataclass(frozen=True, slots=True)
class StageCommand:
    """A command as words: `program` is interpreter and script, `arguments` what the script gets."""

    program: tuple[str, ...]
    arguments: tuple[str, ...]


class StageCommands:
    """Reads the commands of jobs. What is the same for all of them is read once."""

    def __init__(self) -> None:
        self._read: dict[str, StageCommand | None] = {}
        self._beside: dict[str, bool] = {}

    def of(self, job: Any) -> StageCommand | None:
        """Return the command of a job that makes a generation; None for any other job."""
        command = job.shellcmd
        if command is None or PROGRAM not in command:
            return None
        common, _, own = command.partition(OWN_WORDS)
        if common not in self._read:
            self._read[common] = _stage_command(common)
        start = self._read[common]
        if start is None:
            return None
        return StageCommand(start.program, (*start.arguments, OWN_WORDS.strip(), *shlex.split(own)))

    def is_of_workflow(self, job: Any) -> bool:
        """Whether a job's command starts a program that lies beside run_stage.py."""
        words = (job.shellcmd or "").split(OPTIONS, 1)[0]
        if words not in self._beside:
            program = shlex.split(words)[1:2] if OPTIONS in (job.shellcmd or "") else []
            self._beside[words] = bool(program) and Path(program[0]).with_name(PROGRAM).is_file()
        return self._beside[words]


def is_sent(job: Any) -> bool:
    """Whether a job's command waits for a job of a cluster."""
    return str(job.shellcmd or "").startswith(SENT)


def generation_of(job: Any) -> tuple[str, str]:
    """The stage and the gen_id of the generation that a job makes: its text is `.../<stage>/<gen_id>/parsed.txt`."""
    *_, stage, gen_id, _ = PurePath(next(iter(job.output))).parts
    return stage, gen_id


def planned_generations(jobs: Iterable[Any]) -> list[tuple[str, str]]:
    """The generations that these jobs make."""
    return [generation_of(job) for job in jobs if "gen_id" in job.wildcards_dict]


def stages_of(rules: Iterable[Any]) -> list[str]:
    """The stages whose texts these rules make, in their order; another workflow may have renamed the rules."""
    outputs = (PurePath(str(rule.output[0])) for rule in rules if len(rule.output))
    return [path.parts[-3] for path in outputs if path.name == "parsed.txt" and len(path.parts) > 2]


def is_score_table(job: Any) -> bool:
    """Whether a job makes the scores of a cohort."""
    return any(PurePath(path).name == "parsed_scores.csv" for path in job.output)


def _stage_command(common: str) -> StageCommand | None:
    """The words that all commands of a run begin with; None where the shell would do more than start the program."""
    lexer = shlex.shlex(common, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = tuple(lexer)
    if len(words) < 2 or PurePath(words[1]).name != PROGRAM:
        return None
    return StageCommand(words[:2], words[2:])

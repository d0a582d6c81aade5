#!/usr/bin/env bash
# state.sh JOB: the state of a job in Slurm's words; UNREACHABLE while the controller does not answer.
set -uo pipefail
if answer=$(scontrol show job "$1" --oneliner 2>&1); then
    sed -n 's/.* JobState=\([A-Z_]*\).*/\1/p' <<<"$answer"
elif [[ $answer == *"Invalid job id"* ]]; then
    # The controller has forgotten the job (MinJobAge): ask the accounts, where there are any.
    state=$(timeout 20 sacct --allocations --noheader --parsable2 --format=State --jobs="$1" 2>/dev/null | head -n 1)
    state=${state%% *}
    echo "${state:-FORGOTTEN}"
else
    echo UNREACHABLE
fi

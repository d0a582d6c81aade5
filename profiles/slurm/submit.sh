#!/usr/bin/env bash
# submit.sh OUTPUT CPUS MEMORY_MB MINUTES PARTITION EXTRA JOBSCRIPT: send one job and print its id.
set -euo pipefail
output=$1 cpus=$2 memory=$3 minutes=$4 partition=$5 extra=$6 jobscript=$7

mkdir -p logs/slurm "$(dirname "$output")"
options=(--parsable --job-name="$DAYDREAMING_SLURM_JOB" --output=logs/slurm/%j.log --open-mode=append --requeue)
options+=(--nodes=1 --ntasks=1 --cpus-per-task="$cpus" --mem="$memory" --time="$minutes")
[[ -z $partition ]] || options+=(--partition="$partition")
# shellcheck disable=SC2206  # several options in one text
options+=($extra)
# scancel and a time limit send SIGTERM to all processes of a job, and SIGKILL some time after. The job's shell has to outlive
# the first: what it has started ends with the calls in flight, and not every Slurm finds processes whose parent has gone.
sed -i '1a trap : TERM' "$jobscript"
# Snakemake writes the path of its interpreter without quotation marks.
if [[ $DAYDREAMING_PYTHON == *[[:space:]]* ]]; then
    escaped=$(printf '%s' "$DAYDREAMING_PYTHON" | sed 's/[&/\]/\\&/g')
    sed -i "s/$escaped -m snakemake/'$escaped' -m snakemake/g" "$jobscript"
fi
answer=$(sbatch "${options[@]}" "$jobscript")
# On a federation of clusters, the name of the cluster follows.
job=${answer%%;*}
echo "$job"
# For the summary at the end of the run.
[[ $output != *.done ]] || echo "$job" >"${output%.done}.job"
echo "Slurm job $job, log logs/slurm/$job.log" >&2

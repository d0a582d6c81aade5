#!/usr/bin/env bash
# send.sh OUTPUT CPUS MEMORY_MB MINUTES PARTITION EXTRA COMMAND...: run a command as one job, and end when and as it ends.
# For an executor that knows no cluster. SIGTERM and Ctrl-C cancel the job; its end is waited for all the same.
set -euo pipefail
output=$1
here=$(dirname "$0")
longest_pause_s=30 longest_wait_for_output_s=60

job=
stopped=
stop() {
    [[ -z $stopped && -n $job ]] && scancel "$job"
    stopped=1
}
trap stop INT TERM

mkdir -p "$(dirname "$output")"
jobscript=$output.sh
{
    echo '#!/usr/bin/env bash'
    printf '%q ' "${@:7}"
    echo
} >"$jobscript"
id=$("$here"/submit.sh "${@:1:6}" "$jobscript")
rm -f "$jobscript"
job=$id
[[ -z $stopped ]] || scancel "$job"

# The controller is everybody's: it is asked seldom, and at once when the output is there.
pause_s=1 next_s=0
for ((second = 0; ; second++)); do
    if ((second >= next_s)) || [[ -e $output ]]; then
        status=$("$here"/status.sh "$job")
        [[ $status == running ]] || break
        pause_s=$((pause_s * 2 < longest_pause_s ? pause_s * 2 : longest_pause_s))
        next_s=$((second + pause_s))
    fi
    # In the background, for a signal is heard when the shell waits, and not while a program runs.
    sleep 1 &
    wait $! || true
done
[[ $status == success ]] || exit 1
# Another node has written it.
for ((second = 0; second < longest_wait_for_output_s; second++)); do
    [[ ! -e $output ]] || exit 0
    sleep 1
done
echo "Slurm job $job has ended well, and $output is not to be seen here." >&2
exit 1

#!/usr/bin/env bash
# A real Slurm on this one machine, for tests: no systemd, no cgroups, no accounting database.
#
#   one_node_slurm.sh install   install Debian's Slurm and munge packages where they are missing
#   one_node_slurm.sh start     start the cluster, or what is missing of it; prints the path of slurm.conf
#   one_node_slurm.sh stop      stop what this script started, and nothing else
#   one_node_slurm.sh status    say which daemons run, and what Slurm says of its node; exit code 1 unless all is up
#
# Settings, from the environment:
#   SLURM_TEST_FOLDER   everything the cluster writes (default: daydreaming-slurm in TMPDIR or /tmp)
#   SLURM_TEST_CPUS     CPUs that the node claims to have, whatever the machine has (default: 8)
#   SLURM_TEST_MEMORY   memory of the node in MB (default: 8000)
#
# All of it needs root: slurmd starts jobs as the user who submitted them, and munged must own its key.
set -euo pipefail

readonly FOLDER=${SLURM_TEST_FOLDER:-${TMPDIR:-/tmp}/daydreaming-slurm}
readonly CPUS=${SLURM_TEST_CPUS:-8}
readonly MEMORY=${SLURM_TEST_MEMORY:-8000}
readonly CONFIGURATION=$FOLDER/slurm.conf
# The plugins and their inner commands do not all pass SLURM_CONF on: Slurm must find its settings in the usual place too.
readonly SYSTEM_CONFIGURATION=/etc/slurm/slurm.conf
readonly MUNGE_FOLDER=$FOLDER/munge
readonly MUNGE_SOCKET=$MUNGE_FOLDER/socket
readonly PACKAGES=(slurmctld slurmd slurm-client munge)
readonly PROGRAMS=(slurmctld slurmd sbatch squeue scontrol munged)
# In the order of starting; each writes <name>.pid below its folder.
readonly PID_FILES=("$MUNGE_FOLDER/munged.pid" "$FOLDER/run/slurmctld.pid" "$FOLDER/run/slurmd.pid")

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$1" >&2
    exit 1
}

require_root() {
    [[ $EUID -eq 0 ]] || fail "the one-node Slurm must be started as root (this is user $(id -un)). \
Run it in a container, or with sudo. Nothing was changed."
}

require_programs() {
    local program
    for program in "${PROGRAMS[@]}"; do
        command -v "$program" >/dev/null || fail "$program is not installed. Run: $0 install"
    done
}

# The first line of the pid file names a process that runs. A zombie (nobody reaps it in a container) does not count.
is_running() {
    local pid_file=$1 pid
    [[ -s $pid_file ]] || return 1
    read -r pid <"$pid_file"
    [[ -r /proc/$pid/stat ]] && ! grep -q '^State:[[:space:]]*Z' "/proc/$pid/status" 2>/dev/null
}

# wait_until SECONDS WHAT COMMAND...: repeat the command until it succeeds.
wait_until() {
    local seconds=$1 what=$2 attempt
    shift 2
    for ((attempt = 0; attempt < seconds * 10; attempt++)); do
        "$@" >/dev/null 2>&1 && return 0
        sleep 0.1
    done
    fail "$what did not come up within $seconds seconds. The logs are in $FOLDER/log and $MUNGE_FOLDER/private."
}

node_is_usable() {
    sinfo --noheader --format=%T | grep -qE '^(idle|mixed|allocated)'
}

write_configuration() {
    local host
    host=$(hostname -s)
    cat >"$CONFIGURATION" <<CONF
# Written by tests/cluster/one_node_slurm.sh at every start.
ClusterName=daydreaming
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
SlurmdUser=root

AuthType=auth/munge
AuthInfo=socket=$MUNGE_SOCKET
CredType=cred/munge

SlurmctldPidFile=$FOLDER/run/slurmctld.pid
SlurmdPidFile=$FOLDER/run/slurmd.pid
SlurmctldLogFile=$FOLDER/log/slurmctld.log
SlurmdLogFile=$FOLDER/log/slurmd.log
StateSaveLocation=$FOLDER/state
SlurmdSpoolDir=$FOLDER/spool

# Neither cgroups nor systemd: processes are found through /proc, and limits on memory are bookkeeping only.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none

# The node may claim more CPUs than the machine has, so that several jobs run at once on a small machine.
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=100
# Refuse a job that can never run, instead of letting it wait for ever.
EnforcePartLimits=ALL

# Start jobs at once, notice a dead node in seconds, and bring a node back that answers again.
SchedulerParameters=sched_interval=1,bf_interval=2,batch_sched_delay=0
SlurmdTimeout=10
ReturnToService=2
KillWait=2
OverTimeLimit=0
# Finished jobs stay visible for this many seconds: without a database this is all that status scripts have.
MinJobAge=300

NodeName=$host NodeAddr=127.0.0.1 CPUs=$CPUS RealMemory=$MEMORY State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=1-00:00:00 DefaultTime=00:10:00 State=UP
CONF
}

link_configuration() {
    mkdir -p "$(dirname "$SYSTEM_CONFIGURATION")"
    if [[ -e $SYSTEM_CONFIGURATION && ! -L $SYSTEM_CONFIGURATION ]]; then
        fail "$SYSTEM_CONFIGURATION is a file of its own: this machine belongs to another Slurm. Nothing was started."
    fi
    ln -sfn "$CONFIGURATION" "$SYSTEM_CONFIGURATION"
}

start_munge() {
    is_running "$MUNGE_FOLDER/munged.pid" && return
    install -d -m 0755 -o munge -g munge "$MUNGE_FOLDER"
    install -d -m 0700 -o munge -g munge "$MUNGE_FOLDER/private"
    if [[ ! -s $MUNGE_FOLDER/private/key ]]; then
        head -c 128 /dev/urandom | install -m 0400 -o munge -g munge /dev/stdin "$MUNGE_FOLDER/private/key"
    fi
    # --force: a temporary folder that others may write to is an error for munged otherwise.
    setpriv --reuid=munge --regid=munge --clear-groups munged --force \
        --socket="$MUNGE_SOCKET" --key-file="$MUNGE_FOLDER/private/key" --pid-file="$MUNGE_FOLDER/munged.pid" \
        --log-file="$MUNGE_FOLDER/private/munged.log" --seed-file="$MUNGE_FOLDER/private/seed"
    wait_until 10 munged test -S "$MUNGE_SOCKET"
}

install_packages() {
    require_root
    local package missing=()
    for package in "${PACKAGES[@]}"; do
        dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    if ((${#missing[@]} == 0)); then
        echo "installed already: ${PACKAGES[*]}"
        return
    fi
    command -v apt-get >/dev/null || fail "no apt-get here. Install Slurm's slurmctld, slurmd, client programs and munge by hand."
    export DEBIAN_FRONTEND=noninteractive
    apt-get update --quiet
    apt-get install --yes --quiet --no-install-recommends "${missing[@]}"
}

start_cluster() {
    require_root
    require_programs
    mkdir -p "$FOLDER"/{run,log,state,spool}
    chmod 755 "$FOLDER" "$FOLDER"/{run,log,state,spool}
    link_configuration
    write_configuration
    export SLURM_CONF=$CONFIGURATION
    start_munge
    if ! is_running "$FOLDER/run/slurmctld.pid"; then
        slurmctld
        wait_until 20 slurmctld scontrol ping
    fi
    is_running "$FOLDER/run/slurmd.pid" || slurmd
    # What a test did to the node is remembered over restarts; the node refuses this where it is well.
    scontrol update nodename="$(hostname -s)" state=resume 2>/dev/null || true
    wait_until 20 "the node" node_is_usable
    echo "$CONFIGURATION"
}

stop_process() {
    local pid_file=$1 name pid attempt
    name=$(basename "$pid_file" .pid)
    is_running "$pid_file" || { rm -f "$pid_file"; return; }
    read -r pid <"$pid_file"
    kill "$pid"
    for ((attempt = 0; attempt < 100; attempt++)); do
        is_running "$pid_file" || break
        sleep 0.1
    done
    if is_running "$pid_file"; then
        echo "$name ($pid) does not stop, so it is killed" >&2
        kill -KILL "$pid"
    fi
    rm -f "$pid_file"
    echo "stopped $name"
}

stop_cluster() {
    require_root
    # Jobs first: slurmd leaves the processes of its jobs alone when it stops.
    if is_running "$FOLDER/run/slurmctld.pid" && is_running "$FOLDER/run/slurmd.pid"; then
        export SLURM_CONF=$CONFIGURATION
        timeout 20 scancel --user="$(id -un)" || true
        timeout 20 bash -c 'while [[ -n $(squeue --noheader) ]]; do sleep 0.2; done' || true
    fi
    local index
    for ((index = ${#PID_FILES[@]} - 1; index >= 0; index--)); do
        stop_process "${PID_FILES[$index]}"
    done
    if [[ $(readlink "$SYSTEM_CONFIGURATION" || true) == "$CONFIGURATION" ]]; then
        rm -f "$SYSTEM_CONFIGURATION"
    fi
}

show_status() {
    local pid_file up=0
    for pid_file in "${PID_FILES[@]}"; do
        if is_running "$pid_file"; then
            echo "$(basename "$pid_file" .pid): runs"
        else
            echo "$(basename "$pid_file" .pid): does not run"
            up=1
        fi
    done
    ((up == 0)) || return 1
    export SLURM_CONF=$CONFIGURATION
    sinfo && squeue
}

case ${1:-} in
install) install_packages ;;
start) start_cluster ;;
stop) stop_cluster ;;
status) show_status ;;
*)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2
    exit 2
    ;;
esac

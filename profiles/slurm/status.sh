#!/usr/bin/env bash
# status.sh JOB: running, success or failed. It never fails itself, for Snakemake would give up the whole run.
case $("$(dirname "$0")/state.sh" "$1") in
COMPLETED) echo success ;;
BOOT_FAIL | CANCELLED | DEADLINE | FAILED | FORGOTTEN | NODE_FAIL | OUT_OF_MEMORY | PREEMPTED | REVOKED | TIMEOUT) echo failed ;;
*) echo running ;;
esac

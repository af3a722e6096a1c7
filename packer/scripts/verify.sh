#!/usr/bin/env bash
# Runs last: checks the finished image, and prints everything that is wrong. Exit codes: 0 no failure; 1 failures.
# shellcheck disable=SC2329 # the functions are called by `check`
set -euo pipefail
shopt -s nullglob dotglob

readonly TOOL=/usr/local/sbin/gen-infra-scratch # sudo's path may lack its folder

failures=0

check() {
  local what=$1
  shift
  if "$@" >/dev/null 2>&1; then
    printf 'ok      %s\n' "$what"
  else
    printf 'FAILED  %s\n' "$what" >&2
    failures=$((failures + 1))
  fi
}

absent() {
  local path
  for path in "$@"; do
    [[ ! -e $path && ! -L $path ]] || return 1
  done
}

all_installed() {
  local tool
  for tool in "$@"; do
    command -v "$tool" || return 1
  done
}

one_fstab_line() {
  [[ $(awk -v mount="$SCRATCH_MOUNT" '$2 == mount' /etc/fstab) == "$("$TOOL" fstab)" ]]
}

bare_and_immutable() {
  local attributes
  read -r attributes _ < <(lsattr -d "$1")
  [[ $attributes == *i* && $(stat --format=%a "$1") == 555 ]] && ! mountpoint --quiet "$1"
}

guards_scratch() {
  grep -qxF "RequiresMountsFor=$SCRATCH_MOUNT" "$1" && grep -qxF "AssertPathIsMountPoint=$SCRATCH_MOUNT" "$1"
}

all_behind_ours() {
  local runtime
  for runtime in "$1"/*; do
    [[ ! -x $runtime ]] || grep -q '^exec /usr/local/sbin/gen-infra-scratch-runtime ' "$runtime" || return 1
  done
}

is_set() {
  [[ $(grep -c "^$1=" /etc/ecs/ecs.config) == 1 ]]
}

all_as_asked() {
  local option
  for option in "${!ECS_@}"; do
    is_set "$option" && grep -qxF "$option=${!option}" /etc/ecs/ecs.config || return 1
  done
}

# Runs the AWS CLI where there is nothing else: no shell, no C library.
runs_alone() {
  local root call
  root=$(mktemp -d)
  mkdir -p "$root/dev" "$root$1"
  call=$(sed -n 's/^exec \(.*\) "$@"$/\1/p' "$1/bin/aws")
  # shellcheck disable=SC2016 # the other bash expands its own parameters
  OPENSSL_MODULES=$1/lib/ossl-modules unshare --mount bash -euc '
    mount --bind /dev "$2/dev"
    mount --bind "$1" "$2$1"
    chroot "$2" '"$call"' --version
  ' bash "$1" "$root" && rm -rf "$root"
}

stopped() {
  [[ ! -d /run/systemd/system ]] || ! systemctl is-active --quiet "$1"
}

# shellcheck source=/dev/null
. /etc/gen-infra/scratch.conf

check 'scratch settings are valid' "$TOOL" fstab
check 'fstab has the scratch line, once' one_fstab_line
check 'the bare mount point accepts no files' bare_and_immutable "$SCRATCH_MOUNT"
check 'ecs needs scratch' guards_scratch /etc/systemd/system/ecs.service.d/scratch.conf
check 'each job has its own scratch directory' jq --exit-status '."default-runtime" == "gen-infra"' /etc/docker/daemon.json
check 'each job has it with every runtime' all_behind_ours /etc/docker-runtimes.d
check 'tools to find disks are installed' all_installed blkid ebsnvme-id findmnt nvme wipefs
check 'tools to make file systems are installed' all_installed "mkfs.$SCRATCH_FILESYSTEM"
check 'the janitor is enabled' systemctl is-enabled gen-infra-scratch-janitor.timer
if [[ $SCRATCH_CARRIER == instance_store ]]; then
  check 'tools to make arrays are installed' all_installed mdadm
fi
if [[ $SCRATCH_CARRIER == baked ]]; then
  check 'the scratch disk is formatted' "$TOOL" check
fi

if [[ -n ${AWS_CLI_FOLDER:-} ]]; then
  check 'the AWS CLI runs' "$AWS_CLI_FOLDER/bin/aws" --version
  check 'the AWS CLI needs nothing of a container' runs_alone "$AWS_CLI_FOLDER"
fi

check 'ecs starts at boot' systemctl is-enabled ecs.service
check 'ecs is stopped' stopped ecs.service
check 'ecs has no state' absent /var/lib/ecs/data/*
check 'the ECS agent has its settings' all_as_asked
check 'Spot hosts drain' is_set ECS_ENABLE_SPOT_INSTANCE_DRAINING
check 'log drivers are named' is_set ECS_AVAILABLE_LOGGING_DRIVERS

check 'no machine id' test -e /etc/machine-id -a ! -s /etc/machine-id
check 'no cloud-init state' absent /var/lib/cloud/*
check 'no ssh host keys' absent /etc/ssh/ssh_host_*
check 'no authorized keys' absent ~root/.ssh/authorized_keys /home/*/.ssh/authorized_keys
check 'no history' absent ~root/.bash_history /home/*/.bash_history
check 'no package cache' absent /var/cache/dnf/*

exit $((failures > 0))

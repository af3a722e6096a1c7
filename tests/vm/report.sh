#!/usr/bin/env bash
# Waits in the virtual machine until it is up: then says on the serial console how, one NAME=VALUE
# each, and switches it off.
set -uo pipefail

# shellcheck source=/dev/null
. /etc/gen-infra/scratch.conf
mount=$(systemd-escape --path --suffix=mount "$SCRATCH_MOUNT")

shown() {
  systemctl show --property "$1" --value "$2"
}

report() {
  printf 'REPORT %s=%s\n' "$1" "$2"
}

# systemd tries a mount that failed again, so that no job is left only a little after the boot.
wait_until_idle() {
  systemctl is-system-running --wait
  while [[ -n $(systemctl list-jobs --no-legend) ]]; do sleep 1; done
}

# What runc makes of a job definition: Docker's part in it is only to call the runtime and to name the container.
make_bundle() {
  mkdir -p /run/job/rootfs
  cd /run/job || return
  mount --bind / rootfs
  runc spec
  jq --arg disk "$SCRATCH_MOUNT" '.process.terminal = false | .process.user = {uid: 1000, gid: 1000}
    | .process.args = ["sh", "-c", "ls -A /mnt; echo mine >/mnt/mine && cat /mnt/mine"]
    | .mounts += [{destination: "/mnt", type: "bind", source: $disk, options: ["rbind", "rw"]}]' \
    config.json >/run/job.json
}

# What a job finds on its scratch, and what it reads of what it wrote there.
job() {
  cp /run/job.json config.json
  /etc/docker-runtimes.d/gen-infra run "$1" </dev/null 2>&1 | paste --serial --delimiters=' '
}

run_jobs() {
  local first second
  first=$(printf 'a%.0s' {1..64})
  second=$(printf 'b%.0s' {1..64})
  make_bundle
  report job "$(job "$first")"
  report job_after_it "$(job "$second")"
  report job_kept "$(cat "$SCRATCH_MOUNT/$first/mine")"
  /etc/docker-runtimes.d/gen-infra delete --force "$first"
  while [[ -e $SCRATCH_MOUNT/$first ]]; do sleep 0.1; done
  report job_left "$(cat "$SCRATCH_MOUNT"/*/mine | wc -l)"
}

wait_until_idle >/dev/null
{
  report system "$(systemctl is-system-running)"
  report failed "$(systemctl list-units --failed --plain --no-legend | awk '{ print $1 }' | paste --serial --delimiters=' ')"
  report prepare "$(shown ExecMainStatus gen-infra-scratch.service)"
  report mount "$(systemctl is-active "$mount")"
  report mount_since "$(shown ActiveEnterTimestampMonotonic "$mount")"
  report ecs "$(systemctl is-active ecs.service)"
  report ecs_since "$(shown ExecMainStartTimestampMonotonic ecs.service)"
  report started "$(test -e /run/ecs-agent-started && echo yes)"
  report mode "$(stat --format=%a "$SCRATCH_MOUNT")"
  report mib "$(($(stat --file-system --format='%b*%S' "$SCRATCH_MOUNT") >> 20))"
  report kept "$(cat "$SCRATCH_MOUNT/kept" 2>/dev/null)"
  report written "$(echo reads 2>/dev/null >"$SCRATCH_MOUNT/kept" && echo yes)"
  report janitor "$(systemctl is-active gen-infra-scratch-janitor.timer)"
  ! mountpoint --quiet "$SCRATCH_MOUNT" || run_jobs
} >/dev/ttyS0 2>&1
systemctl poweroff

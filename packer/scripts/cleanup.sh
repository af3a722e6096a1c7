#!/usr/bin/env bash
# Runs before verify.sh: removes the builder instance's state, so that each host from the image starts as a new one.
set -euo pipefail
shopt -s nullglob dotglob

stop_ecs() {
  [[ ! -d /run/systemd/system ]] || systemctl stop ecs.service
  rm -rf /var/lib/ecs/data/* /var/log/ecs/*
}

forget_identity() {
  rm -rf /var/lib/cloud/* /var/lib/systemd/random-seed /var/lib/dbus/machine-id
  : >/etc/machine-id
  rm -f /etc/ssh/ssh_host_*
}

forget_users() {
  local home
  for home in ~root /home/*; do
    rm -f "$home"/.ssh/authorized_keys "$home"/.bash_history "$home"/.lesshst "$home"/.viminfo
  done
}

empty_caches_and_logs() {
  dnf clean all
  rm -rf /var/cache/dnf/* /var/log/journal/* /var/log/amazon/ssm/*
  find /var/log -xdev -type f -exec truncate --size=0 {} +
  find /tmp /var/tmp -xdev -mindepth 1 -delete
}

stop_ecs
forget_identity
forget_users
empty_caches_and_logs
sync

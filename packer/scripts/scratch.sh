#!/usr/bin/env bash
# Installs the tools and units that prepare and mount the scratch disk at boot, keep the ECS agent from starting without
# it, and give each job its own directory on it.
#
# Environment: FILES (the uploaded folder), SCRATCH_CARRIER, SCRATCH_FILESYSTEM, SCRATCH_MOUNT.
# The installed gen-infra-scratch validates these three before anything else uses them. May run more than once.
set -euo pipefail
umask 022

readonly TOOL=/usr/local/sbin/gen-infra-scratch # sudo's path may lack its folder
readonly RUNTIMES=/etc/docker-runtimes.d BEHIND=/etc/gen-infra/runtimes

: "${FILES:?}" "${SCRATCH_CARRIER:?}" "${SCRATCH_FILESYSTEM:?}" "${SCRATCH_MOUNT:?}"

install_packages() {
  local packages=(amazon-ec2-utils jq nvme-cli util-linux)
  case $SCRATCH_FILESYSTEM in
    xfs) packages+=(xfsprogs) ;;
    ext4) packages+=(e2fsprogs) ;;
  esac
  [[ $SCRATCH_CARRIER != instance_store ]] || packages+=(mdadm)
  dnf --assumeyes install "${packages[@]}"
}

install_files() {
  install -D --mode=0755 --target-directory=/usr/local/sbin "$FILES"/gen-infra-scratch{,-janitor,-runtime}
  install -D --mode=0644 --target-directory=/etc/systemd/system "$FILES"/*.service "$FILES"/*.timer
}

# A job may run for 14 days at most, so with 15 days the janitor never removes a running job's directory.
write_settings() {
  install -d /etc/gen-infra
  printf '%s=%q\n' \
    SCRATCH_CARRIER "$SCRATCH_CARRIER" \
    SCRATCH_FILESYSTEM "$SCRATCH_FILESYSTEM" \
    SCRATCH_MOUNT "$SCRATCH_MOUNT" \
    SCRATCH_WAIT_SECONDS 60 \
    SCRATCH_MAX_AGE_HOURS 360 >/etc/gen-infra/scratch.conf
}

# The mount point itself is read-only and immutable, so that jobs cannot fill the root disk when nothing is mounted.
make_mount_point() {
  mkdir --parents "$SCRATCH_MOUNT"
  if mountpoint --quiet "$SCRATCH_MOUNT" || [[ -n $(find "$SCRATCH_MOUNT" -mindepth 1 -print -quit) ]]; then
    echo "$SCRATCH_MOUNT: in use on the base image" >&2
    exit 1
  fi
  chattr -i "$SCRATCH_MOUNT"
  chmod 0555 "$SCRATCH_MOUNT"
  chattr +i "$SCRATCH_MOUNT"
}

write_fstab() {
  local line
  line=$("$TOOL" fstab)
  awk -v mount="$SCRATCH_MOUNT" '$2 != mount' /etc/fstab >/etc/fstab.new
  printf '%s\n' "$line" >>/etc/fstab.new
  mv /etc/fstab.new /etc/fstab
}

write_ecs_drop_in() {
  install -d /etc/systemd/system/ecs.service.d
  sed "s|@MOUNT@|$SCRATCH_MOUNT|" "$FILES/ecs-scratch.conf" >/etc/systemd/system/ecs.service.d/scratch.conf
}

# Amazon Linux gives Docker each executable in its folder of runtimes; our runtime calls the existing ones (nvidia).
write_runtimes() {
  local runtime
  install -d "$RUNTIMES" "$BEHIND"
  for runtime in "$RUNTIMES"/*; do
    [[ ! -x $runtime || $runtime == */gen-infra || -e $BEHIND/${runtime##*/} ]] || mv "$runtime" "$BEHIND"
  done
  write_runtime gen-infra runc
  for runtime in "$BEHIND"/*; do
    [[ ! -x $runtime ]] || write_runtime "${runtime##*/}" "$runtime"
  done
}

write_runtime() {
  printf '#!/bin/sh\nexec /usr/local/sbin/gen-infra-scratch-runtime %s "$@"\n' "$2" >"$RUNTIMES/$1"
  chmod 0755 "$RUNTIMES/$1"
}

choose_runtime() {
  local settings=/etc/docker/daemon.json
  install -d /etc/docker
  [[ -s $settings ]] || echo '{}' >"$settings"
  jq '."default-runtime" = "gen-infra"' "$settings" >"$settings.new"
  mv "$settings.new" "$settings"
}

enable_units() {
  systemctl enable gen-infra-scratch-janitor.timer
  if [[ -d /run/systemd/system ]]; then
    systemctl daemon-reload
    systemctl restart docker.service # if Docker does not accept the runtime, the build fails and not a host
  fi
}

install_files
write_settings
"$TOOL" fstab >/dev/null # validates the settings
install_packages
make_mount_point
write_fstab
write_ecs_drop_in
write_runtimes
choose_runtime
enable_units
[[ $SCRATCH_CARRIER != baked ]] || "$TOOL" prepare

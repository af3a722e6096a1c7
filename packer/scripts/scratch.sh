#!/usr/bin/env bash
# Installs what prepares and mounts the scratch disk at boot, and what keeps the ECS agent from starting without it.
#
# Environment: FILES (the uploaded folder), SCRATCH_CARRIER, SCRATCH_FILESYSTEM, SCRATCH_MOUNT.
# The installed gen-infra-scratch validates these three before anything else uses them. May run more than once.
set -euo pipefail
umask 022

readonly TOOL=/usr/local/sbin/gen-infra-scratch # sudo's path may lack its folder

: "${FILES:?}" "${SCRATCH_CARRIER:?}" "${SCRATCH_FILESYSTEM:?}" "${SCRATCH_MOUNT:?}"

install_packages() {
  local packages=(amazon-ec2-utils nvme-cli util-linux)
  case $SCRATCH_FILESYSTEM in
    xfs) packages+=(xfsprogs) ;;
    ext4) packages+=(e2fsprogs) ;;
  esac
  [[ $SCRATCH_CARRIER != instance_store ]] || packages+=(mdadm)
  dnf --assumeyes install "${packages[@]}"
}

install_files() {
  install -D --mode=0755 --target-directory=/usr/local/sbin "$FILES"/gen-infra-scratch "$FILES"/gen-infra-scratch-janitor
  install -D --mode=0644 --target-directory=/etc/systemd/system "$FILES"/*.service "$FILES"/*.timer
}

# 15 days are more than the 14 that a job may run at most, so the janitor never touches a running job's directory.
write_settings() {
  install -d /etc/gen-infra
  printf '%s=%q\n' \
    SCRATCH_CARRIER "$SCRATCH_CARRIER" \
    SCRATCH_FILESYSTEM "$SCRATCH_FILESYSTEM" \
    SCRATCH_MOUNT "$SCRATCH_MOUNT" \
    SCRATCH_WAIT_SECONDS 60 \
    SCRATCH_MAX_AGE_HOURS 360 >/etc/gen-infra/scratch.conf
}

# Bare, it is read-only and immutable: without a mount nothing fills the root disk.
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

enable_units() {
  systemctl enable gen-infra-scratch-janitor.timer
  [[ ! -d /run/systemd/system ]] || systemctl daemon-reload
}

install_files
write_settings
"$TOOL" fstab >/dev/null # validates the settings
install_packages
make_mount_point
write_fstab
write_ecs_drop_in
enable_units
[[ $SCRATCH_CARRIER != baked ]] || "$TOOL" prepare

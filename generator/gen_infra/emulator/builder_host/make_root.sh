#!/usr/bin/env bash
# Create the builder host's root file system in an empty folder: Debian, with the programs that the image's scripts use on
# the ECS-optimized Amazon Linux 2023. dnf and the ECS agent are stubs: one records its arguments, the other only starts.
#
#   make_root.sh ROOT
set -euo pipefail

readonly ROOT=${1:?}
readonly PACKAGES=(
  amazon-ec2-utils e2fsprogs jq mdadm nvme-cli openssh-server runc sudo systemd systemd-sysv udev xfsprogs
)

inside() {
  chroot "$ROOT" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

add_user() {
  inside useradd --create-home --shell /bin/bash --password '*' ec2-user # sshd refuses users with a locked password
  echo 'ec2-user ALL=(ALL) NOPASSWD:ALL' >"$ROOT/etc/sudoers.d/ec2-user"
  install -d -m 0700 "$ROOT/home/ec2-user/.ssh"
  inside chown ec2-user: /home/ec2-user/.ssh
}

add_dnf() {
  cat >"$ROOT/usr/bin/dnf" <<'END'
#!/bin/sh
echo "$*" >>/var/lib/dnf.calls
END
  chmod +x "$ROOT/usr/bin/dnf"
}

add_ecs() {
  install -d "$ROOT/var/lib/ecs/data"
  cat >"$ROOT/etc/systemd/system/ecs.service" <<'END'
[Unit]
Description=Amazon Elastic Container Service - container agent

[Service]
ExecStart=/usr/bin/touch /run/ecs-agent-started
RemainAfterExit=yes

[Install]
WantedBy=multi-user.target
END
  inside systemctl --quiet enable ecs.service
}

debootstrap --variant=minbase --include="$(
  IFS=,
  echo "${PACKAGES[*]}"
)" bookworm "$ROOT"
rm -rf "$ROOT"/var/cache/apt/archives/*.deb "$ROOT"/var/lib/apt/lists/* "$ROOT"/usr/share/{doc,locale,man}/*
echo 'UUID=0 / xfs defaults 0 1' >"$ROOT/etc/fstab"
add_user
add_dnf
add_ecs

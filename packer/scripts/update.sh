#!/usr/bin/env bash
# First: the base image's own first boot is over, its ECS agent is stopped, and its packages are up to date.
set -euo pipefail

if command -v cloud-init >/dev/null; then
  cloud-init status --wait || echo "cloud-init ended with warnings"
fi
if [[ -d /run/systemd/system ]]; then
  systemctl stop ecs.service
fi
dnf --assumeyes --releasever=latest upgrade

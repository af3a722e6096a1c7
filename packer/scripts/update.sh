#!/usr/bin/env bash
# Runs first: waits for the end of the base image's first boot, stops its ECS agent and updates its packages.
set -euo pipefail

if command -v cloud-init >/dev/null; then
  cloud-init status --wait || echo "cloud-init ended with warnings"
fi
if [[ -d /run/systemd/system ]]; then
  systemctl stop ecs.service
fi
dnf --assumeyes --releasever=latest upgrade

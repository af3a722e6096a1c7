#!/usr/bin/env bash
# Writes the ECS agent's settings for Batch hosts; Batch adds the cluster's name at boot.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-agent-config.html
#
# Environment: ECS_… (each is an option of the agent).
set -euo pipefail

readonly CONFIG=/etc/ecs/ecs.config

set_option() {
  sed -i "/^$1=/d" "$CONFIG"
  printf '%s=%s\n' "$1" "$2" >>"$CONFIG"
}

install -d /etc/ecs
touch "$CONFIG"
set_option ECS_AVAILABLE_LOGGING_DRIVERS '["json-file","awslogs"]'
set_option ECS_ENABLE_SPOT_INSTANCE_DRAINING true # two minutes' notice: the agent takes no new job
for option in "${!ECS_@}"; do
  set_option "$option" "${!option}"
done

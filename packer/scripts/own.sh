#!/usr/bin/env bash
# Runs the scripts that the manifest lists in image.scripts, in their order; the first that fails ends the build.
#
# Environment: OWN_SCRIPTS (their folder), and what the image's own scripts have.
set -euo pipefail

for script in "${OWN_SCRIPTS:?}"/*.sh; do
  echo "running ${script##*/}"
  bash "$script"
done

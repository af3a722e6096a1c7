#!/usr/bin/env bash
# Installs the Lustre client, with which hosts mount FSx for Lustre file systems.
# https://docs.aws.amazon.com/fsx/latest/LustreGuide/install-lustre-client.html
set -euo pipefail

dnf --assumeyes install lustre-client
command -v mount.lustre >/dev/null

#!/usr/bin/env bash
# Prepares hosts for reference data on NFS: the client, and the folder to mount it at.
set -euo pipefail

dnf --assumeyes install nfs-utils
install -d /srv/reference

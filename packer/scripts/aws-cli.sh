#!/usr/bin/env bash
# Installs Amazon Linux's package of the AWS CLI 2, and copies it into a folder that containers mount, with its Python and
# libraries: it runs in containers with any C library.
#
# Environment: AWS_CLI_FOLDER, FILES.
set -euo pipefail
umask 022

: "${AWS_CLI_FOLDER:?}" "${FILES:?}"
readonly CLI=/usr/bin/aws

dnf --assumeyes install awscli-2
read -r python _ < <(sed -n '1s/^#! *//p' "$CLI")
"$python" -I "$FILES/bundle-aws-cli.py" "$CLI" "$AWS_CLI_FOLDER"

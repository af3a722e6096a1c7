#!/usr/bin/env bash
# Installs the newest AWS CLI 2 in a folder of its own, which containers can mount: it needs nothing outside of it.
# https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html
#
# Environment: AWS_CLI_FOLDER.
set -euo pipefail
umask 022

: "${AWS_CLI_FOLDER:?}"

architecture=$(uname -m)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

dnf --assumeyes install unzip
curl --fail --silent --show-error --location --proto =https --retry 5 --output "$work/aws-cli.zip" \
  "https://awscli.amazonaws.com/awscli-exe-linux-$architecture.zip"
unzip -q "$work/aws-cli.zip" -d "$work"
"$work/aws/install" --update --install-dir "$AWS_CLI_FOLDER" --bin-dir "$AWS_CLI_FOLDER/bin"

#!/usr/bin/env bash
# Installs packer, and the Session Manager plugin through which packer reaches the builder, into the folder that is named,
# and packer's Amazon plugin where packer looks for it. Nothing is installed or run before it is verified.
set -euo pipefail

target=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# https://releases.hashicorp.com/packer/
packer_version=1.13.1
packer_sha256=c3401da41a47d51e2ef3e78a76f625c753b6f19e81681e4cdc3bc6e6f8c699c0
packer=https://releases.hashicorp.com/packer/$packer_version/packer_${packer_version}_linux_amd64.zip

# The version of plugins.pkr.hcl, which `packer init` then finds. The checksum is of the program in the archive, as packer
# notes it beside each plugin that it installs.
amazon_version=1.8.1
amazon_sha256=13b0662a04fddb0c2e04252be8b6b64812c28ce33fe8cc9d6243518aae0bff17
amazon=https://releases.hashicorp.com/packer-plugin-amazon/$amazon_version/packer-plugin-amazon_${amazon_version}_linux_amd64.zip

# AWS publishes no checksums, it signs; session-manager-plugin.gpg is the key, 7959637124CE093AD501D47A2C4D4AFF6F6757EE:
# https://docs.aws.amazon.com/systems-manager/latest/userguide/install-plugin-linux-verify-signature.html
plugin=https://s3.amazonaws.com/session-manager-downloads/plugin/latest/ubuntu_64bit/session-manager-plugin.deb

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export GNUPGHOME=$scratch/gnupg # with that key and no other
mkdir -m 0700 "$GNUPGHOME"
cd "$scratch"

fetch() {
  curl --fail --silent --show-error --location --retry 3 --output "$1" "$2"
}

fetch packer.zip "$packer"
printf '%s  packer.zip\n' "$packer_sha256" | sha256sum --check --strict --quiet
unzip -q packer.zip packer
install -m 0755 packer "$target/packer"

fetch amazon.zip "$amazon"
amazon_program=packer-plugin-amazon_v${amazon_version}_x5.0_linux_amd64
unzip -q amazon.zip "$amazon_program"
printf '%s  %s\n' "$amazon_sha256" "$amazon_program" | sha256sum --check --strict --quiet
chmod 0755 "$amazon_program"
"$target/packer" plugins install --path "$amazon_program" github.com/hashicorp/amazon >/dev/null

fetch plugin.deb "$plugin"
fetch plugin.deb.sig "$plugin.sig"
gpg --batch --quiet --import "$here/session-manager-plugin.gpg"
gpg --batch --quiet --verify plugin.deb.sig plugin.deb
ar x plugin.deb
tar --extract --file data.tar.*
install -m 0755 usr/local/sessionmanagerplugin/bin/session-manager-plugin "$target/session-manager-plugin"

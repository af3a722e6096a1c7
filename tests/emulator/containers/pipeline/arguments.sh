# Read the arguments of a tool into variables: --reads s3://… becomes $reads. Then go to the working folder.
# shellcheck shell=bash
set -euo pipefail

while (($#)); do
  declare "${1#--}=${2:?}"
  shift 2
done
cd "${working_dir:?}"
if [[ -n $(ls -A) ]]; then
  echo "$working_dir is not empty" >&2
  exit 1
fi

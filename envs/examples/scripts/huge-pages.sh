#!/usr/bin/env bash
# Reserves huge pages, which libfabric's EFA provider uses.
set -euo pipefail

sysctl --write vm.nr_hugepages=5128

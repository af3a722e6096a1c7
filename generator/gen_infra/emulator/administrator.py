"""The credentials of the emulated account's administrator, who may do everything."""

from __future__ import annotations

ACCESS_KEY = "testing"
CREDENTIALS = (ACCESS_KEY, "testing")  # access key id, secret access key

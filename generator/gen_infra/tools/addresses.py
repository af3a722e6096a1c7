"""Terraform's addresses, such as ``module.network.aws_subnet.private["us-east-1a"]``."""

from __future__ import annotations

import re

_INDEX = re.compile(r'\[(?:\d+|"(?:[^"\\]|\\.)*")\]', re.ASCII)


def bare(address: str) -> str:
    """Remove the indexes from an address: ``module.m[0].t.n["a"]`` becomes ``module.m.t.n``."""
    return _INDEX.sub("", address)

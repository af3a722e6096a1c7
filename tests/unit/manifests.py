"""The smallest manifest that is accepted, and a way to write variations of it."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import yaml

from gen_infra.manifest import Manifest, load

if TYPE_CHECKING:
    from pathlib import Path

SMALLEST: dict[str, Any] = {
    "name": "test",
    "account": "123456789012",
    "region": "us-east-1",
    "state": "local",
    "network": {"ids": {"subnets": ["subnet-0123456789abcdef0"], "security_groups": ["sg-0123456789abcdef0"]}},
    "compute": {"spot": {"max_vcpus": 64}},
    "queues": {"main": {"priority": 1, "compute": ["spot"]}},
}


def changed(**changes: Any) -> dict[str, Any]:
    """Return the smallest manifest with dotted keys (``__`` for a dot) set; None removes a key."""
    document: dict[str, Any] = json.loads(json.dumps(SMALLEST, sort_keys=True))  # tests name lines in this order
    for dotted, value in changes.items():
        *parents, last = dotted.split("__")
        place = document
        for key in parents:
            place = place.setdefault(key, {})
        if value is None:
            del place[last]
        else:
            place[last] = copy.deepcopy(value)  # a later key may change it
    return document


class _Dumper(yaml.CSafeDumper):
    """Writes a value that occurs twice twice: the reader refuses aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def write(folder: Path, document: dict[str, Any] | str, name: str = "test.yaml") -> Path:
    path = folder / name
    path.write_text(document if isinstance(document, str) else yaml.dump(document, Dumper=_Dumper, sort_keys=False))
    return path


def accept(folder: Path, **changes: Any) -> Manifest:
    return load(write(folder, changed(**changes)))

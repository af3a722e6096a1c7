"""The sizes of EC2's instance types, from a data file that ``make instance-data`` updates."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from gen_infra.manifest.model.base_images import Architecture

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DATA_FILE = Path(__file__).with_name("instances.json")

# https://docs.aws.amazon.com/batch/latest/userguide/instance-type-compute-table.html
_X86_64_FAMILIES = ("m6i", "c6i", "r6i", "c7i")
_ARM64_FAMILIES = ("m6g", "c6g", "r6g", "c7g")
BUNDLES: Mapping[str, tuple[str, ...]] = {
    "optimal": _X86_64_FAMILIES,
    "default_x86_64": _X86_64_FAMILIES,
    "default_arm64": _ARM64_FAMILIES,
}


class Size(NamedTuple):
    """One size of a family, as in the data file."""

    vcpus: int
    memory_mib: int
    gpus: int
    instance_store_gb: int
    efa_interfaces: int = 0  # the data file leaves out what most types do not have


class Family(msgspec.Struct, frozen=True):
    """An instance family: one architecture, several sizes."""

    architecture: Architecture
    sizes: dict[str, Size]


class Catalogue(msgspec.Struct, frozen=True):
    """The data file: the source and date of its figures, and the families that AWS Batch can start."""

    source: str
    date: str
    families: dict[str, Family]


class InstanceType(NamedTuple):
    """One instance type, with the figures that decide whether it can run a job."""

    name: str
    vcpus: int
    memory_mib: int
    gpus: int
    architecture: Architecture
    instance_store_gb: int
    efa_interfaces: int = 0

    @property
    def usable_mib(self) -> int:
        """Return the memory that jobs can use: the kernel and the platform need about 3 %, the ECS agent 32 MiB.

        https://docs.aws.amazon.com/batch/latest/userguide/memory-management.html
        """
        return self.memory_mib * 97 // 100 - 32


@cache
def catalogue() -> Catalogue:
    """Read the data file, when a rule first needs it."""
    return msgspec.json.decode(DATA_FILE.read_bytes(), type=Catalogue)


@cache
def named(word: str) -> tuple[InstanceType, ...]:
    """Return the types of one entry of ``instance_types``: a bundle, a family or one type; empty if unknown."""
    if word in BUNDLES:
        return tuple(instance for family in BUNDLES[word] for instance in named(family))
    family_name, _, only = word.partition(".")
    family = catalogue().families.get(family_name)
    if family is None:
        return ()
    return tuple(
        InstanceType(f"{family_name}.{name}", size.vcpus, size.memory_mib, size.gpus, family.architecture,
                     size.instance_store_gb, size.efa_interfaces)
        for name, size in family.sizes.items()
        if only in {"", name}
    )  # fmt: skip


def nearest(word: str) -> str:
    """Return the known family or type that is most similar to ``word``; empty if there is none."""
    import difflib

    family_name, dot, _ = word.partition(".")
    families = catalogue().families
    known: Iterable[str] = families
    if dot:
        meant = [family_name] if family_name in families else difflib.get_close_matches(family_name, families, n=3)
        known = (f"{family}.{size}" for family in meant for size in families[family].sizes)
    return next(iter(difflib.get_close_matches(word, known, n=1)), "")

"""The doctor on quotas: whether the account may have the vCPUs and volumes that the compute environments may need.

EC2 counts vCPUs by family and by On-Demand or Spot, for each region.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-on-demand-instances-limits.html
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-spot-limits.html
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gen_infra.doctor.account import check
from gen_infra.doctor.diagnosis import ok, warning, wrong

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gen_infra.aws.session import Clients
    from gen_infra.doctor.diagnosis import Diagnosis

_SUBJECT = "vCPU quotas"
_STORAGE_SUBJECT = "EBS quotas"
# https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html: TiB of all volumes of a type. Quotas of
# IOPS are of io1 (L-B3A130E6) and io2 (L-8D977E7E) alone, which no environment has: the IOPS and the throughput of gp3
# have none.
_STORAGE_CODES = {"gp2": "L-D18FCD1D", "gp3": "L-7A658B76"}
_GIB_IN_A_TIB = 1024
_CODES = {  # group of families -> quota of On-Demand, quota of Spot
    "Standard": ("L-1216C47A", "L-34B43A08"),
    "DL": ("L-6E869C2A", "L-85EED4F7"),
    "F": ("L-74FC7D96", "L-88CF9481"),
    "G and VT": ("L-DB2E81BA", "L-3819A6DF"),
    "Inf": ("L-1945791B", "L-B5D1601B"),
    "P": ("L-417A185B", "L-7212CCBC"),
    "Trn": ("L-2C3B7624", "L-6B0D517C"),
    "X": ("L-7295265B", "L-E3A00192"),
}
_GROUPS = {  # the letters that a family begins with -> its group
    **dict.fromkeys(["a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"], "Standard"),
    **dict.fromkeys(("g", "gr", "vt"), "G and VT"),
    **{name.lower(): name for name in ("DL", "F", "Inf", "P", "Trn", "X")},
}


@dataclass(frozen=True, slots=True)
class Ask:
    """What one compute environment may request from EC2.

    Args:
        purchase: ``EC2`` is On-Demand.
        instance_types: types, families, and Batch's own words such as ``optimal``.
        max_vcpus: what it grows to at most.
        largest_job: the vCPUs of the largest job that fits in it.
    """

    purchase: Literal["EC2", "SPOT"]
    instance_types: Sequence[str]
    max_vcpus: int
    largest_job: int


@check(_SUBJECT, "servicequotas")
def vcpu_quotas(clients: Clients, asks: Iterable[Ask]) -> Iterator[Diagnosis]:
    """Check whether each quota holds all that counts against it.

    An environment of several families may use any of them to its full, so it counts against each one's quota.
    """
    demands: dict[tuple[str, str], list[Ask]] = {}
    unknown: set[str] = set()
    for each in asks:
        groups = {name: quota_group(name) for name in each.instance_types}
        unknown |= {name for name, group in groups.items() if group is None}
        for group in {group for group in groups.values() if group}:
            demands.setdefault((group, each.purchase), []).append(each)
    for (group, purchase), those in sorted(demands.items()):
        code = quota_code(group, purchase)
        value = int(clients.quotas.get_service_quota(ServiceCode="ec2", QuotaCode=code)["Quota"]["Value"])
        yield _compared(f"{group} {'Spot' if purchase == 'SPOT' else 'On-Demand'}", code, value, those, clients.region)
    for name in sorted(unknown):
        advice = "look for it in the Service Quotas console, under Amazon EC2"
        yield warning(_SUBJECT, f"unknown quota for {name}", advice)


@check(_STORAGE_SUBJECT, "servicequotas")
def storage_quotas(clients: Clients, volumes: Mapping[str, int], instances: int) -> Iterator[Diagnosis]:
    """Check whether each quota of storage holds the volumes of all instances, see :func:`compare_storage`."""
    return compare_storage(clients, volumes, instances)


def compare_storage(clients: Clients, volumes: Mapping[str, int], instances: int) -> Iterator[Diagnosis]:
    """Compare each quota of storage with the volumes of all instances; a call that AWS refuses raises.

    Args:
        clients: of the region.
        volumes: volume type -> GiB of one instance's volumes of that type.
        instances: how many may run at the same time.
    """
    for kind, gib in sorted(volumes.items()):
        code = _STORAGE_CODES[kind]
        value = float(clients.quotas.get_service_quota(ServiceCode="ebs", QuotaCode=code)["Quota"]["Value"])
        wanted = math.ceil(gib * instances / _GIB_IN_A_TIB)
        raise_it = (
            "aws service-quotas request-service-quota-increase --service-code ebs "
            f"--quota-code {code} --desired-value {wanted} --region {clients.region}; or lower max_vcpus, "
            "image.scratch.size_gib or image.root.size_gib"
        )
        needs = f"{instances} instances of {gib} GiB each need {wanted} TiB"
        if value * _GIB_IN_A_TIB < gib:
            yield wrong(_STORAGE_SUBJECT, f"{kind} storage is {value:g} TiB, one instance needs {gib} GiB", raise_it)
        elif value < wanted:
            message = f"{kind} storage is {value:g} TiB, at max_vcpus {needs}: jobs wait for the quota"
            yield warning(_STORAGE_SUBJECT, message, raise_it)
        else:
            yield ok(_STORAGE_SUBJECT, f"{kind} storage is {value:g} TiB; at max_vcpus {needs}")


def quota_code(group: str, purchase: str) -> str:
    """Return the code of the quota that On-Demand (``EC2``) or ``SPOT`` instances of a group count against."""
    return _CODES[group][purchase == "SPOT"]


def quota_group(instance_type: str) -> str | None:
    """Return the group of the quota for an instance type, a family or one of Batch's own words; None: not known.

    Batch's ``optimal`` and ``default_…`` are of the C, M and R families.
    https://docs.aws.amazon.com/batch/latest/userguide/instance-type-compute-table.html
    """
    if instance_type == "optimal" or instance_type.startswith("default_"):
        return "Standard"
    letters = re.match("[a-z]*", instance_type)
    return _GROUPS.get(letters[0]) if letters else None


def _compared(name: str, code: str, value: int, asks: Sequence[Ask], region: str) -> Diagnosis:
    wanted = sum(each.max_vcpus for each in asks)
    largest_job = max(each.largest_job for each in asks)
    raise_it = (
        "aws service-quotas request-service-quota-increase --service-code ec2 "
        f"--quota-code {code} --desired-value {wanted} --region {region}"
    )
    if value < max(largest_job, 1):
        message = f"{name} is {value} vCPUs: a job of {largest_job} cannot start"
        return wrong(_SUBJECT, message, raise_it)
    if value < wanted:
        message = f"{name} is {value} vCPUs, max_vcpus is {wanted} in all: jobs wait for the quota"
        return warning(_SUBJECT, message, raise_it)
    return ok(_SUBJECT, f"{name}: {wanted} of {value} vCPUs")

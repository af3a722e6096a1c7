"""Write the data file of instance types again, from EC2's own answer: ``make instance-data``.

Against the embedded AWS the answer is moto's copy of it (Apache-2.0), so that an account is not needed.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import re
from typing import TYPE_CHECKING, Any

from gen_infra.aws.errors import aws_errors
from gen_infra.aws.session import clients
from gen_infra.manifest.instances import DATA_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_ec2 import EC2Client

# Together these have every family that is available without special access.
REGIONS = ("us-east-1", "us-east-2", "us-west-2")
_BURSTABLE = re.compile(r"t[0-9]")  # AWS Batch starts none; Macs are recognized by their architecture


@aws_errors()
def described(ec2: EC2Client) -> list[Mapping[str, Any]]:
    """List every instance type of a region, as DescribeInstanceTypes returns it."""
    pages = ec2.get_paginator("describe_instance_types").paginate()
    return [instance for page in pages for instance in page["InstanceTypes"]]


def families(types: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the families of these types as the data file holds them, sorted."""
    result: dict[str, Any] = {}
    for instance in sorted(types, key=_order):
        family, size = instance["InstanceType"].split(".")
        architectures = instance["ProcessorInfo"]["SupportedArchitectures"]
        architecture = next((one for one in ("x86_64", "arm64") if one in architectures), None)
        if architecture is None or _BURSTABLE.match(family):
            continue
        result.setdefault(family, {"architecture": architecture, "sizes": {}})["sizes"][size] = [
            instance["VCpuInfo"]["DefaultVCpus"],
            instance["MemoryInfo"]["SizeInMiB"],
            sum(gpu["Count"] for gpu in instance.get("GpuInfo", {}).get("Gpus", [])),
            instance.get("InstanceStorageInfo", {}).get("TotalSizeInGB", 0),
            *_efa_interfaces(instance),
        ]
    return result


def _efa_interfaces(instance: Mapping[str, Any]) -> list[int]:
    """Return the most Elastic Fabric Adapters of an instance type; empty if it has none."""
    network = instance.get("NetworkInfo", {})
    return [network["EfaInfo"]["MaximumEfaInterfaces"]] if network.get("EfaSupported") else []


def text(content: Mapping[str, Any]) -> str:
    """Return the data file: one line for each family, so that a renewal is a readable difference."""
    head = {key: value for key, value in content.items() if key != "families"}
    lines = [f'"{name}":{json.dumps(family, separators=(",", ":"))}' for name, family in content["families"].items()]
    return json.dumps(head)[:-1] + ', "families": {\n' + ",\n".join(lines) + "\n}}\n"


def _order(instance: Mapping[str, Any]) -> tuple[str, int, int, str]:
    name = instance["InstanceType"]
    return name.split(".")[0], instance["VCpuInfo"]["DefaultVCpus"], instance["MemoryInfo"]["SizeInMiB"], name


def main() -> None:
    """Ask each region, and write what they have together."""
    types = {one["InstanceType"]: one for region in REGIONS for one in described(clients(region).ec2)}
    emulated = f", as moto {importlib.metadata.version('moto')} has it" if os.environ.get("AWS_ENDPOINT_URL") else ""
    content = {
        "source": f"EC2 DescribeInstanceTypes in {', '.join(REGIONS)}{emulated}",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "families": families(types.values()),
    }
    DATA_FILE.write_text(text(content))


if __name__ == "__main__":
    main()

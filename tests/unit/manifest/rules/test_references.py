"""Rules between values: for each, a manifest that keeps it and one that breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from gen_infra.manifest import load
from gen_infra.manifest.reading.loader import ManifestError
from gen_infra.manifest.rules import references
from tests.unit.manifests import accept, changed, write

if TYPE_CHECKING:
    from pathlib import Path

JOB = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512}
NEW = {"cidr": "10.42.0.0/16", "nat": "one"}
READ = {"name": "results", "access": "read"}
LOOKUP = {"vpc": {"Name": "a"}, "subnets": {"Tier": "b"}, "security_groups": {"Name": "c"}}

# rule, kept by, broken by, what is said
RULES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    (
        "network neither",
        {"network": {"lookup": LOOKUP}},
        {"network": {}},
        "network: set exactly one of lookup, ids and create",
    ),
    ("network both", {"network": {"lookup": LOOKUP}}, {"network__lookup": LOOKUP}, "not lookup and ids"),
    (
        "network created and looked up",
        {"network": {"create": NEW}},
        {"network": {"create": NEW, "lookup": LOOKUP}},
        "not lookup and create",
    ),
    *[
        (
            f"new network's block {cidr}",
            {"network": {"create": NEW}},
            {"network": {"create": {**NEW, "cidr": cidr}}},
            says,
        )
        for cidr, says in {
            "10.42.0.1/16": "network.create.cidr: 10.42.0.1/16 has host bits set; write the first address of the block",
            "10.42.0.0/33": "write the first address of the block",
            "10.256.0.0/16": "write the first address of the block",
            "10.0.0.0/15": "10.0.0.0/15 should be from /16",
            "10.42.0.0/25": "10.42.0.0/25 should be from /16",
            "52.94.0.0/16": "52.94.0.0/16 is not private; choose a block in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16",
            "172.32.0.0/16": "is not private",
            "172.17.128.0/20": "172.17.0.0/16 is Docker's network",
        }.items()
    ],
    (
        "room for NAT gateways",
        {"network": {"create": {"cidr": "192.168.7.0/24", "nat": "per-zone", "zones": 4}}},
        {"network": {"create": {"cidr": "192.168.7.0/24", "nat": "per-zone", "zones": 5}}},
        "network.create.cidr: a /24 has space for 4 NAT gateways, not 5; use a /23",
    ),
    (
        "zones of another region",
        {"network": {"create": {**NEW, "zones": ["us-east-1a", "us-east-1b"]}}},
        {"network": {"create": {**NEW, "zones": ["us-east-1a", "us-west-2b"]}}},
        "network.create.zones[1]: us-west-2b is not in us-east-1",
    ),
    (
        "a zone twice",
        {"network": {"create": {**NEW, "zones": ["us-east-1a", "us-east-1b"]}}},
        {"network": {"create": {**NEW, "zones": ["us-east-1a", "us-east-1a"]}}},
        'network.create.zones[1]: "us-east-1a" is listed twice',
    ),
    (
        "no way out",
        {"network": {"create": {"cidr": "10.42.0.0/16", "endpoints": True}}},
        {"network": {"create": {"cidr": "10.42.0.0/16"}}},
        "network.create: has no route to ECR, ECS and CloudWatch Logs; choose nat: one,",
    ),
    (
        "half a way out",
        {"network": {"create": {**NEW, "endpoints": ["ecr.api", "ecr.dkr"]}}},
        {"network": {"create": {"cidr": "10.42.0.0/16", "endpoints": ["ecr.api", "ecr.dkr", "logs", "ssm"]}}},
        "network.create.endpoints: without NAT, add ecs, ecs-agent, ecs-telemetry",
    ),
    (
        "endpoints in China",
        {"region": "cn-north-1", "network": {"create": NEW}},
        {"region": "cn-north-1", "network": {"create": {**NEW, "endpoints": True}}},
        "network.create.endpoints: interface endpoints are not supported in China",
    ),
    (
        "image both",
        {"image": {"parameter": "/a/b"}},
        {"image": {"id": "ami-0123456789abcdef0", "parameter": "/a/b"}},
        "image.parameter: image.id is set too",
    ),
    (
        "image of a compute environment both",
        {"compute__spot__image": {"parameter": "/a/b"}},
        {"compute__spot__image": {"id": "ami-0123456789abcdef0", "parameter": "/a/b"}},
        "compute.spot.image.parameter: compute.spot.image.id is set too",
    ),
    (
        "empty image of a compute environment",
        {"compute__spot__image": {"base": "ecs-al2023-x86_64"}},
        {"compute__spot__image": {}},
        "compute.spot.image: is empty; add base, id or parameter",
    ),
    (
        "gp2 iops",
        {"image": {"scratch": {"type": "gp3", "iops": 4000}}},
        {"image": {"scratch": {"type": "gp2", "iops": 4000}}},
        "image.scratch.iops: is for gp3 volumes only",
    ),
    (
        "gp3 ratio",
        {"image": {"root": {"iops": 4000, "throughput_mib_s": 1000}}},
        {"image": {"root": {"throughput_mib_s": 1000}}},
        "1000 MiB/s needs at least 4000 iops, not 3000",
    ),
    (
        "bid on demand",
        {"compute__spot__bid_percentage": 50},
        {"compute__spot__bid_percentage": 50, "compute__spot__type": "EC2"},
        "compute.spot.bid_percentage: is for SPOT",
    ),
    (
        "spot strategy on demand",
        {"compute__spot__allocation_strategy": "SPOT_CAPACITY_OPTIMIZED"},
        {"compute__spot__allocation_strategy": "SPOT_CAPACITY_OPTIMIZED", "compute__spot__type": "EC2"},
        "SPOT_CAPACITY_OPTIMIZED is for SPOT",
    ),
    ("min max", {"compute__spot__min_vcpus": 64}, {"compute__spot__min_vcpus": 65}, "65 is greater than max_vcpus 64"),
    (
        "optimal on arm",
        {"image": {"base": "ecs-al2023-arm64"}, "compute__spot__instance_types": ["m7g"]},
        {"image": {"base": "ecs-al2023-arm64"}},
        "optimal is x86_64; image.base is arm64",
    ),
    (
        "queue order",
        {"queues__main__compute": ["spot"]},
        {"queues__main__compute": ["other"]},
        'unknown compute environment "other"; choose from: spot',
    ),
    ("queue twice", {}, {"queues__main__compute": ["spot", "spot"]}, 'queues.main.compute[1]: "spot" is listed twice'),
    (
        "shares overlap",
        {"queues__main__fair_share": {"shares": {"a*": 1.0, "b": 2.0}}},
        {"queues__main__fair_share": {"shares": {"a*": 1.0, "ab": 2.0}}},
        "queues.main.fair_share.shares.ab: overlaps with a*",
    ),
    (
        "job bucket",
        {"buckets": {"r": {"name": "abc", "access": "read"}}, "jobs": {"j": {**JOB, "buckets": ["r"]}}},
        {"jobs": {"j": {**JOB, "buckets": ["r"]}}},
        'jobs.j.buckets[0]: unknown bucket "r"; the manifest has none',
    ),
    (
        "job queue",
        {"jobs": {"j": {**JOB, "queue": "main"}}},
        {"jobs": {"j": {**JOB, "queue": "min"}}},
        'unknown queue "min"; choose from: main',
    ),
    (
        "fair-share priority",
        {"queues__main__fair_share": {}, "jobs": {"j": {**JOB, "scheduling_priority": 0}}},
        {"queues__main__fair_share": {}, "jobs": {"j": JOB}},
        "jobs.j: scheduling_priority is missing; the fair-share queue main requires it",
    ),
    (
        "job repository",
        {"repositories": ["isaac"], "jobs": {"j": {**JOB, "image": "isaac:1"}}},
        {"jobs": {"j": {**JOB, "image": "isaac:1"}}},
        'jobs.j.image: unknown repository "isaac"; the manifest has none; or give the full URI of another image',
    ),
    (
        "region",
        {"region": "eu-central-2"},
        {"region": "us-east-9"},
        'region: unknown region "us-east-9"; choose from: us-east',
    ),
    ("China", {}, {"region": "cn-east-1"}, 'region: unknown region "cn-east-1"; choose from: '),
    (
        "a bucket twice",
        {"buckets": {"b": READ}, "jobs": {"j": {**JOB, "buckets": ["b"]}}},
        {"buckets": {"b": READ}, "jobs": {"j": {**JOB, "buckets": ["b", "b"]}}},
        'jobs.j.buckets[1]: "b" is listed twice',
    ),
    (
        "an address twice",
        {"notifications": {"blocked_queues": ["a@b.org", "b@b.org"]}},
        {"notifications": {"blocked_queues": ["a@b.org", "a@b.org"]}},
        'notifications.blocked_queues[1]: "a@b.org" is listed twice',
    ),
    (
        "an instance type twice",
        {},
        {"compute__spot__instance_types": ["c7i", "c7i"]},
        'compute.spot.instance_types[1]: "c7i" is listed twice',
    ),
    (
        "a subnet twice",
        {},
        {"network__ids__subnets": ["subnet-0123456789abcdef0"] * 2},
        'network.ids.subnets[1]: "subnet-0123456789abcdef0" is listed twice',
    ),
    (
        "an endpoint twice",
        {"network": {"create": {"cidr": "10.42.0.0/16", "nat": "one", "endpoints": ["ecs"]}}},
        {"network": {"create": {"cidr": "10.42.0.0/16", "nat": "one", "endpoints": ["ecs", "ecs"]}}},
        'network.create.endpoints[1]: "ecs" is listed twice',
    ),
    (
        "a parameter twice",
        {},
        {"jobs": {"j": {**JOB, "command": ["Ref::a"], "required_parameters": ["a", "a"]}}},
        'jobs.j.required_parameters[1]: "a" is listed twice',
    ),
    (
        "repository label",
        {"repositories": ["a/b", "a_c"]},
        {"repositories": ["a/b", "a_b"]},
        'its Terraform address "module.repository_a_b" is also that of',
    ),
]


def test_the_regions_are_those_of_botocore() -> None:
    """A newer botocore may have more: add them, once Terraform's provider has them too."""
    partitions = botocore.session.get_session().get_data("endpoints")["partitions"]
    ours = [one["regions"] for one in partitions if one["partition"] in {"aws", "aws-cn", "aws-us-gov"}]
    assert set(references.REGIONS) == {region for regions in ours for region in regions}


@pytest.mark.parametrize(("kept", "broken", "says"), [rule[1:] for rule in RULES], ids=[rule[0] for rule in RULES])
def test_rule(tmp_path: Path, kept: dict[str, Any], broken: dict[str, Any], says: str) -> None:
    accept(tmp_path, **kept)
    with pytest.raises(ManifestError) as refusal:
        load(write(tmp_path, changed(**broken)))
    (problem,) = refusal.value.problems
    assert says in str(problem)
    assert problem.line > 1 or problem.path == "network"

"""Rules on jobs: for each, a manifest that keeps it and one that breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.manifest import load
from gen_infra.manifest.reading.loader import ManifestError
from tests.unit.manifests import accept, changed, write

if TYPE_CHECKING:
    from pathlib import Path

JOB = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512}
ROLE = "arn:aws:iam::123456789012:role/theirs"
SECRET = {"arn": "arn:aws:ssm:us-east-1:123456789012:parameter/genomics/token"}
EFS = {"file_system": "fs-0123456789abcdef0", "mount": "/shared"}
FARGATE = {"type": "FARGATE", "max_vcpus": 64}
POINT = {"access_point": "fsap-0123456789abcdef0"}


def job(**keys: Any) -> dict[str, Any]:
    return {"jobs": {"j": {**JOB, **keys}}}


REGISTRY = "arn:aws:secretsmanager:us-east-1:123456789012:secret:lab/registry-AbCdEf"
VOLUME = {"name": "data", "host": {"sourcePath": "/srv/data"}}


def raw(**properties: Any) -> dict[str, Any]:
    return {**job(container_properties=properties), "hosts": {"allow_paths": ["/srv"]}}


def on_fargate(**properties: Any) -> dict[str, Any]:
    return {"compute__spot": FARGATE, **job(memory_mib=2048, container_properties=properties)}


# rule, kept by, broken by, what is said
RULES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    (
        "role of others",
        job(role=ROLE),
        {"buckets": {"r": {"name": "abc", "access": "read"}}, **job(role=ROLE, buckets=["r"])},
        "jobs.j.buckets: this job has an existing role",
    ),
    (
        "reference",
        job(command=["x", "--in=Ref::sample"], parameters={"sample": "a"}),
        job(command=["x", "--in=Ref::sample"]),
        "jobs.j.command[1]: Ref::sample has no value in parameters",
    ),
    (
        "required parameter",
        job(command=["Ref::sample"], required_parameters=["sample"]),
        job(command=["sample"], required_parameters=["sample"]),
        "jobs.j.required_parameters[0]: the command has no Ref::sample",
    ),
    (
        "required parameter with a default",
        job(command=["Ref::sample"], required_parameters=["sample"]),
        job(command=["Ref::sample"], required_parameters=["sample"], parameters={"sample": "a"}),
        "sample has a default value in parameters",
    ),
    (
        "secret and variable",
        job(secrets={"LICENCE": SECRET}, environment={"OTHER": "x"}),
        job(secrets={"LICENCE": SECRET}, environment={"LICENCE": "x"}),
        "jobs.j.secrets.LICENCE: environment contains this variable too",
    ),
    (
        "mounts",
        job(scratch="/scratch", efs={"shared": EFS}, linux={"tmpfs": [{"path": "/fast", "size_mib": 64}]}),
        job(scratch="/shared", efs={"shared": EFS}),
        'jobs.j.efs.shared.mount: "/shared" is already the mount path of scratch',
    ),
    (
        "mounts in memory",
        job(efs={"shared": EFS}),
        job(efs={"shared": EFS}, linux={"tmpfs": [{"path": "/shared", "size_mib": 64}]}),
        'jobs.j.linux.tmpfs[0].path: "/shared" is already the mount path of efs.shared',
    ),
    (
        "access point",
        job(efs={"shared": {**EFS, **POINT}}),
        job(efs={"shared": {**EFS, **POINT, "directory": "/data"}}),
        "jobs.j.efs.shared.directory: the access point sets the directory",
    ),
    (
        "ulimit",
        job(ulimits={"nofile": {"soft": 1024, "hard": -1}}),
        job(ulimits={"nofile": {"soft": 2048, "hard": 1024}}),
        "jobs.j.ulimits.nofile.soft: 2048 is greater than hard 1024",
    ),
    (
        "swappiness",
        job(linux={"swappiness": 0, "max_swap_mib": 512}),
        job(linux={"swappiness": 0}),
        "jobs.j.linux.swappiness: is ignored without max_swap_mib",
    ),
    (
        "fargate bid",
        {"compute__spot__type": "FARGATE_SPOT"},
        {"compute__spot__type": "FARGATE_SPOT", "compute__spot__bid_percentage": 50},
        "compute.spot.bid_percentage: bid_percentage is not supported in a FARGATE_SPOT compute environment",
    ),
    (
        "fargate and ec2",
        {"compute__other": FARGATE, "queues__second": {"priority": 1, "compute": ["other"]}},
        {"compute__other": FARGATE, "queues__main__compute": ["spot", "other"]},
        "queues.main.compute[1]: a queue cannot have compute environments on both EC2 and Fargate",
    ),
    (
        "fargate scratch",
        {"compute__spot": FARGATE, **job(memory_mib=2048, ephemeral_storage_gib=100)},
        {"compute__spot": FARGATE, **job(memory_mib=2048, scratch="/scratch")},
        "jobs.j.scratch: a job on Fargate has no scratch; use ephemeral_storage_gib",
    ),
    (
        "fargate linux",
        {"compute__spot": FARGATE, **job(memory_mib=2048, linux={"init_process": True})},
        {"compute__spot": FARGATE, **job(memory_mib=2048, linux={"shared_memory_mib": 64})},
        "jobs.j.linux.shared_memory_mib: a job on Fargate has no shared_memory_mib",
    ),
    (
        "fargate vcpus",
        {"compute__spot": FARGATE, **job(vcpus=0.25)},
        {"compute__spot": FARGATE, **job(vcpus=3)},
        "jobs.j.vcpus: 3 is not a Fargate size: 0.25, 0.5, 1, 2, 4, 8, 16",
    ),
    (
        "fargate memory",
        {"compute__spot": FARGATE, **job(vcpus=8, memory_mib=20480)},
        {"compute__spot": FARGATE, **job(vcpus=8, memory_mib=17408)},
        "jobs.j.memory_mib: 17408 does not go with 8 vCPU on Fargate: 16384, 20480, 24576",
    ),
    (
        "ec2 vcpus",
        {"compute__spot": FARGATE, **job(vcpus=0.5, memory_mib=1024)},
        job(vcpus=0.5),
        "jobs.j.vcpus: 0.5 is for Fargate",
    ),
    (
        "ec2 storage",
        job(scratch="/scratch"),
        job(ephemeral_storage_gib=50),
        "jobs.j.ephemeral_storage_gib: only a job on Fargate has it",
    ),
    (
        "nodes on demand",
        {"compute__spot__type": "EC2", **job(nodes=4)},
        job(nodes=4),
        "jobs.j.nodes: queue main has the SPOT compute environment spot; nodes need type EC2",
    ),
    (
        "nodes together",
        {"compute__spot": {"type": "EC2", "max_vcpus": 64}, **job(nodes=4, vcpus=16)},
        {"compute__spot": {"type": "EC2", "max_vcpus": 63}, **job(nodes=4, vcpus=16)},
        "jobs.j.vcpus: 4 nodes of 16 vCPUs are more than max_vcpus 63, the maximum of queue main",
    ),
    (
        "nodes on fargate",
        {"compute__spot": FARGATE, **job(memory_mib=2048)},
        {"compute__spot": FARGATE, **job(memory_mib=2048, nodes=2)},
        "jobs.j.nodes: a job on Fargate has no nodes",
    ),
    (
        "container property with a key of its own",
        raw(enableExecuteCommand=True),
        raw(image="a"),
        "jobs.j.container_properties.image: is the job's own image; give it there",
    ),
    (
        "container property that is made here",
        raw(enableExecuteCommand=True),
        raw(privileged=True),
        "jobs.j.container_properties.privileged: a privileged container is root on its host",
    ),
    (
        "unknown container property",
        raw(instanceType="c7i.large"),
        raw(instancetype="c7i.large"),
        'jobs.j.container_properties.instancetype: unknown key "instancetype"; did you mean "instanceType"?',
    ),
    (
        "container property of another type",
        raw(runtimePlatform={"cpuArchitecture": "ARM64"}),
        raw(runtimePlatform=["ARM64"]),
        "container_properties.runtimePlatform: should be a mapping of operatingSystemFamily, cpuArchitecture",
    ),
    (
        "container property within",
        on_fargate(networkConfiguration={"assignPublicIp": "DISABLED"}),
        on_fargate(networkConfiguration={"assignPublicIp": "NO_THANKS"}),
        "networkConfiguration.assignPublicIp: NO_THANKS is not one of ENABLED, DISABLED",
    ),
    (
        "a whole number within",
        raw(volumes=[{"name": "a", "host": {"sourcePath": "/srv/a"}}]),
        raw(volumes=[{"name": "a", "host": {"sourcePath": 7}}]),
        "container_properties.volumes[0].host.sourcePath: should be text",
    ),
    (
        "required within",
        raw(volumes=[{"name": "a", "efsVolumeConfiguration": {"fileSystemId": "fs-0123456789abcdef0"}}]),
        raw(volumes=[{"name": "a", "efsVolumeConfiguration": {}}]),
        "container_properties.volumes[0].efsVolumeConfiguration: the key fileSystemId is missing",
    ),
    (
        "registry secret",
        job(repository_credentials=REGISTRY),
        job(repository_credentials="lab/registry"),
        "jobs.j.repository_credentials:",
    ),
    (
        "registry secret in the API's spelling",
        job(repository_credentials=REGISTRY),
        raw(repositoryCredentials={"credentialsParameter": REGISTRY}),
        "container_properties.repositoryCredentials: is the job's own repository_credentials; give it there",
    ),
    (
        "volume of a mount point",
        raw(volumes=[VOLUME], mountPoints=[{"sourceVolume": "data", "containerPath": "/data"}]),
        raw(volumes=[VOLUME], mountPoints=[{"sourceVolume": "date", "containerPath": "/data"}]),
        'container_properties.mountPoints[0].sourceVolume: unknown volume "date"; choose from: data',
    ),
    (
        "volumes differ",
        raw(volumes=[VOLUME]),
        raw(volumes=[VOLUME, {"name": "data", "host": {"sourcePath": "/srv/other"}}]),
        "container_properties.volumes[1].name: there is a volume data already",
    ),
    (
        "mount points differ",
        raw(volumes=[VOLUME], mountPoints=[{"sourceVolume": "data", "containerPath": "/data"}]),
        {
            "hosts": {"allow_paths": ["/srv"]},
            **job(
                scratch="/data",
                container_properties={
                    "volumes": [VOLUME],
                    "mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}],
                },
            ),
        },
        'container_properties.mountPoints[0].containerPath: "/data" is already the mount path of scratch',
    ),
    (
        "setting of Fargate",
        on_fargate(networkConfiguration={"assignPublicIp": "DISABLED"}),
        raw(networkConfiguration={"assignPublicIp": "DISABLED"}),
        "container_properties.networkConfiguration: is for jobs on Fargate, and queue main is on EC2",
    ),
    (
        "setting of EC2",
        {"compute__spot__instance_types": ["c7i"], **raw(instanceType="c7i.large")},
        on_fargate(instanceType="c7i.large"),
        "container_properties.instanceType: is for jobs on EC2, and queue main is on Fargate",
    ),
    (
        "member that the provider drops",
        raw(volumes=[VOLUME]),
        raw(volumes=[{"name": "data", "s3filesVolumeConfiguration": {"fileSystemArn": "arn:aws:s3files:x"}}]),
        "container_properties.volumes[0].s3filesVolumeConfiguration: Terraform's AWS provider 5.100 drops "
        "s3filesVolumeConfiguration, so the job would run without it; S3 Files need version 6.41 or later",
    ),
    (
        "consumable resources",
        raw(enableExecuteCommand=True),
        raw(consumableResourceProperties={"consumableResourceList": []}),
        "consumableResourceProperties: Terraform's AWS provider 5.100 cannot register consumable resources",
    ),
    (
        "volume without a plain name",
        raw(volumes=[VOLUME]),
        raw(volumes=[{"name": ["data"]}]),
        "container_properties.volumes[0].name: should be text",
    ),
    (
        "mount point without a volume",
        raw(volumes=[VOLUME], mountPoints=[{"sourceVolume": "data", "containerPath": "/x"}]),
        raw(mountPoints=[{"containerPath": "/x"}]),
        "container_properties.mountPoints[0]: the key sourceVolume is missing",
    ),
    (
        "volume without any name",
        raw(volumes=[VOLUME]),
        raw(volumes=[VOLUME, {}]),
        "container_properties.volumes[1]: the key name is missing",
    ),
    (
        "instance type of nodes",
        {
            "compute__spot": {"type": "EC2", "max_vcpus": 64, "instance_types": ["g5", "c7i"]},
            **job(nodes=2, container_properties={"instanceType": "g5.2xlarge"}),
        },
        {
            "compute__spot": {"type": "EC2", "max_vcpus": 64, "instance_types": ["c7i"]},
            **job(nodes=2, container_properties={"instanceType": "g5.2xlarge"}),
        },
        "container_properties.instanceType: g5.2xlarge is not among the instance types of queue main (c7i); "
        "the job would never start",
    ),
    (
        "room on the instance type of nodes",
        {
            "compute__spot": {"type": "EC2", "max_vcpus": 64, "instance_types": ["c7i"]},
            **job(nodes=2, memory_mib=7000, container_properties={"instanceType": "c7i.xlarge"}),
        },
        {
            "compute__spot": {"type": "EC2", "max_vcpus": 64, "instance_types": ["c7i"]},
            **job(nodes=2, memory_mib=7000, container_properties={"instanceType": "c7i.large"}),
        },
        "jobs.j.memory_mib: no instance type of queue main with 1 vCPUs or more can give 7000 MiB to a job; the most "
        "is 3941, on c7i.large",
    ),
    (
        "condition of a retry rule",
        job(evaluate_on_exit=[{"action": "EXIT", "on_exit_code": "1*"}]),
        job(evaluate_on_exit=[{"action": "EXIT"}]),
        "jobs.j.evaluate_on_exit[0]: has no condition; add on_status_reason, on_reason or on_exit_code",
    ),
    (
        "condition of an entry of retry",
        job(retry=["host-lost", {"exit_code": 75}]),
        job(retry=["host-lost", {}]),
        "jobs.j.retry[1]: has no condition; add exit_code, reason or status_reason",
    ),
    (
        "an entry of retry twice",
        job(retry=["host-lost", {"exit_code": 75}, {"exit_code": 76}]),
        job(retry=["host-lost", {"exit_code": 75}, {"exit_code": 75}]),
        "jobs.j.retry[2]: is in this list already; remove one",
    ),
    (
        "retry beside AWS Batch's own rules",
        job(evaluate_on_exit=[{"action": "EXIT", "on_exit_code": "1*"}]),
        job(evaluate_on_exit=[{"action": "EXIT", "on_exit_code": "1*"}], retry=["host-lost"]),
        "jobs.j.retry: evaluate_on_exit takes its place; keep one of them",
    ),
    (
        "timeout on Fargate",
        {"compute__spot": FARGATE, **job(memory_mib=2048, timeout_minutes=20_160)},
        {"compute__spot": FARGATE, **job(memory_mib=2048, timeout_minutes=20_161)},
        "jobs.j.timeout_minutes: 20161 is above 20160: Fargate stops each job after 14 days",
    ),
    (
        "gpus",
        {"image": {"base": "ecs-al2023-gpu"}, "compute__spot__instance_types": ["g5"], **job(gpus=1)},
        {"compute__spot__instance_types": ["g5"], **job(gpus=1)},
        "jobs.j.gpus: image.base is ecs-al2023-x86_64",
    ),
]


@pytest.mark.parametrize(("kept", "broken", "says"), [rule[1:] for rule in RULES], ids=[rule[0] for rule in RULES])
def test_rule(tmp_path: Path, kept: dict[str, Any], broken: dict[str, Any], says: str) -> None:
    accept(tmp_path, **kept)
    with pytest.raises(ManifestError) as refusal:
        load(write(tmp_path, changed(**broken)))
    (problem,) = refusal.value.problems
    assert says in str(problem)
    assert problem.line > 1

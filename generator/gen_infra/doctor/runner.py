"""What `gen-infra doctor` looks at: the tools, the credentials, and all that an environment finds in its account.

Every check takes plain values, which this module takes from the manifest, and is independent of the others. Checks run
side by side, because they mostly wait for answers.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from gen_infra.aws.errors import aws_errors
from gen_infra.aws.session import clients, configured_region
from gen_infra.cost.hourly import volumes_of
from gen_infra.doctor import account as doctor_account
from gen_infra.doctor import agent as doctor_agent
from gen_infra.doctor import buckets as doctor_buckets
from gen_infra.doctor import budget as doctor_budget
from gen_infra.doctor import containers as doctor_containers
from gen_infra.doctor import image as doctor_image
from gen_infra.doctor import jobs as doctor_jobs
from gen_infra.doctor import key as doctor_key
from gen_infra.doctor import launch as doctor_launch
from gen_infra.doctor import lustre as doctor_lustre
from gen_infra.doctor import neighbours as doctor_neighbours
from gen_infra.doctor import network as doctor_network
from gen_infra.doctor import quotas as doctor_quotas
from gen_infra.doctor import roles as doctor_roles
from gen_infra.doctor import tools as doctor_tools
from gen_infra.errors import GenInfraError
from gen_infra.manifest.model.settings import StateBucket
from gen_infra.manifest.placements import offered
from gen_infra.tools.process import forwarding_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from gen_infra.aws.session import Clients
    from gen_infra.doctor.diagnosis import Diagnosis
    from gen_infra.manifest import Manifest
    from gen_infra.manifest.model.scheduling import ComputeEnvironment

    DoctorCheck = Callable[[], list[Diagnosis]]

_WITHOUT_REGION = "us-east-1"  # for STS, where no region is set


def examine(path: Path | None) -> list[Diagnosis]:
    """Look at everything that the manifest at ``path`` needs, or without one at the tools and the credentials.

    Raises:
        ManifestError: the manifest is wrong; nothing was looked at.
    """
    from gen_infra.manifest import load

    manifest = load(path) if path else None
    here = configured_region()
    aws = clients(manifest.region if manifest else here or _WITHOUT_REGION)
    with forwarding_signals(), ThreadPoolExecutor(max_workers=8) as pool:
        tools = [pool.submit(check) for check in _tools(manifest)]
        lines = doctor_account.credentials(aws, manifest.account if manifest else None)
        checks = _environment(aws, manifest, path, here) if manifest and path and _all_well(lines) else ()
        account = [pool.submit(check) for check in checks]
        return [
            *(line for section in tools for line in section.result()),
            *lines,
            *(doctor_neighbours.shared_buckets(manifest, path) if manifest and path else ()),
            *(doctor_agent.agent_options(manifest) if manifest else ()),
            *(doctor_neighbours.shared_names(manifest, path) if manifest and path else ()),
            *(line for section in account for line in section.result()),
        ]


def _all_well(lines: Iterable[Diagnosis]) -> bool:
    """Check whether what follows would be looked up in the right account."""
    return all(line.level == "ok" for line in lines)


def _tools(manifest: Manifest | None) -> Iterator[DoctorCheck]:
    from gen_infra.environment import find_terraform_for
    from gen_infra.terraform.adapter import find_terraform

    find = partial(find_terraform_for, manifest) if manifest else partial(find_terraform, os.environ)
    yield partial(doctor_tools.terraform, find, os.environ, manifest.provider if manifest else None)
    yield partial(doctor_tools.packer, os.environ)
    yield partial(doctor_tools.checkov, os.environ)
    yield partial(doctor_tools.runc, os.environ)


def _environment(aws: Clients, manifest: Manifest, path: Path, configured: str | None) -> Iterator[DoctorCheck]:
    """Yield the checks of one environment, in the order in which their lines are shown."""
    services = service_linked_roles(manifest)
    yield partial(doctor_account.region, aws, configured)
    yield partial(doctor_roles.service_linked_roles, aws, services)
    if arns := custom_roles(manifest):
        yield partial(doctor_roles.roles, aws, manifest.account, arns)
    if boundary := manifest.iam.permissions_boundary:
        yield partial(doctor_roles.permissions_boundary, aws, boundary)
    if profile := manifest.iam.instance_profile:
        yield partial(doctor_roles.instance_profile, aws, profile)
    if manifest.uses_ec2:
        yield partial(doctor_quotas.vcpu_quotas, aws, quota_asks(manifest))
        yield partial(doctor_quotas.storage_quotas, aws, instance_volumes(manifest), most_instances(manifest, ec2=True))
    if network := wanted_network(manifest):
        efa = any(compute.efa for compute in manifest.compute.values())
        lustre = bool(manifest.lustre_file_systems)
        yield partial(doctor_network.network, aws, network, most_instances(manifest), efa=efa, lustre=lustre)
    yield from launches(aws, manifest)
    if manifest.uses_ec2:
        yield from images(aws, manifest)
    yield key(aws, manifest)
    if isinstance(manifest.state, StateBucket):
        yield partial(doctor_buckets.state_bucket, aws, manifest.state.bucket, f"gen-infra bootstrap {path}")
    yield from _money(aws, manifest, path)
    yield from _buckets(aws, manifest)
    yield from _references(aws, manifest)
    for uri in dict.fromkeys(manifest.image_uri(container.image) for _, _, container in manifest.containers()):
        yield partial(doctor_containers.container_image, aws, manifest.account, uri)


def _money(aws: Clients, manifest: Manifest, path: Path) -> Iterator[DoctorCheck]:
    """Yield the check of the tags by which AWS counts costs, which GovCloud does not; and of the budget's queues."""
    if (keys := manifest.billed_tags) and manifest.partition != "aws-us-gov":
        yield partial(doctor_budget.cost_allocation_tags, aws, keys)
    if manifest.stops_queues:
        yield partial(doctor_budget.stopped_queues, aws, [*map(manifest.queue_name, manifest.queues)], str(path))


def _buckets(aws: Clients, manifest: Manifest) -> Iterator[DoctorCheck]:
    """Yield the buckets of jobs and engines, and the one that the image is rebuilt from."""
    for bucket in used_buckets(manifest):
        yield partial(doctor_buckets.bucket, aws, bucket)
    if rebuild := manifest.image.rebuild:
        yield partial(doctor_buckets.source_bucket, aws, rebuild.bucket, pinned_image=rebuild.is_pinned)


def _references(aws: Clients, manifest: Manifest) -> Iterator[DoctorCheck]:
    """Yield the secrets and file systems of the jobs, each once."""
    containers = [container for _, _, container in manifest.containers()]
    secrets = {secret.resource_arn: secret for each in containers for secret in each.secrets.values()}
    for arn, secret in sorted(secrets.items()):
        look = doctor_jobs.parameter if secret.is_parameter else doctor_jobs.secret
        yield partial(look, aws, arn, secret.kms_key)
    credentials = {each.repository_credentials for each in containers if each.repository_credentials}
    for arn in sorted(credentials - set(secrets)):
        yield partial(doctor_jobs.registry_secret, aws, arn)
    mounted = [manifest.file_system_of(volume) for each in containers for volume in each.efs.values()]
    existing = [each for each in (*mounted, *manifest.file_systems.values()) if not each.is_created]
    for file_system, access_point in sorted({(each.efs, each.access_point) for each in existing if each.efs}, key=str):
        yield partial(doctor_jobs.file_system, aws, file_system, access_point)
    for each in manifest.lustre_file_systems.values():
        network = wanted_network(manifest)
        yield partial(doctor_lustre.lustre, aws, each.fsx or "", each.mount_name or "", network)


def launches(aws: Clients, manifest: Manifest) -> Iterator[DoctorCheck]:
    """Yield checks of the placement groups and capacity reservations that instances are launched into."""
    computes = manifest.compute.values()
    if names := sorted({compute.placement_group for compute in computes if compute.placement_group}):
        yield partial(doctor_launch.placement_groups, aws, names)
    for compute in computes:
        if (name := compute.capacity_reservation) and name != "none":
            types = [instance.name for instance in offered(compute.instance_types)]
            yield partial(doctor_launch.capacity_reservation, aws, name, types)


def images(aws: Clients, manifest: Manifest) -> Iterator[DoctorCheck]:
    """Yield a check of each image that instances run, each once."""
    image = manifest.image
    volumes = {"/dev/xvda": doctor_image.Volume(image.root.size_gib, "image.root.size_gib")}
    if image.scratch.carrier != "instance_store":
        in_template = image.scratch.carrier == "launch_template"
        volumes["/dev/sdb"] = doctor_image.Volume(image.scratch.size_gib, "image.scratch.size_gib", in_template)
    for source, architecture in dict.fromkeys(
        (each.run_source, each.architecture) for each in manifest.own_images().values()
    ):
        look = doctor_image.image_of_parameter if source.startswith("/") else doctor_image.image
        yield partial(look, aws, source, architecture, volumes, manifest.account)


def key(aws: Clients, manifest: Manifest) -> DoctorCheck:
    """Return the check of the environment's key, against those who start its instances and write its logs."""
    prefix = f"arn:{manifest.partition}:iam::{manifest.account}:role/aws-service-role"
    launching = [
        f"{prefix}/{service}.amazonaws.com/{doctor_roles.SERVICE_LINKED_ROLES[service]}"
        for service in service_linked_roles(manifest)
        if service != "batch"
    ]
    users: dict[str, tuple[str, ...]] = {f"logs.{manifest.region}.{manifest.dns_suffix}": doctor_key.USE}
    arn = manifest.encryption.key
    if arn == "create":
        return partial(doctor_key.made_key, aws, manifest.key_alias, launching, users)
    if manifest.alarm_topics:
        users["cloudwatch.amazonaws.com"] = doctor_key.PUBLISH
    if manifest.budget_topics:
        users["budgets.amazonaws.com"] = doctor_key.PUBLISH
    if manifest.event_topics:
        users["events.amazonaws.com"] = doctor_key.PUBLISH
    return partial(doctor_key.given_key, aws, arn, launching, users)


def service_linked_roles(manifest: Manifest) -> list[str]:
    """Return the services with linked roles that the compute environments need, as `doctor_roles` names them."""
    computes = manifest.compute.values()
    needed = {
        "batch": any(compute.service_role == "service-linked" for compute in computes),
        "autoscaling": any(not compute.is_fargate and not compute.needs_spot_fleet_role for compute in computes),
        "spot": manifest.uses_spot,
        "spotfleet": any(compute.needs_spot_fleet_role for compute in computes),
    }
    return [service for service, is_needed in needed.items() if is_needed]


def custom_roles(manifest: Manifest) -> list[str]:
    """List the ARNs of roles that are managed elsewhere."""
    given = {compute.service_role for compute in manifest.compute.values()}
    given |= set(manifest.existing_job_roles)
    return sorted(role for role in given if role.startswith("arn:"))


def used_buckets(manifest: Manifest) -> list[str]:
    """Return the buckets that jobs and engines use, and the one that the image is rebuilt from."""
    rebuild = manifest.image.rebuild
    work = {manifest.work_bucket(engine).name for engine in manifest.given_engines}
    return sorted({each.name for each in manifest.buckets.values()} | work | ({rebuild.bucket} if rebuild else set()))


def quota_asks(manifest: Manifest) -> list[doctor_quotas.Ask]:
    """Return what each compute environment may request from EC2."""
    return [
        doctor_quotas.Ask(compute.type, compute.instance_types, compute.max_vcpus, _largest_job(manifest, compute))
        for compute in manifest.compute.values()
        if compute.type in {"SPOT", "EC2"}
    ]


def _largest_job(manifest: Manifest, compute: ComputeEnvironment) -> int:
    asked = (job.total_vcpus for job in manifest.jobs.values())
    return max((math.ceil(vcpus) for vcpus in asked if vcpus <= compute.max_vcpus), default=1)


def instance_volumes(manifest: Manifest) -> dict[str, int]:
    """Add up one instance's volumes: volume type -> GiB."""
    volumes: Counter[str] = Counter()
    for volume in volumes_of(manifest.image):
        volumes[volume.type] += volume.size_gib
    return volumes


def storage_shortages(aws: Clients, manifest: Manifest) -> list[Diagnosis]:
    """Return the quotas of EBS storage that are below what max_vcpus needs; none where they cannot be read."""
    if not manifest.uses_ec2:
        return []
    volumes, instances = instance_volumes(manifest), most_instances(manifest, ec2=True)
    try:
        with aws_errors():
            found = [*doctor_quotas.compare_storage(aws, volumes, instances)]
    except GenInfraError:
        return []
    return [line for line in found if line.level != "ok"]


def source_problems(aws: Clients, manifest: Manifest) -> list[Diagnosis]:
    """Return what does not pin the source of the image's rebuilds; nothing where that cannot be read."""
    rebuild = manifest.image.rebuild
    if rebuild is None:
        return []
    found = doctor_buckets.source_bucket(aws, rebuild.bucket, pinned_image=rebuild.is_pinned)
    return [line for line in found if line.level == "wrong"]


def most_instances(manifest: Manifest, *, ec2: bool = False) -> int:
    """Count the instances (or Fargate tasks) that may run at once: at worst, each has one of the smallest jobs.

    With ``ec2``, only instances count, and the jobs that they run.
    """
    jobs = (job for job in manifest.jobs.values() if not (ec2 and manifest.is_on_fargate(job)))
    smallest = min((job.total_vcpus for job in jobs), default=1)
    counted = (compute for compute in manifest.compute.values() if not (ec2 and compute.is_fargate))
    return sum(math.ceil(compute.max_vcpus / smallest) for compute in counted)


def wanted_network(manifest: Manifest) -> doctor_network.ById | doctor_network.ByTag | None:
    """Return the network that has to be there; None: gen-infra makes it."""
    if ids := manifest.network.ids:
        return doctor_network.ById(ids.subnets, ids.security_groups)
    if lookup := manifest.network.lookup:
        return doctor_network.ByTag(lookup.vpc, lookup.subnets, lookup.security_groups)
    return None

"""Whether EC2 launches the instances of a compute environment, whose volumes a key encrypts.

Auto Scaling launches them with its service-linked role, which uses a customer's key only as far as the key's policy
lets it: https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gen_infra.emulator import launches
from gen_infra.emulator.authorization import acts
from gen_infra.emulator.authorization.callers import principal_of_role
from gen_infra.emulator.authorization.keys import VOLUME
from gen_infra.emulator.launches import LaunchRefusal
from gen_infra.emulator.patches.compute_environments import is_fargate

if TYPE_CHECKING:
    from moto.batch.models import BatchBackend, ComputeEnvironment

_REFUSED = (
    "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: "
    "Client.InternalError: Client error on launch"
)
_AUTO_SCALING = "aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
_SPOT_FLEET = "aws-service-role/spotfleet.amazonaws.com/AWSServiceRoleForEC2SpotFleet"
_KNOWN: dict[str, LaunchRefusal] = {}  # by compute environment, since its first refused launch


def launch_refusal(backend: BatchBackend, environment: ComputeEnvironment) -> LaunchRefusal | None:
    """Return why no instance can be launched: a refusal that a test has set, or that of a key; None if one can."""
    if is_fargate(environment):
        return None
    if found := launches.refusal(environment.name):
        return found
    if not any(_is_refused(backend, environment, key) for key in _keys(backend, environment)):
        _KNOWN.pop(environment.arn, None)
        return None
    return _KNOWN.setdefault(environment.arn, LaunchRefusal(_REFUSED))


def _is_refused(backend: BatchBackend, environment: ComputeEnvironment, key: str) -> bool:
    resources = environment.compute_resources or {}
    by_fleet = resources.get("type") == "SPOT" and resources.get("allocationStrategy", "BEST_FIT") == "BEST_FIT"
    name = _SPOT_FLEET if by_fleet else _AUTO_SCALING
    role = f"arn:{backend.partition}:iam::{backend.account_id}:role/{name}"
    principal = principal_of_role(role, "launch", backend.account_id)
    return bool(acts.key_refusal(acts.Actor(principal, backend.region_name), key, VOLUME, {}, via="ec2"))


def _keys(backend: BatchBackend, environment: ComputeEnvironment) -> Iterator[str]:
    """Yield the keys of the volumes in its launch template."""
    given = (environment.compute_resources or {}).get("launchTemplate") or {}
    ec2: Any = backend.ec2_backend
    template_id = given.get("launchTemplateId") or ec2.launch_template_name_to_ids.get(given.get("launchTemplateName"))
    template = ec2.launch_templates.get(template_id)
    if template is None:
        return
    version = template.get_version(given.get("version") or "$Default")
    for device in version.data.get("BlockDeviceMappings", []):
        if key := (device.get("Ebs") or {}).get("KmsKeyId"):
            yield str(key)

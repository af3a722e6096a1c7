"""Check the AMIs that a pull request brings: what an AMI starts is root on every host.

An AMI that a parameter names, or AWS's own, is chosen in the account; an id in a manifest can be of any account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.check.places import finding_at
from gen_infra.check.report import Check, RuleInfo

if TYPE_CHECKING:
    from gen_infra.check.base import BaseManifest
    from gen_infra.check.policy import Policy
    from gen_infra.environment import Environment

IMAGES = "images"
IMAGE_RULE = RuleInfo(
    "GI_IMAGE_1",
    "The base or the policy file has each AMI that a change names by its id",
    "use image.parameter, or let an owner of the policy file add the id to images",
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/usingsharedamis-finding.html",
    "high",
)


def image_verdicts(environment: Environment, policy: Policy, base: BaseManifest | None) -> list[Check]:
    """Give the verdict on the AMIs that an environment names by id; none where it is not compared with a base."""
    named = list(environment.manifest.named_images())
    if base is None or not named:
        return []
    new = [(place, ami) for place, ami in named if ami not in base.images and ami not in policy.images]
    findings = tuple(finding_at(environment, place, IMAGE_RULE, f"{ami} is new") for place, ami in new)
    return [Check(IMAGES, f"{len(named)} by id, {len(new)} not accepted", findings)]

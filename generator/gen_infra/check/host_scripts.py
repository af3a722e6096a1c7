"""Check the scripts of a manifest that run as root on the hosts: only a policy file can accept one, by its hash.

The hash covers the text, so that a pull request cannot change a script that was accepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.check.places import finding_at
from gen_infra.check.report import Check, RuleInfo

if TYPE_CHECKING:
    from gen_infra.check.policy import Policy
    from gen_infra.environment import Environment

NAME = "host scripts"
HOST_SCRIPT_RULE = RuleInfo(
    "GI_HOST_1",
    "The policy file accepts each script that runs as root on the hosts",
    "let an owner of the policy file read it, and add its hash to host_scripts",
    "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html",
    "high",
)


def script_verdicts(environment: Environment, policy: Policy) -> list[Check]:
    """Give the verdict on an environment's scripts; none for an environment without."""
    scripts = list(environment.manifest.host_scripts())
    findings = tuple(
        finding_at(
            environment,
            place,
            HOST_SCRIPT_RULE,
            f"{script.path} runs as root on hosts, and its SHA-256 is {script.sha256}",
        )
        for place, script in scripts
        if script.sha256 not in policy.host_scripts
    )
    if not scripts:
        return []
    noun = "script" if len(scripts) == 1 else "scripts"
    return [Check(NAME, f"{len(scripts)} {noun}, {len(findings)} not accepted", findings)]

"""Check the scripts of a manifest that run as root on the hosts: only a policy file can accept one, by its hash.

The hash covers the text, so that a pull request cannot change a script that was accepted.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gen_infra.check.report import Check, Finding, RuleInfo
from gen_infra.manifest.reading.nodes import dotted, file_and_line

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
    findings = []
    for place, script in scripts:
        if script.sha256 in policy.host_scripts:
            continue
        file, line = file_and_line(environment.loaded.nodes, place) or ("", 0)
        key = dotted(place)
        message = (
            f"{HOST_SCRIPT_RULE.id} {HOST_SCRIPT_RULE.title}: {script.path} runs as root on hosts, and its SHA-256 is "
            f"{script.sha256}; {HOST_SCRIPT_RULE.remedy}"
        )
        where = f"{key} ({file}:{line})" if file else key
        shown = os.path.relpath(file, environment.root) if file else ""
        findings.append(Finding("failed", message, where, HOST_SCRIPT_RULE, key, shown, line))
    if not scripts:
        return []
    noun = "script" if len(scripts) == 1 else "scripts"
    return [Check(NAME, f"{len(scripts)} {noun}, {len(findings)} not accepted", tuple(findings))]

"""Report a finding about a key of the manifest, at the line where the key was written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gen_infra.check.report import Finding
from gen_infra.manifest.model.base import dotted
from gen_infra.manifest.reading.nodes import file_and_line

if TYPE_CHECKING:
    from gen_infra.check.report import RuleInfo
    from gen_infra.environment import Environment
    from gen_infra.manifest.model.base import KeyPath


def finding_at(environment: Environment, place: KeyPath, rule: RuleInfo, problem: str) -> Finding:
    """Return a failed finding of a rule, with the key as its address."""
    file, line = file_and_line(environment.loaded.nodes, place) or ("", 0)
    key = dotted(place)
    where = f"{key} ({file}:{line})" if file else key
    shown = os.path.relpath(file, environment.root) if file else ""
    message = f"{rule.id} {rule.title}: {problem}; {rule.remedy}"
    return Finding("failed", message, where, rule, key, shown, line)

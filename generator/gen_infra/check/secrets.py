"""Look for secrets in the manifest's files with detect-secrets, whose maintainers follow new formats of tokens.

`render` has already refused what the reader of manifests recognises; this finds formats that it does not know. It
searches values as YAML reads them, and files line by line for comments and for values that a child replaces.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from gen_infra.check.report import Check, Finding, RuleInfo
from gen_infra.manifest.model.base import dotted
from gen_infra.manifest.reading.nodes import Map, Scalar
from gen_infra.tools.checkov.adapter import find_checkov
from gen_infra.tools.checkov.secrets import detect_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gen_infra.environment import Environment
    from gen_infra.manifest.model.base import KeyPath
    from gen_infra.manifest.reading.nodes import Node, SourceText
    from gen_infra.tools.checkov.secrets import DetectedSecret

DETECTOR = "detect-secrets"
SECRET_RULE = RuleInfo(
    "GI_SECRET_1",
    "The manifest contains no secret",
    "keep it in Secrets Manager or SSM, put its ARN under the job's secrets, and rotate it: this copy is compromised",
    "https://docs.aws.amazon.com/batch/latest/userguide/specifying-sensitive-data.html",
    "high",
)


class _Text(NamedTuple):
    """One line of a value or of a file, and its place."""

    line: str
    source: SourceText
    number: int
    key: str


def secret_verdicts(environments: Sequence[Environment]) -> list[Check]:
    """Give the verdict on each environment's manifest; one process searches all of them."""
    texts = [list(_texts(environment.loaded.nodes)) for environment in environments]
    lines = (text.line for each in texts for text in each)
    secrets = detect_secrets(find_checkov(os.environ), lines, os.environ)
    return [_verdict(each, secrets, environment) for each, environment in zip(texts, environments, strict=True)]


def _verdict(
    texts: Sequence[_Text], secrets: Mapping[str, tuple[DetectedSecret, ...]], environment: Environment
) -> Check:
    found: dict[tuple[str, DetectedSecret], Finding] = {}
    for text in texts:
        for secret in secrets.get(text.line, ()):
            found.setdefault((text.source.name, secret), _finding(text, secret, environment))
    files = len({text.source.name for text in texts})
    summary = f"{files} {'file' if files == 1 else 'files'} of the manifest, {len(found)} secrets"
    return Check(DETECTOR, summary, tuple(found.values()))


def _finding(text: _Text, secret: DetectedSecret, environment: Environment) -> Finding:
    place = f"{text.source.name}:{text.number}"
    address = (text.key or place).replace(secret.text, "…")
    where = f"{address} ({place})" if text.key else place
    problem = f'detect-secrets reports "{secret.kind}"'
    message = f"{SECRET_RULE.id} {SECRET_RULE.title}: {problem}; {SECRET_RULE.remedy}"
    file = os.path.relpath(text.source.path, environment.root)
    return Finding("failed", message, where, SECRET_RULE, address, file, text.number)


def _texts(root: Map) -> Iterator[_Text]:
    """Yield the lines of all values with their keys, then those of the files that they come from."""
    sources: dict[str, SourceText] = {root.source.name: root.source}
    for key_path, scalar in _scalars(root, ()):
        sources.setdefault(scalar.source.name, scalar.source)
        for line in str(scalar.value).splitlines():
            yield _Text(line, scalar.source, scalar.mark[0] + 1, dotted(key_path))
    for source in sources.values():
        for number, line in enumerate(source.text.split("\n"), start=1):
            yield _Text(line, source, number, "")


def _scalars(node: Node, key_path: KeyPath) -> Iterator[tuple[KeyPath, Scalar]]:
    if isinstance(node, Scalar):
        if isinstance(node.value, str):
            yield key_path, node
    elif isinstance(node, Map):
        for key, entry in node.entries.items():
            yield from _scalars(entry.node, (*key_path, key))
    else:
        for index, item in enumerate(node.items):
            yield from _scalars(item, (*key_path, index))

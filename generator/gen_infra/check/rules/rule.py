"""Define a security check: a function over one resource, and what a reader of its findings needs to know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias

from gen_infra.manifest.model.image import CURATED_BUILD_IMAGE, Scratch
from gen_infra.terraform.source import Resource

Severity: TypeAlias = Literal["high", "medium", "low"]


@dataclass(frozen=True, slots=True)
class Accepted:
    """What an environment and a policy file make acceptable.

    Attributes:
        job_folders: the folders of the hosts that every job may mount, such as scratch.
        host_paths: the policy file's folders and devices of hosts.
        roles: patterns of the ARNs of roles and instance profiles: of the policy file, and of what the environment
            creates.
        account: the environment's account; empty if it is not known.
        boundary: the permissions boundary of every role; empty if the manifest has none, or if it is not known.
        trusted: the principals and the subjects of CI that may assume roles; None if they are not known.
        boot_scripts: the SHA-256 of each script in the user data of a compute environment's instances, in their order,
            by the address of its module; a module that is missing here is not checked.
        objects: the buckets that roles may use, each with the prefixes in it, an empty one for the whole bucket; None
            if they are not known.
        registers_privileged: whether an engine may register job definitions with privileged containers.
        build_image: the container image in which CodeBuild rebuilds the machine image.
    """

    job_folders: tuple[str, ...] = (Scratch().mount,)
    host_paths: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    account: str = ""
    boundary: str = ""
    trusted: frozenset[str] | None = None
    boot_scripts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    objects: Mapping[str, frozenset[str]] | None = None
    registers_privileged: bool = True
    build_image: str = CURATED_BUILD_IMAGE

    def accepts_role(self, arn: str) -> bool:
        """Return whether a role or an instance profile may be used."""
        return any(fnmatchcase(arn, pattern) for pattern in self.roles)


Find: TypeAlias = Callable[[Resource], Iterable[str]]
FindBeyond: TypeAlias = Callable[[Resource, Accepted], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One check.

    Attributes:
        id: ``GI_<topic>_<number>``; never reused for another check.
        severity: how serious a violation is.
        title: the requirement.
        remedy: how to fix a violation.
        source: the address of the documentation behind it.
        kinds: the resource types that it checks, as `fnmatch` patterns.
        find: yields the problems of a resource beyond what is accepted, each as the end of a sentence about it.
        privilege: a violation gives power over hosts or the account, so that only a policy file can accept it.
    """

    id: str
    severity: Severity
    title: str
    remedy: str
    source: str
    kinds: tuple[str, ...]
    find: FindBeyond
    privilege: bool = False

    def broken_by(self, resource: Resource, accepted: Accepted) -> Iterator[str]:
        """Yield the problems of a resource."""
        if any(fnmatchcase(resource.kind, kind) for kind in self.kinds):
            yield from self.find(resource, accepted)


def existed_before(resource: Resource) -> bool:
    """Return whether the manifest took it over as it was; in the source only."""
    return resource.file == "existing.tf" or resource.file.startswith("modules/existing-environment/")


def rule(
    rule_id: str, *kinds: str, severity: Severity, title: str, remedy: str, source: str, privilege: bool = False
) -> Callable[[Find], Rule]:
    """Make the decorated function a rule; its module lists it in ``RULES``."""

    def make(find: Find) -> Rule:
        return Rule(rule_id, severity, title, remedy, source, kinds, lambda resource, _: find(resource), privilege)

    return make


def rule_beyond(
    rule_id: str, *kinds: str, severity: Severity, title: str, remedy: str, source: str, privilege: bool = True
) -> Callable[[FindBeyond], Rule]:
    """Make the decorated function a rule, usually of privileges, that finds what is not accepted."""

    def make(find: FindBeyond) -> Rule:
        return Rule(rule_id, severity, title, remedy, source, kinds, find, privilege)

    return make

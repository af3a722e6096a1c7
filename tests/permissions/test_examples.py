"""Every example is applied, planned again and destroyed, and its role `apply` allows each request.

The examples share a few runs of Terraform, as in `tests/emulator/pipeline/test_examples.py`. A request that names an
example's resource must be allowed by the role of that example; one that names none by that of any. The emulator's
account is in the partition `aws`, and so are these examples.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from typing import TYPE_CHECKING

import msgspec

from gen_infra.iam import PolicyDocument, Principal, PrincipalKind, evaluate
from gen_infra.permissions.policies import documents
from tests.cli import clean_environ
from tests.emulator.pipeline.test_examples import EXAMPLES, HOME, ROOTS, SideBySide, owned_elsewhere
from tests.emulator.provider import running_provider
from tests.permissions.environments import ACCOUNT_ID, credentials, role_with
from tests.permissions.policies import Recorded, policies_of, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from gen_infra.manifest import Manifest
    from tests.emulator.session import Session

BOUNDARY = f"arn:aws:iam::{ACCOUNT_ID}:policy/developer-boundary"
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class Bounded(SideBySide):
    """The examples, with the permissions boundary that the role `apply` requires."""

    def __init__(self, *arguments: object) -> None:
        self.applied: dict[str, Manifest] = {}
        super().__init__(*arguments)  # type: ignore[arg-type] # those of the base class

    def findable(self, manifest: Manifest) -> Manifest:
        iam = msgspec.structs.replace(manifest.iam, permissions_boundary=BOUNDARY)
        self.applied[manifest.name] = msgspec.structs.replace(super().findable(manifest), iam=iam)
        return self.applied[manifest.name]


def test_the_role_apply_allows_what_each_example_needs(
    session: Session, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("examples")
    with ExitStack() as stack:
        aws = stack.enter_context(session.seeded())
        owned_elsewhere(aws)
        role = role_with(aws, "everything", EVERYTHING)
        folders = {}
        for number, root in enumerate(root for root in ROOTS if root.region == HOME):
            place, environ = folder / str(number), clean_environ(**aws.environ | credentials(aws, role))
            provider = running_provider(session.provider(), folder / f"bin{number}", environ, root=place)
            folders[place] = (root, stack.enter_context(provider))
        made = Bounded(aws, folders)
        made.terraform("init")
        made.terraform("apply", "-auto-approve", "-parallelism=40")
        keys = {each.owner: each.read for each in policies_of(aws).all if ":kms:" in each.owner}
        made.terraform("plan", "-detailed-exitcode", "-parallelism=40")
        made.terraform("destroy", "-auto-approve", "-parallelism=40")
        requests = [each for each in recorded(aws.iam_requests()) if each.caller == role]
    assert len(made.applied) == len([each for each in EXAMPLES.values() if each.region == HOME])
    assert len(requests) > 1000
    assert list(refused(requests, made.applied, keys)) == []


def refused(requests: list[Recorded], manifests: dict[str, Manifest], keys: dict[str, PolicyDocument]) -> Iterator[str]:
    """Yield the requests that the role `apply` of their example does not allow."""
    principals = {
        name: Principal(
            PrincipalKind.ROLE,
            f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/apply/session",
            ACCOUNT_ID,
            role_arn=f"arn:aws:iam::{ACCOUNT_ID}:role/apply",
            policies=tuple(PolicyDocument.read(each) for each in documents(manifest, "apply")),
        )
        for name, manifest in manifests.items()
    }
    names = re.compile(rf"[-/]({'|'.join(manifests)})(?=$|[-/:*])")
    for each in requests:
        named = set(names.findall(each.request.resource)) or manifests
        decisions = [evaluate(each.request, principals[name], keys.get(each.owner)) for name in named]
        if not any(decision.is_allowed for decision in decisions):
            yield f"{', '.join(sorted(named)) if named is not manifests else 'any'}: {decisions[0].message}"

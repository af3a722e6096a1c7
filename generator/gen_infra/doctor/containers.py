"""The doctor on container images: what the jobs will pull is there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gen_infra.doctor.account import check
from gen_infra.doctor.diagnosis import ok, warning, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_ecr.type_defs import ImageIdentifierTypeDef

    from gen_infra.aws.session import Clients
    from gen_infra.doctor.diagnosis import Diagnosis

_SUBJECT = "container images"
_IN_ECR = re.compile(
    r"(?P<account>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?"
)


@check(_SUBJECT, "ecr")
def container_image(clients: Clients, account: str, uri: str) -> Iterator[Diagnosis]:
    """Check whether an image is in this account's ECR; one of another registry is named, and not looked up.

    ``account`` is the clients' own; ``uri`` is the full one, as the job definition has it.
    """
    found = _IN_ECR.fullmatch(uri)
    if not found or (found["account"], found["region"]) != (account, clients.region):
        yield ok(_SUBJECT, f"{uri} is not in this account's ECR here: not looked up")
        return
    repository = found["repository"]
    identifier: ImageIdentifierTypeDef = (
        {"imageDigest": found["digest"]} if found["digest"] else {"imageTag": found["tag"] or "latest"}
    )
    name = f"{repository} {next(iter(identifier.values()))}"
    try:
        clients.ecr.describe_images(repositoryName=repository, imageIds=[identifier])
    except clients.ecr.exceptions.RepositoryNotFoundException:
        advice = f"after apply: docker push {_pushed(clients, uri)}"
        yield warning(_SUBJECT, f"repository {repository} does not exist yet", advice)
    except clients.ecr.exceptions.ImageNotFoundException:
        yield wrong(_SUBJECT, f"{name} is not there: its jobs would fail", f"docker push {_pushed(clients, uri)}")
    else:
        yield ok(_SUBJECT, name)


def _pushed(clients: Clients, uri: str) -> str:
    """Return the name to push an image by: with the address of an emulator, if the clients use one."""
    address = urlsplit(clients.ecr.meta.endpoint_url).netloc
    return (
        uri
        if address.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))
        else f"{address}/{uri.partition('/')[2]}"
    )

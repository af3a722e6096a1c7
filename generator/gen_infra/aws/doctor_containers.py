"""The doctor on container images: what the jobs will pull is there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_infra.aws.doctor import check
from gen_infra.diagnosis import ok, warning, wrong

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mypy_boto3_ecr.type_defs import ImageIdentifierTypeDef

    from gen_infra.aws.session import Clients
    from gen_infra.diagnosis import Diagnosis

_SUBJECT = "container images"
_IN_ECR = re.compile(
    r"(?P<account>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>.+))?"
)


def container_images(clients: Clients, account: str, uris: Iterable[str]) -> list[Diagnosis]:
    """Whether each image is in this account's ECR; those of other registries are named, and not looked up.

    ``account`` is the clients' own; ``uris`` are full ones, as the job definitions have them.
    """
    lines = []
    for uri in uris:
        found = _IN_ECR.fullmatch(uri)
        if found and (found["account"], found["region"]) == (account, clients.region):
            identifier: ImageIdentifierTypeDef = (
                {"imageDigest": found["digest"]} if found["digest"] else {"imageTag": found["tag"] or "latest"}
            )
            lines += _image(clients, found["repository"], identifier, uri)
        else:
            lines.append(ok(_SUBJECT, f"{uri} is not in this account's ECR here: not looked up"))
    return lines


@check(_SUBJECT, "ecr")
def _image(clients: Clients, repository: str, identifier: ImageIdentifierTypeDef, uri: str) -> Iterator[Diagnosis]:
    name = f"{repository} {next(iter(identifier.values()))}"
    try:
        clients.ecr.describe_images(repositoryName=repository, imageIds=[identifier])
    except clients.ecr.exceptions.RepositoryNotFoundException:
        advice = f"after apply: docker push {uri}"
        yield warning(_SUBJECT, f"there is no repository {repository} yet", advice)
    except clients.ecr.exceptions.ImageNotFoundException:
        yield wrong(_SUBJECT, f"{name} is not there: its jobs would fail", f"docker push {uri}")
    else:
        yield ok(_SUBJECT, name)

"""Read the names of images: https://pkg.go.dev/github.com/distribution/reference."""

from __future__ import annotations

import re
from typing import NamedTuple

_PART = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_NAME = re.compile(
    rf"(?P<path>{_PART}(?::[0-9]+(?=/))?(?:/{_PART})*)(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{{0,127}}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_ECR = re.compile(r"(?P<account>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<repository>.+)")


class EcrRepository(NamedTuple):
    """A repository of ECR."""

    account: str
    region: str
    name: str


class ImageName(NamedTuple):
    """The parts of a name.

    Args:
        path: the registry and the repository, such as ``public.ecr.aws/lts/ubuntu``.
        tag: the tag; empty if the name has none.
        digest: the digest; empty if the name has none.
    """

    path: str
    tag: str
    digest: str

    @classmethod
    def read(cls, name: str) -> ImageName | None:
        """Read a name; None if it is none. A name's parts are never ``..``."""
        found = _NAME.fullmatch(name)
        return cls(found["path"], found["tag"] or "", found["digest"] or "") if found else None

    @property
    def reference(self) -> str:
        """Return what selects the image in its repository: the digest, or the tag, which is ``latest`` if not given."""
        return self.digest or self.tag or "latest"

    @property
    def ecr(self) -> EcrRepository | None:
        """Return the repository in ECR; None in other registries."""
        found = _ECR.fullmatch(self.path)
        return EcrRepository(found["account"], found["region"], found["repository"]) if found else None

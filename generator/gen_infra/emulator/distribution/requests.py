"""Read a request to the registry: what is asked, and the call of ECR's API that needs the same permission.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

from gen_infra.emulator.distribution import tokens

if TYPE_CHECKING:
    from collections.abc import Mapping
    from wsgiref.types import WSGIEnvironment

    from gen_infra.emulator.distribution.tokens import Token

PREFIX = "/v2/"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = rf"(?P<repository>{_PART}(?:/{_PART})*)"
_TAG_OR_DIGEST = r"(?P<reference>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|sha256:[0-9a-f]{64})"


class _Endpoint(NamedTuple):
    """An endpoint of the distribution API, and the action of ECR that it needs."""

    methods: str
    path: re.Pattern[str]
    kind: str
    action: str


_ENDPOINTS = (
    _Endpoint("GET HEAD", re.compile("/v2/"), "version", ""),
    _Endpoint("GET", re.compile(f"/v2/{_NAME}/tags/list"), "tags", "ListImages"),
    _Endpoint("GET HEAD", re.compile(f"/v2/{_NAME}/manifests/{_TAG_OR_DIGEST}"), "get manifest", "BatchGetImage"),
    _Endpoint("PUT", re.compile(f"/v2/{_NAME}/manifests/{_TAG_OR_DIGEST}"), "put manifest", "PutImage"),
    _Endpoint("HEAD", re.compile(f"/v2/{_NAME}/blobs/(?P<reference>[^/]+)"), "blob", "BatchCheckLayerAvailability"),
    _Endpoint("GET", re.compile(f"/v2/{_NAME}/blobs/(?P<reference>[^/]+)"), "blob", "GetDownloadUrlForLayer"),
    _Endpoint("POST", re.compile(f"/v2/{_NAME}/blobs/uploads/"), "start upload", "InitiateLayerUpload"),
    _Endpoint("GET", re.compile(f"/v2/{_NAME}/blobs/uploads/(?P<reference>[^/]+)"), "upload", "UploadLayerPart"),
    _Endpoint("PATCH", re.compile(f"/v2/{_NAME}/blobs/uploads/(?P<reference>[^/]+)"), "append", "UploadLayerPart"),
    _Endpoint("PUT", re.compile(f"/v2/{_NAME}/blobs/uploads/(?P<reference>[^/]+)"), "complete", "CompleteLayerUpload"),
)


class RegistryRequest(NamedTuple):
    """A request of the distribution API.

    Args:
        kind: what is asked, such as ``put manifest``; empty for an unknown endpoint.
        action: the operation of ECR's API that stands for it; empty for none.
        repository: the repository's name.
        reference: a tag, a digest, or the id of an upload.
        query: the query's parameters.
        token: who asks; None without a valid password.
    """

    kind: str
    action: str
    repository: str
    reference: str
    query: Mapping[str, str]
    token: Token | None

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the operation of ECR's API."""
        if not self.repository:
            return {}
        more: dict[str, Any] = {}
        if self.kind == "get manifest":
            more["imageIds"] = [{self._reference_kind: self.reference}]
        elif self.kind == "put manifest":
            more[self._reference_kind] = self.reference
        elif self.action == "BatchCheckLayerAvailability":
            more["layerDigests"] = [self.reference]
        elif self.kind == "blob":
            more["layerDigest"] = self.reference
        elif self.reference:
            more["uploadId"] = self.reference
        return {"repositoryName": self.repository, **more}

    @property
    def _reference_kind(self) -> str:
        return "imageDigest" if self.is_digest else "imageTag"

    @property
    def is_digest(self) -> bool:
        """Return whether the reference is a digest."""
        return DIGEST.fullmatch(self.reference) is not None


def registry_request(environ: WSGIEnvironment) -> RegistryRequest | None:
    """Read a request; None if it is not for the registry.

    Signed requests below the same path are those of an AWS service; a bucket cannot have so short a name.
    """
    path, authorization = environ["PATH_INFO"], environ.get("HTTP_AUTHORIZATION", "")
    if not f"{path}/".startswith(PREFIX) or authorization.startswith("AWS4-"):
        return None
    token = tokens.read(authorization)
    query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    for each in _ENDPOINTS:
        if environ["REQUEST_METHOD"] in each.methods.split() and (found := each.path.fullmatch(path)):
            names = found.groupdict()
            repository, reference = names.get("repository", ""), names.get("reference", "")
            return RegistryRequest(each.kind, each.action, repository, reference, query, token)
    return RegistryRequest("version" if path == "/v2" else "", "", "", "", query, token)

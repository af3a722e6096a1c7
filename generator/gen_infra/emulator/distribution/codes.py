"""The codes of ECR's API, and those of the distribution API that the registry answers with for them."""

from __future__ import annotations

from http import HTTPStatus
from typing import NamedTuple


class _ErrorKind(NamedTuple):
    code: str
    status: HTTPStatus


# https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#error-codes, and Docker's TAG_INVALID.
_ANSWERS = {
    "AccessDeniedException": _ErrorKind("DENIED", HTTPStatus.FORBIDDEN),
    "ExpiredToken": _ErrorKind("DENIED", HTTPStatus.FORBIDDEN),
    "ImageDigestDoesNotMatchException": _ErrorKind("DIGEST_INVALID", HTTPStatus.BAD_REQUEST),
    "ImageNotFoundException": _ErrorKind("MANIFEST_UNKNOWN", HTTPStatus.NOT_FOUND),
    "ImageTagAlreadyExistsException": _ErrorKind("TAG_INVALID", HTTPStatus.BAD_REQUEST),
    "InvalidClientTokenId": _ErrorKind("DENIED", HTTPStatus.FORBIDDEN),
    "InvalidLayerException": _ErrorKind("DIGEST_INVALID", HTTPStatus.BAD_REQUEST),
    "InvalidLayerPartException": _ErrorKind("BLOB_UPLOAD_INVALID", HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE),
    "InvalidParameterException": _ErrorKind("MANIFEST_INVALID", HTTPStatus.BAD_REQUEST),
    "LayersNotFoundException": _ErrorKind("BLOB_UNKNOWN", HTTPStatus.NOT_FOUND),
    "ReferencedImagesNotFoundException": _ErrorKind("MANIFEST_BLOB_UNKNOWN", HTTPStatus.NOT_FOUND),
    "RepositoryNotFoundException": _ErrorKind("NAME_UNKNOWN", HTTPStatus.NOT_FOUND),
    "ThrottlingException": _ErrorKind("TOOMANYREQUESTS", HTTPStatus.TOO_MANY_REQUESTS),
    "UnauthorizedException": _ErrorKind("UNAUTHORIZED", HTTPStatus.UNAUTHORIZED),
    "UnsupportedException": _ErrorKind("UNSUPPORTED", HTTPStatus.METHOD_NOT_ALLOWED),
    "UploadNotFoundException": _ErrorKind("BLOB_UPLOAD_UNKNOWN", HTTPStatus.NOT_FOUND),
}
_OTHER = _ErrorKind("UNKNOWN", HTTPStatus.BAD_REQUEST)


def registry_code(code: str) -> str:
    """Return the code of the distribution API for one of ECR's API."""
    return _ANSWERS.get(code, _OTHER).code


def registry_status(code: str) -> HTTPStatus:
    """Return the HTTP status for a code of ECR's API."""
    return _ANSWERS.get(code, _OTHER).status

"""Answer the requests to the registry, as ECR does."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from moto.core.exceptions import ServiceException
from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT_ID
from moto.ecr.models import Repository, ecr_backends
from werkzeug.wsgi import FileWrapper, get_input_stream

from gen_infra.emulator.authorization import denial
from gen_infra.emulator.distribution.codes import registry_status
from gen_infra.emulator.distribution.requests import DIGEST, RegistryRequest, registry_request
from gen_infra.emulator.operations import read_operation
from gen_infra.emulator.refusals import refusal
from gen_infra.emulator.registry import images, layers
from gen_infra.emulator.registry.downloads import downloaded_layer
from gen_infra.emulator.registry.errors import EcrError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from moto.ecr.models import ECRBackend

    Headers = list[tuple[str, str]]

_LONGEST_MANIFEST = 4 * 1024 * 1024  # bytes
_CHUNK = 1024 * 1024  # bytes
_REST_OF_LAYER = re.compile(r"bytes=(\d+)-", re.ASCII)
_EMPTY = ("Content-Length", "0")
_DIGEST_HEADER = "Docker-Content-Digest"


class RegistryAnswer(NamedTuple):
    """An HTTP answer."""

    status: HTTPStatus
    headers: Headers = []  # noqa: RUF012 - never changed
    body: Iterable[bytes] = ()


class RegistryCall(NamedTuple):
    """A request with what answers it.

    Args:
        request: the request.
        environ: its WSGI environment.
        repository: the repository.
        body: the request's body.
    """

    request: RegistryRequest
    environ: WSGIEnvironment
    repository: Repository
    body: IO[bytes]

    @property
    def place(self) -> str:
        """Return the path of the repository."""
        return f"/v2/{self.repository.name}"


class Registry:
    """WSGI middleware that answers what is for the registry."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer the request, or hand it on."""
        digest = downloaded_layer(environ)
        request = registry_request(environ)
        if digest is not None:
            answer = _layer(digest, environ) if digest else RegistryAnswer(HTTPStatus.FORBIDDEN, [_EMPTY])
            headers = answer.headers
        elif request is None:
            return self._app(environ, start_response)
        else:
            body = get_input_stream(environ)
            try:
                answer = _answer(request, environ, body)
            except ServiceException as error:
                answer = _refused(request, environ, error.code, error.message)
            while body.read(_CHUNK):  # a client reads the answer when it has sent everything
                pass
            headers = [("Docker-Distribution-Api-Version", "registry/2.0"), *answer.headers]
        start_response(f"{answer.status.value} {answer.status.phrase}", headers)
        return () if environ["REQUEST_METHOD"] == "HEAD" else answer.body


def _answer(request: RegistryRequest, environ: WSGIEnvironment, body: IO[bytes]) -> RegistryAnswer:
    """Answer a request.

    Raises:
        ServiceException: ECR refuses it.
    """
    if request.token is None:
        raise EcrError("UnauthorizedException", "Not Authorized")
    if request.token.expires < time.time():
        raise EcrError("ExpiredToken", "Your authorization token has expired. Reauthenticate and try again.")
    if refused := denial(read_operation(environ), environ):
        raise EcrError(refused.code, refused.message)
    if request.kind == "version":
        return RegistryAnswer(HTTPStatus.OK, [_EMPTY])
    if request.kind not in _HANDLERS:
        raise EcrError("UnsupportedException", "The registry does not support this operation.")
    repository = _backend(request)._get_repository(request.repository)
    return _HANDLERS[request.kind](RegistryCall(request, environ, repository, body))


def _backend(request: RegistryRequest) -> ECRBackend:
    assert request.token is not None  # noqa: S101 - checked before
    found: ECRBackend = ecr_backends[ACCOUNT_ID][request.token.region]
    return found


def _refused(request: RegistryRequest, environ: WSGIEnvironment, code: str, message: str) -> RegistryAnswer:
    headers, body = refusal(read_operation(environ).protocol, code, message)
    if code == "UnauthorizedException":
        headers.append(
            ("WWW-Authenticate", f'Basic realm="http://{environ["HTTP_HOST"]}/",service="ecr.amazonaws.com"')
        )
    if code == "ImageNotFoundException" and request.kind == "get manifest":
        body = refusal("registry", code, "Requested image not found").body
    return RegistryAnswer(registry_status(code), [*headers, ("Content-Length", str(len(body)))], [body])


def _tags(call: RegistryCall) -> RegistryAnswer:
    query, tags = call.request.query, sorted(tag for image in call.repository.images for tag in image.image_tags)
    found = [tag for tag in tags if tag > query.get("last", "")]
    most = int(query["n"]) if query.get("n", "").isdecimal() else len(found)
    body = json.dumps({"name": call.repository.name, "tags": found[:most]}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    if most and found[most:]:
        headers.append(("Link", f'<{call.place}/tags/list?n={most}&last={found[most - 1]}>; rel="next"'))
    return RegistryAnswer(HTTPStatus.OK, headers, [body])


def _get_manifest(call: RegistryCall) -> RegistryAnswer:
    image = images.find(call.repository, call.request.reference)
    if image is None:
        raise EcrError("ImageNotFoundException", "Requested image not found")
    body = image.image_manifest.encode()
    headers = [
        ("Content-Type", image.image_manifest_media_type or images.OCI_MANIFEST),
        ("Content-Length", str(len(body))),
        (_DIGEST_HEADER, image.get_image_digest()),
    ]
    return RegistryAnswer(HTTPStatus.OK, headers, [body])


def _put_manifest(call: RegistryCall) -> RegistryAnswer:
    content = call.body.read(_LONGEST_MANIFEST + 1)
    media_type = call.environ.get("CONTENT_TYPE", "").partition(";")[0]
    manifest = _manifest(content, media_type)
    reference, digest = call.request.reference, images.digest_of(content.decode())
    if call.request.is_digest and reference != digest:
        raise EcrError("ImageDigestDoesNotMatchException", f"The manifest's digest is '{digest}', not '{reference}'")
    images.require_parts(call.repository, manifest, media_type)
    images.put(call.repository, content.decode(), None if call.request.is_digest else reference, media_type)
    headers = [("Location", f"{call.place}/manifests/{digest}"), (_DIGEST_HEADER, digest), _EMPTY]
    return RegistryAnswer(HTTPStatus.CREATED, headers)


def _manifest(content: bytes, media_type: str) -> dict[str, Any]:
    """Read a manifest.

    Raises:
        EcrError: it is none that ECR takes.
    """
    invalid = "Invalid parameter at 'ImageManifest' failed to satisfy constraint:"
    if len(content) > _LONGEST_MANIFEST:
        raise EcrError("InvalidParameterException", f"{invalid} 'must be at most {_LONGEST_MANIFEST} bytes'")
    manifest = images.read(content)
    if media_type not in images.MEDIA_TYPES or manifest.get("mediaType", media_type) != media_type:
        raise EcrError("InvalidParameterException", f"{invalid} 'Unsupported media type {media_type}'")
    return manifest


def _get_blob(call: RegistryCall) -> RegistryAnswer:
    digest = call.request.reference
    layers.require_layer(call.repository, digest)
    return _layer(digest, call.environ)


def _layer(digest: str, environ: WSGIEnvironment) -> RegistryAnswer:
    """Answer with a layer, or with its end for a client that continues a download."""
    path = layers.layer_path(digest)
    size = path.stat().st_size
    asked = _REST_OF_LAYER.fullmatch(environ.get("HTTP_RANGE", ""))
    first = int(asked[1]) if asked else 0
    if first and first >= size:
        unsatisfied = [("Content-Range", f"bytes */{size}"), _EMPTY]
        return RegistryAnswer(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, unsatisfied)
    headers = [
        ("Content-Type", "application/octet-stream"),
        ("Content-Length", str(size - first)),
        ("Accept-Ranges", "bytes"),
        (_DIGEST_HEADER, digest),
    ]
    headers += [("Content-Range", f"bytes {first}-{size - 1}/{size}")] if asked else []
    status = HTTPStatus.PARTIAL_CONTENT if asked else HTTPStatus.OK
    if environ["REQUEST_METHOD"] == "HEAD":
        return RegistryAnswer(status, headers)
    file = path.open("rb")
    file.seek(first)
    return RegistryAnswer(status, headers, FileWrapper(file, _CHUNK))


def _start_upload(call: RegistryCall) -> RegistryAnswer:
    query = call.request.query
    if mounted := query.get("mount"):
        source = _backend(call.request).repositories.get(query.get("from", ""))
        if source is not None and mounted in source.layers and _may_read(call, source):
            call.repository.layers[mounted] = source.layers[mounted]
            return _created(call, mounted)
    upload = layers.start_upload(call.repository)
    if "digest" not in query:
        return _accepted(call, upload.upload_id, 0)
    layers.append(call.repository, upload.upload_id, call.body)
    return _completed(call, upload.upload_id)


def _may_read(call: RegistryCall, source: Repository) -> bool:
    """Return whether the caller may read a layer of the repository from which it is mounted."""
    reading = replace(
        read_operation(call.environ), action="GetDownloadUrlForLayer", parameters={"repositoryName": source.name}
    )
    return denial(reading, call.environ) is None


def _append(call: RegistryCall) -> RegistryAnswer:
    first = call.environ.get("HTTP_CONTENT_RANGE", "").partition("-")[0].removeprefix("bytes ")
    upload_id = call.request.reference
    size = layers.append(call.repository, upload_id, call.body, int(first) if first.isdecimal() else None)
    return _accepted(call, upload_id, size)


def _upload(call: RegistryCall) -> RegistryAnswer:
    size = layers.uploaded_bytes(call.repository, call.request.reference)
    return _accepted(call, call.request.reference, size, HTTPStatus.NO_CONTENT)


def _complete(call: RegistryCall) -> RegistryAnswer:
    layers.append(call.repository, call.request.reference, call.body)
    return _completed(call, call.request.reference)


def _completed(call: RegistryCall, upload_id: str) -> RegistryAnswer:
    expected = call.request.query.get("digest", "")
    if not DIGEST.fullmatch(expected):
        raise EcrError("InvalidLayerException", f"Invalid layer digest '{expected}'")
    return _created(call, layers.complete(call.repository, upload_id, expected))


def _created(call: RegistryCall, digest: str) -> RegistryAnswer:
    headers = [("Location", f"{call.place}/blobs/{digest}"), (_DIGEST_HEADER, digest), _EMPTY]
    return RegistryAnswer(HTTPStatus.CREATED, headers)


def _accepted(
    call: RegistryCall, upload_id: str, size: int, status: HTTPStatus = HTTPStatus.ACCEPTED
) -> RegistryAnswer:
    headers = [
        ("Location", f"{call.place}/blobs/uploads/{upload_id}"),
        ("Range", f"0-{max(size - 1, 0)}"),
        ("Docker-Upload-UUID", upload_id),
    ]
    if status != HTTPStatus.NO_CONTENT:
        headers.append(_EMPTY)
    return RegistryAnswer(status, headers)


_HANDLERS: dict[str, Callable[[RegistryCall], RegistryAnswer]] = {
    "append": _append,
    "blob": _get_blob,
    "complete": _complete,
    "get manifest": _get_manifest,
    "put manifest": _put_manifest,
    "start upload": _start_upload,
    "tags": _tags,
    "upload": _upload,
}

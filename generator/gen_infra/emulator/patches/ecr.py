"""ECR: the keys of repositories, images by their digests, layers in files, tags, and tokens (see `registry`)."""

from __future__ import annotations

import base64
import io
import time
from datetime import UTC, datetime
from inspect import signature
from typing import TYPE_CHECKING, Any

import flask
from moto.core.responses import ActionResult
from moto.ecr.exceptions import ImageAlreadyExistsException, InvalidParameterException
from moto.ecr.models import DEFAULT_LAYER_PART_SIZE, ECRBackend, Image
from moto.ecr.responses import ECRResponse
from moto.kms.models import kms_backends

from gen_infra.emulator.distribution import tokens
from gen_infra.emulator.operations import read_operation
from gen_infra.emulator.patches.moto_patch import MotoPatch, around, instead_of, moto_patch
from gen_infra.emulator.registry import images, layers
from gen_infra.emulator.registry.downloads import download_path
from gen_infra.emulator.registry.errors import EcrError

if TYPE_CHECKING:
    from moto.ecr.models import Repository


@moto_patch(
    moto="5.2.5 accepts any text as the key of a repository",
    aws="refuses a key that does not exist or is not enabled with KmsException",
)
def repository_keys() -> None:
    """Look up the key before the repository is created.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html
    """

    @around(ECRBackend, "create_repository")
    def create_repository(original: Any, backend: ECRBackend, *args: Any, **kwargs: Any) -> Repository:
        given = signature(original).bind(backend, *args, **kwargs).arguments
        if key := (given["encryption_config"] or {}).get("kmsKey"):
            kms = kms_backends[backend.account_id][backend.region_name]
            found = kms.keys.get(kms.any_id_to_key_id(key)) if backend.region_name in key or ":" not in key else None
            if found is None or found.key_state != "Enabled":
                raise EcrError("KmsException", f"The key '{key}' does not exist or is not enabled.")
        made: Repository = original(backend, *args, **kwargs)
        return made


@moto_patch(
    moto="5.2.5 gives the time of a push in whole seconds",
    aws="gives it in milliseconds, so that images of one second have an order",
)
def push_time() -> None:
    """Set the time again after moto has rounded it."""

    @around(Image, "__init__")
    def set_push_time(original: Any, image: Image, *args: Any, **kwargs: Any) -> None:
        original(image, *args, **kwargs)
        setattr(image, "image_pushed_at", round(time.time(), 3))  # noqa: B010 - moto declares an integer


@moto_patch(
    moto="5.2.5 makes an image's digest from those of its layers, or at random, and its size from its configuration's",
    aws="takes the digest of the manifest, and adds up the sizes of the layers and the configuration",
)
def image_digests() -> None:
    """Take both from the manifest."""

    @instead_of(Image, "get_image_digest")
    def get_image_digest(image: Image) -> str:
        return images.digest_of(image.image_manifest)

    @instead_of(Image, "get_image_size_in_bytes")
    def get_image_size_in_bytes(image: Image) -> int | None:
        return images.size_of(image.image_manifest)


@moto_patch(
    moto="5.2.5 deletes an image whose tag moves to another, refuses an immutable tag with another error, and takes an"
    " image whose layers the repository does not have",
    aws="keeps the image untagged, and answers ImageTagAlreadyExistsException and LayersNotFoundException",
)
def moved_tags() -> None:
    """Put an image as the registry does."""

    @instead_of(ECRBackend, "put_image")
    def put_image(
        backend: ECRBackend,
        repository_name: str,
        image_manifest: str,
        image_tag: str,
        image_manifest_mediatype: str | None = None,
        digest: str | None = None,
    ) -> Image:
        repository, found = backend._get_repository(repository_name), images.digest_of(image_manifest)
        media_type = image_manifest_mediatype or images.read(image_manifest).get("mediaType")
        if not media_type:
            raise InvalidParameterException("image manifest mediatype not provided in manifest or parameter")
        if digest not in (None, found):
            raise EcrError("ImageDigestDoesNotMatchException", f"The manifest's digest is '{found}'")
        if media_type in images.MEDIA_TYPES:
            images.require_parts(repository, images.read(image_manifest), media_type)
        existing = images.find(repository, found)
        if existing and (not image_tag or image_tag in existing.image_tags):
            raise ImageAlreadyExistsException(repository_name, repository.registry_id, found, image_tag)
        return images.put(repository, image_manifest, image_tag, media_type)


@moto_patch(
    moto="5.2.5 keeps the parts of a layer in memory, and of a complete layer only the size",
    aws="keeps layers, so that the registry can hand them out, and refuses one with another digest, an empty one, and"
    " one that the repository has",
)
def layers_in_files() -> None:
    """Keep layers as the registry does."""

    @instead_of(ECRBackend, "initiate_layer_upload")
    def initiate(backend: ECRBackend, repository_name: str, registry_id: str | None = None) -> dict[str, Any]:
        upload = layers.start_upload(backend._get_repository(repository_name, registry_id))
        return {"uploadId": upload.upload_id, "partSize": DEFAULT_LAYER_PART_SIZE}

    @instead_of(ECRBackend, "upload_layer_part")
    def upload_part(
        backend: ECRBackend,
        repository_name: str,
        upload_id: str,
        part_first_byte: int,
        part_last_byte: int,
        layer_part_blob: bytes,
        registry_id: str | None = None,
    ) -> dict[str, Any]:
        del part_last_byte
        repository = backend._get_repository(repository_name, registry_id)
        size = layers.append(repository, upload_id, io.BytesIO(layer_part_blob), part_first_byte)
        return _of_upload(repository, upload_id) | {"lastByteReceived": size - 1}

    @instead_of(ECRBackend, "complete_layer_upload")
    def complete(
        backend: ECRBackend,
        repository_name: str,
        upload_id: str,
        layer_digests: list[str],
        registry_id: str | None = None,
    ) -> dict[str, Any]:
        repository = backend._get_repository(repository_name, registry_id)
        if not layers.uploaded_bytes(repository, upload_id):
            raise EcrError("EmptyUploadException", f"The upload '{upload_id}' has no layer parts")
        if layer_digests[0] in repository.layers:
            message = f"Layer with digest '{layer_digests[0]}' already exists in the repository '{repository_name}'"
            raise EcrError("LayerAlreadyExistsException", message)
        digest = layers.complete(repository, upload_id, layer_digests[0])
        return _of_upload(repository, upload_id) | {"layerDigest": digest}


def _of_upload(repository: Repository, upload_id: str) -> dict[str, Any]:
    return {"registryId": repository.registry_id, "repositoryName": repository.name, "uploadId": upload_id}


@moto_patch(
    moto="5.2.5 does not implement GetDownloadUrlForLayer",
    aws="answers with a URL that is valid for an hour, or with LayersNotFoundException",
)
def layer_downloads() -> None:
    """Give a URL that the registry answers."""

    @instead_of(ECRResponse, "get_download_url_for_layer")
    def get_download_url(response: ECRResponse) -> ActionResult:
        name, digest = response._get_param("repositoryName"), response._get_param("layerDigest")
        layers.require_layer(response.ecr_backend._get_repository(name, response._get_param("registryId")), digest)
        url = f"{flask.request.host_url.rstrip('/')}{download_path(response.region, digest)}"
        return ActionResult({"downloadUrl": url, "layerDigest": digest})


@moto_patch(
    moto="5.2.5 names the tag 'null' for an image that BatchGetImage does not find by its digest",
    aws="repeats what was asked",
)
def absent_images() -> None:
    """Report each absent image as it was asked for."""

    @around(ECRBackend, "batch_get_image")
    def batch_get_image(
        original: Any, backend: ECRBackend, name: str, registry_id: str | None, image_ids: list[dict[str, str]]
    ) -> dict[str, Any]:
        answers = [original(backend, name, registry_id, [each]) for each in image_ids]
        failures = [
            failure | {"imageId": each}
            for each, answer in zip(image_ids, answers, strict=True)
            for failure in answer["failures"]
        ]
        return {"images": [image for answer in answers for image in answer["images"]], "failures": failures}


@moto_patch(
    moto="5.2.5 gives the same authorization token to every caller, expired since 2015",
    aws="gives a token that stands for its caller for 12 hours",
)
def authorization_tokens() -> None:
    """Give a token that the registry can read."""

    @instead_of(ECRResponse, "get_authorization_token")
    def get_authorization_token(response: ECRResponse) -> ActionResult:
        expires = int(time.time()) + tokens.VALID_SECONDS
        password = tokens.write(tokens.Token(_access_key(), response.region, expires))
        token = base64.b64encode(f"{tokens.USER}:{password}".encode()).decode()
        data = [
            {
                "authorizationToken": token,
                "expiresAt": datetime.fromtimestamp(expires, UTC),
                "proxyEndpoint": f"https://{registry}.dkr.ecr.{response.region}.amazonaws.com",
            }
            for registry in response._get_param("registryIds") or [response.current_account]
        ]
        return ActionResult({"authorizationData": data})


def _access_key() -> str:
    """Return the access key that signed the request; moto knows only those with the form of AWS's."""
    return read_operation(flask.request.environ).access_key


PATCHES: tuple[MotoPatch, ...] = (
    repository_keys,
    push_time,
    image_digests,
    moved_tags,
    layers_in_files,
    layer_downloads,
    absent_images,
    authorization_tokens,
)

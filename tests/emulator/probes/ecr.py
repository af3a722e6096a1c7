"""ECR: images by their digests, layers, tags, and tokens."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from tests.emulator.probes import Lab, probe, refusal
from tests.emulator.pushed import manifest_of, put_image, upload_layer

_LAYER = b"layer"
_DIGEST = "sha256:" + hashlib.sha256(_LAYER).hexdigest()


def _repository(lab: Lab) -> tuple[Any, str]:
    ecr, name = lab.client("ecr"), lab.name("repository")
    ecr.create_repository(repositoryName=name)
    return ecr, name


@probe("in milliseconds")
def push_time(lab: Lab) -> Any:
    ecr, name = _repository(lab)
    for number in "123":
        put_image(ecr, name, number, number.encode())
    times = [image["imagePushedAt"] for image in ecr.describe_images(repositoryName=name)["imageDetails"]]
    return "in milliseconds" if any(time.microsecond for time in times) else times


@probe(["sha256:" + hashlib.sha256(manifest_of(_LAYER).encode()).hexdigest(), len(_LAYER) + len("{}")])
def image_digests(lab: Lab) -> Any:
    ecr, name = _repository(lab)
    digest = put_image(ecr, name, "1", _LAYER)
    return [digest, ecr.describe_images(repositoryName=name)["imageDetails"][0]["imageSizeInBytes"]]


@probe([[None, "1"], "ImageTagAlreadyExistsException", "LayersNotFoundException"])
def moved_tags(lab: Lab) -> Any:
    """Move a tag to another image, put an image without its layers, then make tags immutable and try again."""
    ecr, name = _repository(lab)
    for layer in (b"first", b"second"):
        put_image(ecr, name, "1", layer)
    tags = [image.get("imageTag") for image in ecr.list_images(repositoryName=name)["imageIds"]]
    absent = refusal(ecr.put_image, repositoryName=name, imageManifest=manifest_of(b"absent"), imageTag="2")
    ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability="IMMUTABLE")
    again = refusal(ecr.put_image, repositoryName=name, imageManifest=manifest_of(b"first", b"second"), imageTag="1")
    return [tags, again, absent]


@probe(["InvalidLayerException", "EmptyUploadException", "LayerAlreadyExistsException"])
def layers_in_files(lab: Lab) -> Any:
    """Complete uploads with another digest, without content, and of a layer that is there."""
    ecr, name = _repository(lab)
    upload_layer(ecr, name, _LAYER)
    answers = []
    for content, digest in ((b"other", "sha256:" + "0" * 64), (b"", _DIGEST), (_LAYER, _DIGEST)):
        upload = {"repositoryName": name, "uploadId": ecr.initiate_layer_upload(repositoryName=name)["uploadId"]}
        if content:
            part = {"partFirstByte": 0, "partLastByte": len(content) - 1, "layerPartBlob": content}
            ecr.upload_layer_part(**upload, **part)
        answers.append(refusal(ecr.complete_layer_upload, **upload, layerDigests=[digest]))
    return answers


@probe([_LAYER, 403, "LayersNotFoundException"])
def layer_downloads(lab: Lab) -> Any:
    """Download a layer, another one with the same signature, and ask for one that is absent."""
    ecr, name = _repository(lab)
    upload_layer(ecr, name, _LAYER)
    try:
        url = ecr.get_download_url_for_layer(repositoryName=name, layerDigest=_DIGEST)["downloadUrl"]
    except ClientError as error:
        return error.response["Error"]["Code"]
    absent = "sha256:" + "0" * 64
    try:
        urllib.request.urlopen(url.replace(_DIGEST, absent))  # noqa: S310 - the emulator's
    except urllib.error.HTTPError as error:
        forged = error.code
    refused = refusal(ecr.get_download_url_for_layer, repositoryName=name, layerDigest=absent)
    return [urllib.request.urlopen(url).read(), forged, refused]  # noqa: S310 - the emulator's


@probe([{"imageDigest": "sha256:" + "0" * 64}, {"imageTag": "absent"}])
def absent_images(lab: Lab) -> Any:
    ecr, name = _repository(lab)
    asked = [{"imageDigest": "sha256:" + "0" * 64}, {"imageTag": "absent"}]
    return [each["imageId"] for each in ecr.batch_get_image(repositoryName=name, imageIds=asked)["failures"]]


@probe([True, True])
def authorization_tokens(lab: Lab) -> Any:
    """Return whether tokens are valid for hours, and differ by caller."""
    [ours] = lab.client("ecr").get_authorization_token()["authorizationData"]
    user: Any = lab.user({"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"})
    client = user.client("ecr", endpoint_url=lab.endpoint)
    [theirs] = client.get_authorization_token()["authorizationData"]
    hours = (ours["expiresAt"] - datetime.now(UTC)).total_seconds() / 3600
    return [11 < hours <= 12, ours["authorizationToken"] != theirs["authorizationToken"]]


PROBES = (
    push_time,
    image_digests,
    moved_tags,
    layers_in_files,
    layer_downloads,
    absent_images,
    authorization_tokens,
)

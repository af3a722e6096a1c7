"""Put an image into a repository of ECR with its API: each layer that the repository lacks, then the manifest."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tests.oci import LAYER, MANIFEST

_CONFIG = "application/vnd.oci.image.config.v1+json"


def descriptor(content: bytes, media_type: str = LAYER) -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def manifest_of(*layers: bytes) -> str:
    """Return the manifest of an image of these layers, and of an empty configuration."""
    parts = {"config": descriptor(b"{}", _CONFIG), "layers": [descriptor(each) for each in layers]}
    return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, **parts})


def upload_layer(ecr: Any, repository: str, content: bytes) -> str:
    """Upload a layer, and return its digest."""
    upload = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    part = {"partFirstByte": 0, "partLastByte": len(content) - 1, "layerPartBlob": content}
    ecr.upload_layer_part(repositoryName=repository, uploadId=upload, **part)
    digest = descriptor(content)["digest"]
    answer = ecr.complete_layer_upload(repositoryName=repository, uploadId=upload, layerDigests=[digest])
    return str(answer["layerDigest"])


def put_image(ecr: Any, repository: str, tag: str, *layers: bytes) -> str:
    """Put an image with its layers and an empty configuration, and return its digest."""
    for content in {b"{}", *layers}:
        digests = [descriptor(content)["digest"]]
        found = ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=digests)
        if not found["layers"]:
            upload_layer(ecr, repository, content)
    made = ecr.put_image(repositoryName=repository, imageManifest=manifest_of(*layers), imageTag=tag)
    return str(made["image"]["imageId"]["imageDigest"])

"""Emptying repositories where ECR does not do it in one go. The rest is shown on the embedded AWS."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber

from gen_infra.aws.leftovers import empty_repositories
from gen_infra.errors import AwsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.aws import session

PLATFORM, INDEX = (f"sha256:{digit * 64}" for digit in "ab")


@contextmanager
def answers(clients: session.Clients) -> Iterator[Stubber]:
    with Stubber(clients.ecr) as stub:
        yield stub
        stub.assert_no_pending_responses()


def kept(digest: str, code: str) -> dict[str, Any]:
    return {"imageId": {"imageDigest": digest}, "failureCode": code, "failureReason": f"no: {code}"}


def delete(*digests: str) -> dict[str, Any]:
    return {"repositoryName": "prod/isaac", "imageIds": [{"imageDigest": digest} for digest in digests]}


def test_an_image_goes_after_the_index_that_refers_to_it(clients: session.Clients) -> None:
    listed = [{"imageDigest": INDEX, "imageTag": "1.0"}, {"imageDigest": INDEX, "imageTag": "1.1"}]
    with answers(clients) as stub:
        stub.add_response("list_images", {"imageIds": [*listed, {"imageDigest": PLATFORM}]})
        refused = [kept(PLATFORM, "ImageReferencedByManifestList")]
        stub.add_response("batch_delete_image", {"failures": refused}, delete(PLATFORM, INDEX))
        stub.add_response("batch_delete_image", {"failures": []}, delete(PLATFORM))
        assert empty_repositories(clients, ["prod/isaac"]) == 2


def test_an_image_that_ecr_keeps_is_an_error_with_its_reason(clients: session.Clients) -> None:
    with answers(clients) as stub:
        stub.add_response("list_images", {"imageIds": [{"imageDigest": PLATFORM}]})
        stub.add_response("batch_delete_image", {"failures": [kept(PLATFORM, "KmsError")]})
        with pytest.raises(AwsError, match=f"ECR keeps 1 images of prod/isaac, {PLATFORM} for one: no: KmsError"):
            empty_repositories(clients, ["prod/isaac"])


def test_images_are_deleted_a_hundred_at_a_time(clients: session.Clients) -> None:
    digests = sorted(f"sha256:{number:064x}" for number in range(101))
    with answers(clients) as stub:
        stub.add_response("list_images", {"imageIds": [{"imageDigest": digest} for digest in digests]})
        stub.add_response("batch_delete_image", {"failures": []}, delete(*digests[:100]))
        stub.add_response("batch_delete_image", {"failures": []}, delete(*digests[100:]))
        assert empty_repositories(clients, ["prod/isaac"]) == 101


def test_a_repository_that_is_not_there_is_empty(clients: session.Clients) -> None:
    with answers(clients) as stub:
        stub.add_client_error("list_images", "RepositoryNotFoundException", "no such repository", 400)
        assert empty_repositories(clients, ["prod/isaac"]) == 0

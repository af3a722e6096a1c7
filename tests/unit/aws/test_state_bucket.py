"""The state bucket: what is left alone, what is refused. That it ends up right is shown on the embedded AWS."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber

from gen_infra.aws.state_bucket import Step, ensure_state_bucket
from gen_infra.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.aws import session

NAME = "genomics-tfstate-123456789012"
ACCOUNT = "123456789012"
ON_BUCKET = {"Bucket": NAME, "ExpectedBucketOwner": ACCOUNT}
TLS_ONLY = {
    "Sid": "DenyInsecureTransport",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [f"arn:aws:s3:::{NAME}/*", f"arn:aws:s3:::{NAME}"],  # not in the order in which it is sent
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
RULES = [
    {
        "ID": "AbortIncompleteUploads",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    },
    {
        "ID": "ExpireOldStates",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 90, "NewerNoncurrentVersions": 10},
    },
]
CUSTOMER_KEY = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k"}
# As S3 describes a bucket that is already right.
RIGHT: dict[str, dict[str, Any]] = {
    "head_bucket": {"BucketRegion": "us-east-1"},
    "get_bucket_ownership_controls": {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}},
    "get_public_access_block": {
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        }
    },
    "get_bucket_versioning": {"Status": "Enabled"},
    "get_bucket_encryption": {
        "ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": CUSTOMER_KEY}]}
    },
    "get_bucket_policy": {"Policy": json.dumps({"Version": "2012-10-17", "Statement": TLS_ONLY})},
    "get_bucket_lifecycle_configuration": {"Rules": RULES},
    "get_bucket_tagging": {"TagSet": [{"Key": "Project", "Value": "genomics"}, {"Key": "Team", "Value": "lab"}]},
}


@contextmanager
def answers(clients: session.Clients) -> Iterator[Stubber]:
    with Stubber(clients.s3) as stub:
        yield stub
        stub.assert_no_pending_responses()


def test_a_bucket_that_is_right_is_only_read_and_only_as_its_owner(clients: session.Clients) -> None:
    with answers(clients) as stub:
        for operation, answer in RIGHT.items():
            stub.add_response(operation, answer, ON_BUCKET)
        assert ensure_state_bucket(clients, NAME, ACCOUNT, {"Project": "genomics"}) == []


def test_only_what_differs_is_written(clients: session.Clients) -> None:
    theirs = {"Sid": "Auditors", "Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "s3:ListBucket"}
    old = {**TLS_ONLY, "Action": "s3:GetObject"}
    with answers(clients) as stub:
        for operation, answer in RIGHT.items():
            if operation == "get_bucket_policy":
                policy = {"Version": "2012-10-17", "Statement": [old, theirs]}
                stub.add_response(operation, {"Policy": json.dumps(policy)}, ON_BUCKET)
                fixed = {**TLS_ONLY, "Resource": [f"arn:aws:s3:::{NAME}", f"arn:aws:s3:::{NAME}/*"]}
                written = json.dumps(policy | {"Statement": [theirs, fixed]})
                stub.add_response("put_bucket_policy", {}, {**ON_BUCKET, "Policy": written})
            else:
                stub.add_response(operation, answer, ON_BUCKET)
        steps = ensure_state_bucket(clients, NAME, ACCOUNT, {})
    assert steps == [Step("policy", "requests without TLS denied")]


@pytest.mark.parametrize(
    ("operation", "code", "status"), [("head_bucket", "403", 403), ("create_bucket", "BucketAlreadyExists", 409)]
)
def test_a_name_that_another_account_owns_is_refused(
    clients: session.Clients, operation: str, code: str, status: int
) -> None:
    with answers(clients) as stub:
        if operation == "create_bucket":
            stub.add_client_error("head_bucket", "404", "Not Found", 404)
        stub.add_client_error(operation, code, "Forbidden", status)
        with pytest.raises(UsageError, match=f"the bucket {NAME} belongs to another account") as caught:
            ensure_state_bucket(clients, NAME, ACCOUNT, {})
    assert "state.bucket" in caught.value.hint


def test_a_bucket_in_another_region_is_refused_before_anything_is_written(clients: session.Clients) -> None:
    with answers(clients) as stub:
        stub.add_response("head_bucket", {"BucketRegion": "eu-west-1"}, ON_BUCKET)
        with pytest.raises(UsageError, match=f"the bucket {NAME} is in eu-west-1, but the manifest has us-east-1"):
            ensure_state_bucket(clients, NAME, ACCOUNT, {})


def test_a_run_that_creates_it_a_moment_earlier_is_no_error(clients: session.Clients) -> None:
    with answers(clients) as stub:
        stub.add_client_error("head_bucket", "404", "Not Found", 404)
        stub.add_client_error("create_bucket", "BucketAlreadyOwnedByYou", "it is yours", 409)
        for operation in list(RIGHT)[1:]:
            stub.add_response(operation, RIGHT[operation], ON_BUCKET)
        assert ensure_state_bucket(clients, NAME, ACCOUNT, {}) == []

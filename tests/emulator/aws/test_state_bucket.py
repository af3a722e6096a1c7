"""The state bucket, read back from S3."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gen_infra.aws import session
from gen_infra.aws.state_bucket import ensure_state_bucket
from gen_infra.errors import UsageError
from tests.emulator.documented_actions import calls_exactly

if TYPE_CHECKING:
    from gen_infra.emulator import Emulator

ACCOUNT = "123456789012"
SETTINGS = ["public access", "versioning", "encryption", "policy", "lifecycle", "tags"]


@pytest.fixture
def environment(aws: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in aws.environ.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_a_new_bucket_has_every_setting_and_the_second_run_changes_nothing(region: str, aws: Emulator) -> None:
    name = f"state-new-{region}"
    clients = session.clients(region)
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html, x-amz-object-ownership
    with calls_exactly(aws, "bootstrap", implied="s3:PutBucketOwnershipControls"):
        steps = ensure_state_bucket(clients, name, ACCOUNT, {"Project": "genomics"})
    assert [step.setting for step in steps] == ["bucket", *SETTINGS]

    s3 = clients.s3
    assert s3.head_bucket(Bucket=name)["BucketRegion"] == region
    assert s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"] == [
        {"ObjectOwnership": "BucketOwnerEnforced"}
    ]
    assert set(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values()) == {True}
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    [encryption] = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert encryption["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms"}
    assert encryption["BucketKeyEnabled"] is True
    [statement] = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    rules = {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]}
    assert rules["ExpireOldStates"]["NoncurrentVersionExpiration"] == {
        "NoncurrentDays": 90,
        "NewerNoncurrentVersions": 10,
    }
    assert rules["AbortIncompleteUploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": "Project", "Value": "genomics"}]

    assert ensure_state_bucket(clients, name, ACCOUNT, {"Project": "genomics"}) == []


@pytest.mark.usefixtures("environment")
def test_an_existing_bucket_is_completed_and_keeps_its_own_settings() -> None:
    name = "state-by-hand"
    clients = session.clients("us-east-1")
    s3 = clients.s3
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})
    theirs = {
        "Sid": "Auditors",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "s3:ListBucket",
        "Resource": f"arn:aws:s3:::{name}",
    }
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [theirs]}))
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "Team", "Value": "lab"}]})
    archive = {"ID": "Archive", "Status": "Enabled", "Filter": {"Prefix": "old/"}, "Expiration": {"Days": 3650}}
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [archive]})  # type: ignore[list-item]

    steps = ensure_state_bucket(clients, name, ACCOUNT, {"Project": "genomics"})

    assert [step.setting for step in steps] == ["ownership", *SETTINGS]
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    statements = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"]
    assert [statement["Sid"] for statement in statements] == ["Auditors", "DenyInsecureTransport"]
    rules = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert [rule["ID"] for rule in rules] == ["Archive", "ExpireOldStates", "AbortIncompleteUploads"]
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=name)["TagSet"]}
    assert tags == {"Team": "lab", "Project": "genomics"}


@pytest.mark.usefixtures("environment")
def test_a_run_that_stopped_half_way_is_finished_by_the_next() -> None:
    name = "state-half-done"
    clients = session.clients("us-east-1")
    ensure_state_bucket(clients, name, ACCOUNT, {"Project": "genomics"})
    clients.s3.delete_bucket_policy(Bucket=name)
    clients.s3.delete_bucket_lifecycle(Bucket=name)
    clients.s3.delete_bucket_tagging(Bucket=name)

    steps = ensure_state_bucket(clients, name, ACCOUNT, {"Project": "genomics"})

    assert [step.setting for step in steps] == ["policy", "lifecycle", "tags"]


@pytest.mark.usefixtures("environment")
def test_a_bucket_in_another_region_is_refused_and_not_touched() -> None:
    s3 = session.clients("us-east-1").s3
    s3.create_bucket(Bucket="state-elsewhere")
    with pytest.raises(UsageError, match="state-elsewhere is in us-east-1, but the manifest has eu-west-1"):
        ensure_state_bucket(session.clients("eu-west-1"), "state-elsewhere", ACCOUNT, {})
    assert "Status" not in s3.get_bucket_versioning(Bucket="state-elsewhere")

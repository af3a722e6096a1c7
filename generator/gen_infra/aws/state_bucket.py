"""The S3 bucket of the Terraform state, made or brought up to its settings.

Every setting is read first and written only where it differs, so the same call finishes a half-done run and does
nothing at all the second time. What was added outside gen-infra (statements, rules, tags, a customer key) stays.

Every call but the creation names the expected owner, so that a bucket of another account is never written to:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gen_infra.aws.errors import aws_errors, error_code
from gen_infra.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mypy_boto3_s3 import S3Client

    from gen_infra.aws.session import Clients

_PRIVATE = {"BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True}
# A key of KMS, even AWS's own alias/aws/s3, keeps the state from users with S3 permissions only, and shows each use in
# CloudTrail; the bucket key makes that one KMS call for many objects.
_ENCRYPTION = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
_LIFECYCLE: tuple[dict[str, Any], ...] = (
    {
        "ID": "ExpireOldStates",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 90, "NewerNoncurrentVersions": 10},
    },
    {
        "ID": "AbortIncompleteUploads",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    },
)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was changed: ``versioning``, ``turned on``."""

    setting: str
    change: str


@aws_errors()
def ensure_state_bucket(clients: Clients, name: str, account: str, tags: Mapping[str, str]) -> list[Step]:
    """Make the bucket ``name`` in the clients' region, or bring it up to its settings; return what changed, in order.

    Raises:
        UsageError: the name belongs to another account, or the bucket is in another region.
        AwsError: AWS refused a call or could not be reached; the next run continues from there.
    """
    bucket = _Bucket(clients.s3, name, account, clients.region)
    steps = [
        _exists(bucket),
        _owner_enforced(bucket),
        _no_public_access(bucket),
        _versioning(bucket),
        _encryption(bucket),
        _tls_only(bucket),
        _lifecycle(bucket),
        _tags(bucket, tags),
    ]
    return [step for step in steps if step]


@dataclass(frozen=True, slots=True)
class _Bucket:
    s3: S3Client
    name: str
    owner: str
    region: str

    def read(self, call: Callable[..., Any], absent: str) -> Any:
        """Return the answer of ``call``; ``{}`` where it fails with ``absent``, S3's code for "not set"."""
        try:
            return self.write(call)
        except self.s3.exceptions.ClientError as error:
            if error_code(error) != absent:
                raise
            return {}

    def write(self, call: Callable[..., Any], **arguments: Any) -> Any:
        """Make ``call`` on this bucket, provided that it still belongs to ``owner``."""
        return call(Bucket=self.name, ExpectedBucketOwner=self.owner, **arguments)

    def taken(self) -> UsageError:
        """Return the error of a name that another account has."""
        return UsageError(
            f"the bucket {self.name} belongs to another account, or account {self.owner} has no access to it",
            hint="choose another name for state.bucket: bucket names are shared by all of AWS",
        )


def _exists(bucket: _Bucket) -> Step | None:
    try:
        found = bucket.read(bucket.s3.head_bucket, "404")
    except bucket.s3.exceptions.ClientError as error:
        if error_code(error) == "403":
            raise bucket.taken() from error
        raise
    if not found:
        return _create(bucket)
    if (region := found.get("BucketRegion", bucket.region)) != bucket.region:
        raise UsageError(
            f"the bucket {bucket.name} is in {region}, but the manifest has {bucket.region}",
            hint="choose another name for state.bucket",
        )
    return None


def _create(bucket: _Bucket) -> Step | None:
    # S3 refuses us-east-1 as a constraint: it is what a bucket without one gets.
    placement = {} if bucket.region == "us-east-1" else {"LocationConstraint": bucket.region}
    arguments: dict[str, Any] = {"CreateBucketConfiguration": placement} if placement else {}
    try:
        bucket.s3.create_bucket(Bucket=bucket.name, ObjectOwnership="BucketOwnerEnforced", **arguments)
    except bucket.s3.exceptions.ClientError as error:
        if error_code(error) == "BucketAlreadyExists":
            raise bucket.taken() from error
        if error_code(error) != "BucketAlreadyOwnedByYou":  # a second run was a moment faster
            raise
        return None
    bucket.write(bucket.s3.get_waiter("bucket_exists").wait)
    return Step("bucket", f"created in {bucket.region}")


def _owner_enforced(bucket: _Bucket) -> Step | None:
    controls = bucket.read(bucket.s3.get_bucket_ownership_controls, "OwnershipControlsNotFoundError")
    wanted = [{"ObjectOwnership": "BucketOwnerEnforced"}]
    if controls.get("OwnershipControls", {}).get("Rules") == wanted:
        return None
    bucket.write(bucket.s3.put_bucket_ownership_controls, OwnershipControls={"Rules": wanted})
    return Step("ownership", "access control lists switched off")


def _no_public_access(bucket: _Bucket) -> Step | None:
    block = bucket.read(bucket.s3.get_public_access_block, "NoSuchPublicAccessBlockConfiguration")
    if block.get("PublicAccessBlockConfiguration") == _PRIVATE:
        return None
    bucket.write(bucket.s3.put_public_access_block, PublicAccessBlockConfiguration=_PRIVATE)
    return Step("public access", "blocked")


def _versioning(bucket: _Bucket) -> Step | None:
    if bucket.write(bucket.s3.get_bucket_versioning).get("Status") == "Enabled":
        return None
    bucket.write(bucket.s3.put_bucket_versioning, VersioningConfiguration={"Status": "Enabled"})
    return Step("versioning", "turned on")


def _encryption(bucket: _Bucket) -> Step | None:
    answer = bucket.read(bucket.s3.get_bucket_encryption, "ServerSideEncryptionConfigurationNotFoundError")
    for rule in answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", []):
        if rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm", "").startswith("aws:kms"):
            return None  # with AWS's key, or with one that the bucket's owner chose
    bucket.write(
        bucket.s3.put_bucket_encryption,
        ServerSideEncryptionConfiguration={"Rules": [_ENCRYPTION]},
    )
    return Step("encryption", "aws:kms with a bucket key")


def _tls_only(bucket: _Bucket) -> Step | None:
    arn = f"arn:{bucket.s3.meta.partition}:s3:::{bucket.name}"
    wanted = {
        "Sid": "DenyInsecureTransport",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    answer = bucket.read(bucket.s3.get_bucket_policy, "NoSuchBucketPolicy")
    policy = json.loads(answer.get("Policy", '{"Version": "2012-10-17", "Statement": []}'))
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    if any(_canonical(statement) == _canonical(wanted) for statement in statements):
        return None
    others = [statement for statement in statements if statement.get("Sid") != wanted["Sid"]]
    bucket.write(bucket.s3.put_bucket_policy, Policy=json.dumps(policy | {"Statement": [*others, wanted]}))
    return Step("policy", "requests without TLS denied")


def _canonical(statement: dict[str, Any]) -> dict[str, Any]:
    """Return the statement with its lists in order: S3 need not give them back as they were sent."""
    return {key: sorted(value) if isinstance(value, list) else value for key, value in statement.items()}


def _lifecycle(bucket: _Bucket) -> Step | None:
    answer = bucket.read(bucket.s3.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration")
    rules = answer.get("Rules", [])
    if all(rule in rules for rule in _LIFECYCLE):
        return None
    ours = {rule["ID"] for rule in _LIFECYCLE}
    others = [rule for rule in rules if rule.get("ID") not in ours]
    bucket.write(bucket.s3.put_bucket_lifecycle_configuration, LifecycleConfiguration={"Rules": [*others, *_LIFECYCLE]})
    return Step("lifecycle", "old states expire after 90 days but for the 10 newest, unfinished uploads after 7")


def _tags(bucket: _Bucket, tags: Mapping[str, str]) -> Step | None:
    answer = bucket.read(bucket.s3.get_bucket_tagging, "NoSuchTagSet")
    present = {tag["Key"]: tag["Value"] for tag in answer.get("TagSet", [])}
    if tags.items() <= present.items():
        return None
    tag_set = [{"Key": key, "Value": value} for key, value in {**present, **tags}.items()]
    bucket.write(bucket.s3.put_bucket_tagging, Tagging={"TagSet": tag_set})
    return Step("tags", f"set {', '.join(key for key in tags if present.get(key) != tags[key])}")


@aws_errors()
def lock_id(clients: Clients, bucket: str, key: str) -> str:
    """Read the id in terraform's lock file of a state; empty where that file is none.

    Raises:
        AwsError: there is no such file, or it cannot be read.
    """
    content = clients.s3.get_object(Bucket=bucket, Key=f"{key}.tflock")["Body"].read()
    try:
        return str(json.loads(content)["ID"])
    except (ValueError, LookupError, TypeError):
        return ""


@aws_errors()
def read_state(clients: Clients, bucket: str, key: str) -> bytes:
    """Read a state; S3's client finds the bucket in whichever region it is.

    Raises:
        FileNotFoundError: there is no such state.
        AwsError: it cannot be read.
    """
    from botocore.exceptions import ClientError

    try:
        content: bytes = clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error_code(error) == "NoSuchKey":
            raise FileNotFoundError(f"s3://{bucket}/{key}") from error
        raise
    return content

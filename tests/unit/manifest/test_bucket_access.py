"""What real S3 clients ask for in a job's buckets is allowed, and nothing beside it, by the IAM evaluator."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from gen_infra.iam import PolicyDocument, Principal, PrincipalKind, Request, evaluate
from gen_infra.manifest.job_policies import policy_document, role_policies
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = "123456789012"
BUCKET = "lab-reads"
READ, WRITE, DELETE, WORK = "read", "write", "delete", "work"
UP = (READ, WRITE, DELETE, WORK)  # each allows what those before it do


class Call(NamedTuple):
    """One call of a client: S3's action, on the bucket or on a key of it, with the ``prefix`` of a list."""

    action: str
    key: str = ""
    prefix: str | None = None


LIST = "s3:ListBucket"
# What clients do, the calls that they make, the least access that allows it, and where the calls are listed.
CLIENTS = {
    "head-bucket (boto3, Snakemake's S3 plugin)": (READ, [Call(LIST)]),
    "get-bucket-location (s3fs, GATK, Nextflow)": (READ, [Call("s3:GetBucketLocation")]),
    "head-object, get-object": (READ, [Call("s3:GetObject", "run1/a.bam")]),
    "head-object of a missing key: 404 and not 403": (READ, [Call("s3:GetObject", "run1/missing"), Call(LIST)]),
    "aws s3 ls s3://lab-reads/run1": (READ, [Call(LIST, prefix="run1")]),
    "aws s3 ls s3://lab-reads/run1/": (READ, [Call(LIST, prefix="run1/")]),
    "aws s3 sync from a folder": (READ, [Call(LIST, prefix="run1/x/"), Call("s3:GetObject", "run1/x/a.bam")]),
    "aws s3 cp from, with its tags": (READ, [Call("s3:GetObject", "run1/a"), Call("s3:GetObjectTagging", "run1/a")]),
    "aws s3 cp to": (WRITE, [Call("s3:PutObject", "run1/a.vcf")]),
    "aws s3 cp to, in parts": (
        WRITE,
        [
            Call("s3:PutObject", "run1/a.bam"),
            Call("s3:AbortMultipartUpload", "run1/a.bam"),
            Call("s3:ListMultipartUploadParts", "run1/a.bam"),
        ],
    ),
    "put-object-tagging": (WRITE, [Call("s3:PutObjectTagging", "run1/a.vcf")]),
    "aws s3 rm": (DELETE, [Call("s3:DeleteObject", "run1/a.vcf")]),
    "aws s3 mv within the prefix": (
        DELETE,
        [
            Call("s3:GetObject", "run1/a"),
            Call("s3:GetObjectTagging", "run1/a"),
            Call("s3:PutObject", "run1/b"),
            Call("s3:PutObjectTagging", "run1/b"),
            Call("s3:DeleteObject", "run1/a"),
        ],
    ),
    "s5cmd cp, ls, cat: the bucket's region first": (
        READ,
        [Call(LIST), Call(LIST, prefix="run1"), Call(LIST, prefix="run1/x/"), Call("s3:GetObject", "run1/x/a.bam")],
    ),
    "s3fs exists, isdir, info of the prefix; S3A getFileStatus; PyArrow GetFileInfo": (
        READ,
        [Call("s3:GetObject", "run1"), Call(LIST), Call(LIST, prefix="run1/")],
    ),
    "s3fs find, walk; Nextflow's S3 file system": (
        READ,
        [Call(LIST), Call(LIST, prefix="run1"), Call(LIST, prefix="run1/x"), Call("s3:GetObject", "run1/x/a.bam")],
    ),
    "rclone copy to: bucket, folder, file": (
        WRITE,
        [
            Call(LIST),
            Call("s3:GetObject", "run1"),
            Call(LIST, prefix="run1/"),
            Call("s3:GetObject", "run1/a.bam"),
            Call("s3:PutObject", "run1/a.bam"),
        ],
    ),
    "boto3 and S3A: abort an upload in parts": (
        WRITE,
        [
            Call("s3:PutObject", "run1/a.bam"),
            Call("s3:ListMultipartUploadParts", "run1/a.bam"),
            Call("s3:AbortMultipartUpload", "run1/a.bam"),
        ],
    ),
    "aws s3 sync --delete, s5cmd sync --delete, rclone sync": (
        DELETE,
        [
            Call(LIST, prefix="run1/"),
            Call("s3:GetObject", "run1/a"),
            Call("s3:PutObject", "run1/b"),
            Call("s3:DeleteObject", "run1/old"),
        ],
    ),
    "s3fs rm -r, rename; Nextflow publishes and cleans up": (
        DELETE,
        [
            Call(LIST, prefix="run1/x/"),
            Call("s3:GetObject", "run1/x/a"),
            Call("s3:GetObjectTagging", "run1/x/a"),
            Call("s3:PutObject", "run1/results/a"),
            Call("s3:PutObjectTagging", "run1/results/a"),
            Call("s3:DeleteObject", "run1/x/a"),
        ],
    ),
    "a workflow's work folder: clean up old versions": (
        WORK,
        [
            Call("s3:ListBucketVersions", prefix="run1/"),
            Call("s3:GetObjectVersion", "run1/a"),
            Call("s3:DeleteObjectVersion", "run1/a"),
            Call("s3:DeleteObjectTagging", "run1/a"),
        ],
    ),
}
NEVER = [
    Call(LIST, prefix="run2/"),
    Call(LIST, prefix=""),
    Call("s3:GetObject", "run2/a.bam"),
    Call("s3:PutObject", "run10/a.bam"),
    Call("s3:ListBucketMultipartUploads"),  # S3 cannot limit it to a prefix
    Call("s3:PutObject", "run1"),
    Call("s3:DeleteObject", "run1"),
    Call(LIST, prefix="run"),
    Call(LIST, prefix="run10/"),
    Call("s3:ListBucketVersions"),
    Call("s3:GetObject", "run"),
    Call("s3:GetBucketPolicy"),
    Call("s3:CreateBucket"),
    Call("s3:DeleteBucket"),
    Call("s3:PutBucketPolicy"),
    Call("s3:PutObjectAcl", "run1/a"),
    Call("s3:BypassGovernanceRetention", "run1/a"),
]


def job_role(folder: Path, access: str) -> Principal:
    manifest = accept(
        folder,
        buckets={"reads": {"name": BUCKET, "access": access, "prefix": "run1/"}},
        jobs={"j": {"image": "public.ecr.aws/lab/tool:1", "vcpus": 1, "memory_mib": 2048, "buckets": ["reads"]}},
    )
    policies = tuple(
        PolicyDocument.read(policy_document(policy.statements))
        for policy in role_policies(manifest, "j")
        if policy.role == "j"
    )
    role = f"arn:aws:iam::{ACCOUNT}:role/j-test-job"
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/j-test-job/0123456789abcdef0"
    return Principal(PrincipalKind.ROLE, session, ACCOUNT, role_arn=role, policies=policies)


def is_allowed(role: Principal, call: Call) -> bool:
    resource = f"arn:aws:s3:::{BUCKET}/{call.key}" if call.key else f"arn:aws:s3:::{BUCKET}"
    context = {} if call.prefix is None else {"s3:prefix": (call.prefix,)}
    return evaluate(Request(call.action, resource, ACCOUNT, context), role).is_allowed


@pytest.mark.parametrize("access", UP)
@pytest.mark.parametrize("client", CLIENTS)
def test_clients_are_allowed_what_the_access_means(tmp_path: Path, client: str, access: str) -> None:
    least, calls = CLIENTS[client]
    role = job_role(tmp_path, access)
    assert all(is_allowed(role, call) for call in calls) == (UP.index(access) >= UP.index(least))


@pytest.mark.parametrize("access", UP)
@pytest.mark.parametrize("call", NEVER, ids=str)
def test_nothing_outside_the_prefix_is_allowed(tmp_path: Path, call: Call, access: str) -> None:
    assert not is_allowed(job_role(tmp_path, access), call)

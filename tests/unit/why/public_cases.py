"""Causes as public reports show them, one for each; names, accounts and paths are replaced.

Sources: github.com/globaldothealth/list#2662, moby/moby#42088, nextflow-io/nextflow#5657 and #5681,
rstudio/r-builds#140, Netflix/metaflow#419 and #1482, ASFHyP3/hyp3#3041, outerbounds/terraform-aws-metaflow#19,
aws-samples/aws-batch-genomics#9, securebio/nao-mgs-workflow#169, broadinstitute/picard#1221, nf-core/sarek#301 and
apache/airflow#38298.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.why.cases import Case, logged, sets
from tests.unit.why.facts import ID, OTHER, Facts

if TYPE_CHECKING:
    from collections.abc import Callable

_START = "Task failed to start"
_CACHED = "CannotStartContainerError: Error response from daemon: "
_RUNC = _CACHED + "failed to create task for container: "
_SHIM = _RUNC + "failed to create shim task: OCI runtime create failed: runc create failed: "
_ECR_TIMEOUT = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable "
    "to retrieve ecr registry auth: service call has been retried 3 time(s): RequestError: send request failed caused "
    'by: Post "https://api.ecr.us-east-1.amazonaws.com/": dial tcp 10.0.1.5:443: i/o timeout.'
)
_NO_PERMISSION = (
    "CLIENT_ERROR - User: arn:aws:sts::123456789012:assumed-role/custom-batch/aws-batch is not authorized to perform: "
    "autoscaling:CreateAutoScalingGroup on resource: arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:*"
)
_REFUSED_CALL = (
    "An error occurred (AccessDenied) when calling the PutObject operation: User: "
    "arn:aws:sts::123456789012:assumed-role/isaac-test-job/1 is not authorized to perform: "
    "s3:PutObject on resource: arn:aws:s3:::results/a.bam"
)


def child(kind: str, **other: str) -> Callable[[Facts], object]:
    """Return a case in which the second child of an array waits for another child."""

    def change(facts: Facts) -> None:
        waited_for = other.get("jobId", ID) + (":0" if kind == "SEQUENTIAL" else ":1")
        array = facts.job | {"status": "PENDING", "dependsOn": [{"type": kind, **other}]}
        facts.others += [array, facts.job | {"jobId": waited_for, "status": "RUNNING"}]
        facts.job = facts.job | {"jobId": f"{ID}:1", "status": "PENDING", "arrayProperties": {"index": 1}}

    return change


def invalid(reason: str) -> Callable[[Facts], object]:
    return sets("environment", status="INVALID", statusReason=reason)


def starts_not(reason: str) -> Callable[[Facts], object]:
    return lambda facts: facts.failed(_START, reason)


PUBLIC_CASES: dict[str, Case] = {
    "no way to ECR, of a job without secrets": (
        starts_not(_ECR_TIMEOUT),
        "image-unreachable",
        "i/o timeout",
        "gen-infra doctor test.yaml looks at routes",
    ),
    "log stream throttled": (
        starts_not(
            _CACHED
            + "failed to initialize logging driver: failed to create Cloudwatch log stream: ThrottlingException: "
            "Rate exceeded status code: 400, request id: 5c7e"
        ),
        "log-throttled",
        "Rate exceeded",
        "submit it again",
    ),
    "a path that holds the word log": (
        starts_not(
            _RUNC + 'OCI runtime create failed: exec: "/opt/biology/run.sh": stat /opt/biology/run.sh: '
            "no such file or directory: unknown"
        ),
        "program-absent",
        "/opt/biology/run.sh",
        "command of jobs.isaac",
    ),
    "a message that Batch cut": (
        starts_not(_SHIM + 'unable to start container process: exec: "/usr/local/bin/_entrypoint.sh": stat /usr/loca'),
        "program-absent",
        "_entrypoint.sh",
        "the image's entry point",
    ),
    "Docker too slow": (
        starts_not("DockerTimeoutError: Could not transition to created; timed out after waiting 4m0s"),
        "docker-timeout",
        "after waiting 4m0s",
        "image.root.throughput_mib_s",
    ),
    "Docker too slow to inspect": (
        starts_not("CannotInspectContainerError: Could not transition to inspecting; timed out after waiting 30s"),
        "docker-timeout",
        "after waiting 30s",
        "submit it again",
    ),
    "registry answers 429": (
        starts_not(
            "CannotPullContainerError: ref pull has been retried 5 time(s): failed to copy: httpReadSeeker: failed "
            "open: unexpected status code https://quay.io/v2/bio/bcftools/blobs/sha256:0a1b: 429 Too Many Requests"
        ),
        "image-throttled",
        "429 Too Many Requests",
        "repository_credentials of jobs.isaac",
    ),
    "pull rate limit": (
        starts_not(
            "CannotPullImageManifestError: Error response from daemon: toomanyrequests: Request exceeded pull rate "
            "limit for IP 198.51.100.7"
        ),
        "image-throttled",
        "pull rate limit",
        "repository_credentials of jobs.isaac",
    ),
    "a child waits for the one before it": (child("SEQUENTIAL"), "dependency", f"({ID}:0) is RUNNING", f"{ID}:0"),
    "a child waits for its like": (
        child("N_TO_N", jobId=OTHER),
        "dependency",
        f"({OTHER}:1) is RUNNING",
        f"gen-infra why test.yaml {OTHER}:1",
    ),
    "overrides too long": (
        lambda facts: facts.reason("Container Overrides length must be at most 8192", status="FAILED"),
        "overrides-too-long",
        "at most 8192",
        "8192 characters",
    ),
    "service role lacks a permission": (
        invalid(_NO_PERMISSION),
        "environment-invalid",
        "autoscaling:CreateAutoScalingGroup",
        "allow autoscaling:CreateAutoScalingGroup in custom-batch (the managed policy AWSBatchServiceRole does)",
    ),
    "cluster gone": (
        invalid("CLIENT_ERROR - Clusters can not be blank."),
        "environment-invalid",
        "Clusters can not be blank",
        "terraform -chdir=build/test/terraform taint module.compute_spot.aws_batch_compute_environment.this; "
        "then gen-infra plan test.yaml; gen-infra apply test.yaml",
    ),
    "Java heap": (
        logged('Exception in thread "main" java.lang.OutOfMemoryError: Java heap space', 1),
        "java-heap",
        "its container may use 8000 MiB",
        "raising memory_mib alone changes nothing",
    ),
    "a program that the log names": (
        logged("bash: line 1: /home/ec2-user/miniconda/bin/aws: No such file or directory", 127),
        "program-absent",
        "its log says: bash: line 1: /home/ec2-user/miniconda/bin/aws",
        "or add /home/ec2-user/miniconda/bin/aws to the image",
    ),
    "blocked for no known reason": (
        lambda facts: facts.reason("UNDETERMINED - Batch job is blocked, root cause is undetermined."),
        "undetermined",
        "root cause is undetermined",
        "Auto Scaling groups of spot-test-20260101",
    ),
    "refused by a service": (
        logged(_REFUSED_CALL, 1),
        "access-denied",
        "s3:PutObject",
        "allow s3:PutObject in its role isaac-test-job",
    ),
    "Fargate Spot reclaimed": (
        lambda facts: facts.failed("Your Spot Task was interrupted."),
        "spot-reclaimed",
        "Your Spot Task was interrupted",
        "raise attempts of jobs.isaac",
    ),
    "no network interface": (
        lambda facts: facts.failed("Timeout waiting for network interface provisioning to complete."),
        "network-interface",
        "network interface provisioning",
        "gen-infra doctor test.yaml",
    ),
    "another failure to start": (
        starts_not(_SHIM + "unable to start container process: waiting for init preliminary setup: read init-p: EOF"),
        "container-start",
        "read init-p",
        "jobs.isaac",
    ),
}

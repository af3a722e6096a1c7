"""Changes outside Terraform in one environment: each is found, explained with its author, and reverted by apply."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from gen_infra.emulator import REGION
from tests.emulator.session import applied_site
from tests.emulator.small import MANIFESTS, SMALL
from tests.polling import wait_until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from gen_infra.emulator import Emulator
    from tests.emulator.session import Session, Site

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator


class Lab:
    """One applied environment in an account of its own."""

    def __init__(self, site: Site) -> None:
        self.site, self.aws = site, site.aws
        self.notes: list[str] = []

    def run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.site.run(command, "small.yaml", *arguments)

    def drift(self, code: int) -> dict[str, Any]:
        """Return what `gen-infra drift` finds, by title without random endings."""
        done = self.run("drift", "--json")
        assert done.returncode == code, done.stderr
        answer = json.loads(done.stdout)
        assert answer["drift"] == bool(code)
        self.notes = answer["notes"]
        return {f"{found['kind']} {found['name']}".strip().split("-2026")[0]: found for found in answer["resources"]}


@pytest.fixture(scope="module")
def lab(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with applied_site(session, "small", MANIFESTS, tmp_path_factory.mktemp("lab")) as site:
        yield Lab(site)


def caller(aws: Emulator, name: str) -> Callable[[str], Any]:
    """Clients of an administrator with a key of their own."""
    aws.client("iam").create_user(UserName=name)
    everything = "arn:aws:iam::aws:policy/AdministratorAccess"
    aws.client("iam").attach_user_policy(UserName=name, PolicyArn=everything)
    key = aws.client("iam").create_access_key(UserName=name)["AccessKey"]
    session: Any = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name=REGION)
    return lambda service: session.client(service, endpoint_url=aws.endpoint)


def change_outside_terraform(client: Callable[[str], Any]) -> None:
    batch, ec2, iam = client("batch"), client("ec2"), client("iam")
    batch.update_job_queue(jobQueue="main-small", priority=77)
    client("logs").delete_log_group(logGroupName="/aws/batch/small/tool")
    batch.deregister_job_definition(jobDefinition="tool-small:1")
    (template,) = ec2.describe_launch_templates()["LaunchTemplates"]
    named = {"LaunchTemplateId": template["LaunchTemplateId"]}
    (version,) = ec2.describe_launch_template_versions(**named)["LaunchTemplateVersions"]
    data = version["LaunchTemplateData"]
    (scratch,) = [disk["Ebs"] for disk in data["BlockDeviceMappings"] if disk["DeviceName"] == "/dev/sdb"]
    scratch["VolumeSize"] = 200
    ec2.create_launch_template_version(**named, LaunchTemplateData=data)
    client("lambda").delete_function(FunctionName="batchSubmitJob-small")
    policy = iam.get_role_policy(RoleName="tool-small-job", PolicyName="buckets")["PolicyDocument"]
    policy["Statement"][-1]["Action"].append("s3:DeleteObject")
    iam.put_role_policy(RoleName="tool-small-job", PolicyName="buckets", PolicyDocument=json.dumps(policy))
    iam.attach_role_policy(RoleName="tool-small-job", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")


def test_each_change_outside_terraform_is_found_and_explained_and_apply_reverts_it(lab: Lab) -> None:
    began = datetime.now(UTC)
    planned = lab.run("plan")  # a plan from before, which apply must not take for current
    assert "nothing to do" in planned.stdout
    change_outside_terraform(caller(lab.aws, "alice"))
    caller(lab.aws, "bob")("batch").update_job_queue(jobQueue="main-small", priority=77)
    with pytest.raises(ClientError):
        caller(lab.aws, "carol")("logs").delete_log_group(logGroupName="/aws/batch/small/tool")  # it is gone already
    found = lab.drift(1)
    assert {title: each["action"] for title, each in found.items()} == {
        "job queue main-small": "update",
        "log group /aws/batch/small/tool": "destroy",
        "job definition tool-small": "destroy",
        "launch template spot-small": "update",
        "function batchSubmitJob-small": "destroy",
        'module.job_functions.aws_lambda_function_event_invoke_config.this["submit"]': "destroy",
        "aws_iam_role_policy.tool_buckets": "update",
        "policy arn:aws:iam::aws:policy/AmazonS3FullAccess attached to role tool-small-job": "create",
    }
    assert found["job queue main-small"]["details"] == ["priority: 1 -> 77"]
    assert "jobs and functions that log to it cannot start" in found["log group /aws/batch/small/tool"]["meaning"]
    assert found["job definition tool-small"]["meaning"].startswith("deregistered: ")
    assert any("volume_size: 1000 -> 200" in line for line in found["launch template spot-small"]["details"])
    assert {title: each["who"].rpartition("/")[2] for title, each in found.items()} == {
        title: "bob" if title == "job queue main-small" else "alice" for title in found
    }
    assert found["job queue main-small"]["who"] == "arn:aws:iam::123456789012:user/bob"
    done_at = [datetime.fromisoformat(each["when"]) for each in found.values()]
    assert began.replace(microsecond=0) <= min(done_at) <= max(done_at) <= datetime.now(UTC)
    widened = found["aws_iam_role_policy.tool_buckets"]
    assert widened["added"] == ["s3:DeleteObject on arn:aws:s3:::genomics-results-123456789012/small/*"]
    assert "running jobs too" in widened["meaning"]

    assert_no_author_is_named_where_cloudtrail_refuses(lab)
    attached = found["policy arn:aws:iam::aws:policy/AmazonS3FullAccess attached to role tool-small-job"]
    assert attached["remedy"].startswith("aws iam detach-role-policy --role-name tool-small-job ")
    lab.aws.client("iam").detach_role_policy(
        RoleName="tool-small-job", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess"
    )
    applied = lab.run("apply", "--yes")
    assert applied.returncode == 0, applied.stderr
    assert lab.drift(0) == {}
    assert_repaired(lab.aws)


def assert_no_author_is_named_where_cloudtrail_refuses(lab: Lab) -> None:
    said = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: cloudtrail:LookupEvents"
    lab.aws.fail("LookupEvents", code="AccessDeniedException", message=said, times=None)
    asked = len(lab.aws.calls("cloudtrail"))
    found = lab.drift(1)
    assert len(lab.aws.calls("cloudtrail")) == asked + 1
    lab.aws.heal()
    assert {title: each["who"] for title, each in found.items() if each["who"]} == {
        "launch template spot-small": "arn:aws:iam::123456789012:root"  # EC2 itself keeps this one
    }
    assert lab.notes == [
        "no permission to search CloudTrail: allow cloudtrail:LookupEvents for arn:aws:iam::123456789012:user/ci"
    ]


def assert_repaired(aws: Emulator) -> None:
    batch, ec2 = aws.client("batch"), aws.client("ec2")
    assert batch.describe_job_queues(jobQueues=["main-small"])["jobQueues"][0]["priority"] == 1
    assert aws.client("logs").describe_log_groups(logGroupNamePrefix="/aws/batch/small/tool")["logGroups"]
    (definition,) = batch.describe_job_definitions(jobDefinitionName="tool-small", status="ACTIVE")["jobDefinitions"]
    assert definition["revision"] == 2
    (environment,) = batch.describe_compute_environments()["computeEnvironments"]
    template = environment["computeResources"]["launchTemplate"]
    (version,) = ec2.describe_launch_template_versions(
        LaunchTemplateId=template["launchTemplateId"], Versions=[template["version"]]
    )["LaunchTemplateVersions"]
    disks = {disk["DeviceName"]: disk["Ebs"] for disk in version["LaunchTemplateData"]["BlockDeviceMappings"]}
    assert disks["/dev/sdb"]["VolumeSize"] == 1000
    policy = aws.client("iam").get_role_policy(RoleName="tool-small-job", PolicyName="buckets")["PolicyDocument"]
    assert "s3:DeleteObject" not in json.dumps(policy)


def test_an_environment_that_was_never_applied_is_an_error(lab: Lab) -> None:
    (lab.site.folder / "other.yaml").write_text(SMALL.replace("name: small", "name: other"))
    done = lab.site.run("drift", "other.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nothing of other is in Terraform's state" in done.stderr


BUDGET = """\
notifications:
  budget: {usd_a_month: 100, emails: [lab-head@example.com], stop_queues_at: 100}
"""


def spend(aws: Emulator, dollars: str) -> None:
    """Let AWS count what the environment has cost in this month."""
    budgets, account = aws.client("budgets"), {"AccountId": "123456789012"}
    budget = budgets.describe_budget(**account, BudgetName="batchBudget-small")["Budget"]
    spent = {"ActualSpend": {"Amount": dollars, "Unit": "USD"}}
    budgets.update_budget(**account, NewBudget={**budget, "CalculatedSpend": spent})


def test_a_queue_that_the_budget_stopped_is_explained_and_not_enabled_by_surprise(lab: Lab) -> None:
    (lab.site.folder / "small.yaml").write_text(SMALL + BUDGET)
    applied = lab.run("apply", "--yes")
    assert applied.returncode == 0, applied.stderr
    batch = lab.aws.client("batch")

    def submit(seconds: int) -> str:
        most = [{"type": "VCPU", "value": "64"}, {"type": "MEMORY", "value": "2048"}]  # the next one has to wait
        overrides = {"command": ["sleep", str(seconds)], "resourceRequirements": most}
        place = {"jobQueue": "main-small", "jobDefinition": "tool-small"}
        return str(batch.submit_job(jobName="tool", containerOverrides=overrides, **place)["jobId"])

    def status(job: str) -> str:
        return str(batch.describe_jobs(jobs=[job])["jobs"][0]["status"])

    def queue() -> dict[str, Any]:
        return dict(batch.describe_job_queues(jobQueues=["main-small"])["jobQueues"][0])

    runs = submit(3600)
    wait_until(lambda: status(runs) == "RUNNING")
    waits = submit(1)
    wait_until(lambda: status(waits) == "RUNNABLE")
    spend(lab.aws, "101")
    wait_until(lambda: queue()["state"] == "DISABLED")
    since = queue()["tags"]["gen-infra:stopped-by-budget"]
    again = "raise the budget, then gen-infra apply small.yaml --allow enable-queues"

    refused = lab.run("submit", "tool")
    assert refused.returncode == 4
    assert f"job queue main-small is disabled since {since}, because notifications.budget was used up" in refused.stderr
    assert "hint: raise the budget, then run gen-infra apply with --allow enable-queues" in refused.stderr
    with pytest.raises(ClientError, match="JobQueue main-small is not in ENABLED state"):
        submit(1)
    said = lab.run("why", waits).stdout
    assert "cause: its queue is disabled because the budget was used up" in said
    assert f"it accepts no new jobs since {since}, when notifications.budget was used up; those in it still run" in said
    assert f"fix: {again}" in said

    found = lab.drift(1)
    assert {*found} == {"job queue main-small"}
    stopped = found["job queue main-small"]
    assert stopped["meaning"].startswith(f"disabled at {since} because the budget was used up: it accepts no new jobs")
    assert stopped["who"].endswith(":assumed-role/batchQueueStop-small/batchQueueStop-small")
    doctor = lab.run("doctor").stdout
    assert f"main-small is disabled since {since}, because notifications.budget was used up" in doctor
    assert f"-> {again}" in doctor

    planned = lab.run("plan").stdout
    assert f"=> enable-queues: accepts jobs again, although it was disabled at {since}" in planned
    kept = lab.run("apply", "--yes")
    assert kept.returncode == 2
    assert "nothing was changed\nhint: if you want that, add --allow enable-queues\n" in kept.stderr
    assert queue()["state"] == "DISABLED"
    assert status(runs) == "RUNNING"
    batch.terminate_job(jobId=runs, reason="a test")
    wait_until(lambda: status(waits) == "SUCCEEDED")

"""Apply, use and destroy real manifests: the real terraform and provider against the embedded AWS."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli import clean_environ, gen_infra
from tests.conftest import require_tool
from tests.emulator.pushed import put_image
from tests.emulator.reach import assert_access_is_true
from tests.emulator.stack import COMPUTE, Stack, applied, assert_destroyed, assert_settled, changes, details

if TYPE_CHECKING:
    import subprocess

    from tests.emulator.session import Session


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="class")
def prod(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with applied(session, "prod", tmp_path_factory.mktemp("prod")) as made:
        yield made


@pytest.fixture(scope="class")
def dev(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with applied(session, "dev", tmp_path_factory.mktemp("dev")) as made:
        yield made


class TestProd:
    """In this order, on one environment."""

    def test_second_plan_is_empty(self, prod: Stack) -> None:
        assert_settled(prod)

    def test_plain_terraform_finds_the_same(self, prod: Stack) -> None:
        plan = prod.plain_terraform("plan", "-detailed-exitcode")
        assert plan.returncode == 0, plan.stdout + plan.stderr

    def test_check_passes_with_the_plan(self, prod: Stack) -> None:
        report = prod.built("check")
        results = {check["name"]: check["result"] for check in report["checks"]}
        assert results.pop("packer validate") in ({"passed"} if shutil.which("packer") else {"not run"})
        assert results == dict.fromkeys(
            (
                "terraform fmt",
                "checkov (source)",
                "gen-infra (source)",
                "terraform validate",
                "checkov (plan)",
                "gen-infra (plan)",
                "detect-secrets",
            ),
            "passed",
        )

    def test_compute_environment_is_the_original(self, prod: Stack) -> None:
        (found,) = prod.batch().describe_compute_environments()["computeEnvironments"]
        assert found["computeEnvironmentName"].startswith("genomicsEnv-prod-")
        assert (found["type"], found["state"], found["status"]) == ("MANAGED", "ENABLED", "VALID")
        assert found["serviceRole"].endswith("/AWSServiceRoleForBatch")
        assert {"Project": "genomics", "Environment": "prod"}.items() <= found["tags"].items()
        resources = found["computeResources"]
        assert (resources["type"], resources["bidPercentage"], resources["instanceTypes"]) == ("SPOT", 50, ["optimal"])
        assert (resources["minvCpus"], resources["maxvCpus"]) == (0, 1024)
        (image,) = resources["ec2Configuration"]
        parameter = prod.aws.client("ssm").get_parameter(Name="/gen-infra/prod/ami")["Parameter"]["Value"]
        assert image == {"imageType": "ECS_AL2023", "imageIdOverride": parameter}
        assert len(resources["subnets"]) == 2
        assert len(resources["securityGroupIds"]) == 1

    def test_instances_are_locked_down_and_encrypted(self, prod: Stack) -> None:
        (key,) = [
            alias["TargetKeyId"]
            for alias in prod.aws.client("kms").list_aliases()["Aliases"]
            if alias["AliasName"] == "alias/batch-prod"
        ]
        (version,) = prod.aws.client("ec2").describe_launch_template_versions(
            Versions=["$Latest"],
            LaunchTemplateId=prod.batch().describe_compute_environments()["computeEnvironments"][0]["computeResources"][
                "launchTemplate"
            ]["launchTemplateId"],
        )["LaunchTemplateVersions"]
        data = version["LaunchTemplateData"]
        assert data["MetadataOptions"]["HttpTokens"] == "required"
        assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
        volumes = {mapping["DeviceName"]: mapping["Ebs"] for mapping in data["BlockDeviceMappings"]}
        assert {device: volume["VolumeSize"] for device, volume in volumes.items()} == {
            "/dev/xvda": 100,
            "/dev/sdb": 1000,
        }
        for volume in volumes.values():
            assert volume["Encrypted"]
            assert volume["KmsKeyId"].endswith(key)

    def test_queues_are_the_original(self, prod: Stack) -> None:
        found = {queue["jobQueueName"]: queue for queue in prod.batch().describe_job_queues()["jobQueues"]}
        assert {name: queue["priority"] for name, queue in found.items()} == {
            "highPriority-prod": 1000,
            "lowPriority-prod": 1,
        }
        for queue in found.values():
            assert (queue["state"], queue["status"], len(queue["computeEnvironmentOrder"])) == ("ENABLED", "VALID", 1)
            assert {limit["reason"] for limit in queue["jobStateTimeLimitActions"]} == {
                "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
                "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE",
                "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT",
            }

    def test_job_definitions_are_the_original(self, prod: Stack) -> None:
        found = {
            definition["jobDefinitionName"]: definition
            for definition in prod.batch().describe_job_definitions(status="ACTIVE")["jobDefinitions"]
        }
        sizes = {
            name: {entry["type"]: entry["value"] for entry in definition["containerProperties"]["resourceRequirements"]}
            for name, definition in found.items()
        }
        assert sizes == {
            "isaac-prod": {"VCPU": "32", "MEMORY": "80000"},
            "strelka-prod": {"VCPU": "32", "MEMORY": "32000"},
            "snpeff-prod": {"VCPU": "4", "MEMORY": "10000"},
            "samtoolsStats-prod": {"VCPU": "4", "MEMORY": "10000"},
        }
        for name, definition in found.items():
            container = definition["containerProperties"]
            assert definition["retryStrategy"]["attempts"] == 3
            assert definition["propagateTags"] is True
            assert container["volumes"] == [{"host": {"sourcePath": "/docker_scratch"}, "name": "scratch"}]
            assert container["mountPoints"] == [
                {"containerPath": "/scratch", "readOnly": False, "sourceVolume": "scratch"}
            ]
            assert container["jobRoleArn"] == f"arn:aws:iam::123456789012:role/{name}-job"
            assert not container.get("privileged")

    def test_job_role_reaches_the_named_buckets_only(self, prod: Stack) -> None:
        iam = prod.aws.client("iam")
        assert iam.list_attached_role_policies(RoleName="isaac-prod-job")["AttachedPolicies"] == []
        (name,) = iam.list_role_policies(RoleName="isaac-prod-job")["PolicyNames"]
        policy = iam.get_role_policy(RoleName="isaac-prod-job", PolicyName=name)["PolicyDocument"]
        resources = {resource for statement in policy["Statement"] for resource in as_list(statement["Resource"])}
        assert resources == {
            "arn:aws:s3:::aws-batch-genomics-resources",
            "arn:aws:s3:::aws-batch-genomics-resources/*",
            "arn:aws:s3:::genomics-results-123456789012",
            "arn:aws:s3:::genomics-results-123456789012/genomic-workflow",  # clients look for the folder
            "arn:aws:s3:::genomics-results-123456789012/genomic-workflow/*",
        }
        writes = [statement for statement in policy["Statement"] if "s3:PutObject" in as_list(statement["Action"])]
        assert [as_list(statement["Resource"]) for statement in writes] == [
            ["arn:aws:s3:::genomics-results-123456789012/genomic-workflow/*"]
        ]
        trust = iam.get_role(RoleName="isaac-prod-job")["Role"]["AssumeRolePolicyDocument"]["Statement"][0]
        assert trust["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
        assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}

    def test_the_original_submit_job_call_succeeds(self, prod: Stack) -> None:
        batch = prod.batch()
        job_id = batch.submit_job(
            jobName="testIsaac",
            jobQueue="highPriority-prod",
            jobDefinition="isaac-prod",
            containerOverrides={
                "command": [
                    "--bam_s3_folder_path",
                    "s3://genomics-results-123456789012/genomic-workflow/NA12878_states_1/bam",
                ],
                "environment": [{"name": "SAMPLE", "value": "NA12878"}],
            },
        )["jobId"]
        (watched,) = [json.loads(line) for line in [prod.run("jobs", job_id, "--json").stdout]]
        assert watched[0]["queue"] == "highPriority-prod"
        ended = wait_for(prod, job_id)
        assert (ended["status"], ended["exit_code"]) == ("SUCCEEDED", 0)
        assert ended["log_group"] == "/aws/batch/prod/isaac"
        assert ended["log_stream"].startswith("isaac/default/")
        assert "us-east-1.console.aws.amazon.com" in ended["console_url"]

    def test_submit_watches_to_the_end(self, prod: Stack) -> None:
        good = prod.run("submit", "isaac", "--watch", "--env", "SAMPLE=NA12878", "--queue", "lowPriority")
        assert good.returncode == 0, good.stderr
        assert "SUCCEEDED" in good.stderr
        bad = prod.run("submit", "snpeff", "--watch", "--json", "--", "sh", "-c", "exit 3")
        assert bad.returncode == 1
        assert (json.loads(bad.stdout)["status"], json.loads(bad.stdout)["exit_code"]) == ("FAILED", 3)

    def test_the_report_shows_queues_jobs_and_why_they_failed(self, prod: Stack) -> None:
        report = prod.built("report", "--no-check")
        assert {each["section"] for each in report["missing"]} - {"picture"} == {"check"}
        assert report["plan"]["summary"] == "0 to create, 0 to update, 0 to replace, 0 to destroy", "the saved plan"
        live = report["live"]
        assert [each["name"] for each in live["queues"]] == ["highPriority-prod", "lowPriority-prod"]
        (bad,) = [each for each in live["jobs"] if each["exit_code"] == 3]
        assert (bad["status"], bad["cause"], bad["spans"][-1]["state"]) == ("FAILED", "program-failed", "failed")
        assert {"name": "program-failed", "jobs": 1}.items() <= live["causes"][0].items()
        assert live["unseen"] == []

    def test_each_role_reaches_what_the_report_says(self, session: Session, tmp_path: Path) -> None:
        with applied(session, "prod", tmp_path) as copy:
            access = copy.built("report", "--no-check")["access"]
            assert [target["notes"] for target in access["targets"]] == [[]] * 6
            assert assert_access_is_true(copy.aws, access) == 10 * (3 * 4 + 2 * 2 + 3)

    def test_functions_answer(self, prod: Stack) -> None:
        submitted = prod.answer("submit", "strelka", "--via-function", "--name", "through-the-function")
        (listed,) = prod.answer("jobs", submitted["id"])
        assert listed["name"] == "through-the-function"
        status = invoke(prod, "batchGetJobStatus-prod", {"jobId": submitted["id"]})
        assert status["status"] in {"SUBMITTED", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED"}
        listed_before = prod.answer("jobs")
        for change, error, message in (
            ({"jobQueue": "highPriority-dev"}, "OtherEnvironmentError", "'highPriority-dev' does not belong"),
            ({"jobDefinition": "isaac-b-prod"}, "OtherEnvironmentError", "'isaac-b-prod' does not belong"),
            ({"jobDefinition": "isaac-prod:1"}, "NotAllowedError", "names a revision; leave it out"),
            ({"containerOverrides": {"vcpus": 64}}, "NotAllowedError", "containerOverrides.vcpus: choose from"),
            ({"arrayProperties": {"size": 2}}, "NotAllowedError", "array jobs need submit_function.max_array_size"),
            ({"timeout": {"attemptDurationSeconds": 60}}, "NotAllowedError", "timeout stays as the job definition"),
            ({"parameters": {"sample": ["x"]}}, "EventTypeError", "parameters.sample must be a string, not an array"),
            ({"jobName": "n" * 1_000_000}, "EventValueError", "is not 1 to 128 letters"),
        ):
            event = {"jobName": "x", "jobQueue": "highPriority-prod", "jobDefinition": "isaac-prod", **change}
            refused = prod.aws.client("lambda").invoke(FunctionName="batchSubmitJob-prod", Payload=json.dumps(event))
            answer = json.loads(refused["Payload"].read())
            assert (refused.get("FunctionError"), answer["errorType"]) == ("Unhandled", error)
            assert message in answer["errorMessage"]
            assert len(answer["errorMessage"]) < 400
        assert len(prod.answer("jobs")) == len(listed_before)
        told = prod.run("submit", "strelka", "--via-function", "--vcpus", "64")
        assert told.returncode == 2
        assert "batchSubmitJob-prod does not accept this job: containerOverrides.resourceRequirements[0]" in told.stderr

    @pytest.mark.usefixtures("builder")  # says why where there can be none
    def test_a_built_image_comes_in_place_and_turns_the_status_green(self, prod: Stack) -> None:
        require_tool("packer")
        (before,) = prod.batch().describe_compute_environments()["computeEnvironments"]
        assert prod.image("status", code=1)["reasons"][0].endswith("was not built by gen-infra")

        image = prod.image("build")["built"]["id"]
        behind = prod.image("status", code=1)
        assert (behind["reasons"], behind["compute_environments"][0]["stale"]) == ([], f"it should run {image}")

        answer = prod.built("plan")
        assert changes(answer) == {COMPUTE: ("update", False)}
        (moved,) = details(answer, COMPUTE)
        assert moved.endswith(f"-> {image}")
        ((effect,),) = [change["effects"] for change in answer["changes"]]
        assert effect["text"].startswith(
            "new image, in place: new instances have it; running jobs get 360 minutes to end"
        )

        applied = prod.build("apply", "--yes", "--allow", "stop-jobs")
        assert applied.returncode == 0, applied.stderr
        green = prod.image("status")
        name = before["computeEnvironmentName"]
        assert (green["stale"], green["compute_environments"]) == (
            False,
            [{"name": name, "image": image, "stale": None}],
        )
        assert prod.image("retire", "--keep", "0")["removed"] == []

    def test_destroy_leaves_nothing(self, prod: Stack) -> None:
        assert_destroyed(prod)


class TestOtherEnvironments:
    """In this order, on one environment: two compute environments replace its one."""

    def test_a_new_name_and_order_put_the_new_environment_first(self, prod: Stack) -> None:
        spot = {"type": "SPOT", "bid_percentage": 60, "max_vcpus": 1024, "instance_types": ["optimal"]}
        prod.change("prod.yaml", "compute", to={"genomicsSpot": spot, "onDemand": {"type": "EC2", "max_vcpus": 64}})
        for queue, order in (("highPriority", ["onDemand", "genomicsSpot"]), ("lowPriority", ["genomicsSpot"])):
            prod.change("prod.yaml", "queues", queue, "compute", to=order)
        answer = prod.built("plan")
        planned = changes(answer)
        assert planned["aws_batch_job_queue.highPriority"] == ("update", False)
        assert planned["module.compute_genomicsSpot.aws_batch_compute_environment.this"][0] == "create"
        assert planned[COMPUTE][0] == "destroy"
        drawn = {node["id"]: node["change"] for node in prod.built("graph", "--plan")["nodes"] if node["change"]}
        assert drawn["compute-genomicsSpot"] == drawn["compute-onDemand"] == "created"
        assert drawn["compute-genomicsEnv"] == "deleted", "the manifest has it no more, the record in the state does"
        assert drawn["queue-highPriority"] == drawn["queue-lowPriority"] == "changed"
        applied = prod.build("apply", "--yes", "--allow", "stop-jobs")
        assert applied.returncode == 0, applied.stderr
        steps = [line.split()[:2] for line in applied.stderr.splitlines()]
        new = steps.index(["+", "module.compute_genomicsSpot.aws_batch_compute_environment.this"])
        moved = steps.index(["~", "aws_batch_job_queue.lowPriority"])
        gone = steps.index(["-", COMPUTE])
        assert new < moved < gone
        (high,) = prod.batch().describe_job_queues(jobQueues=["highPriority-prod"])["jobQueues"]
        names = [entry["computeEnvironment"].rpartition("/")[2] for entry in high["computeEnvironmentOrder"]]
        assert [name.rpartition("-")[0] for name in names] == ["onDemand-prod", "genomicsSpot-prod"]
        assert_settled(prod)

    def test_an_order_is_changed_in_place(self, prod: Stack) -> None:
        prod.change("prod.yaml", "queues", "highPriority", "compute", to=["genomicsSpot", "onDemand"])
        assert changes(prod.built("plan")) == {"aws_batch_job_queue.highPriority": ("update", False)}

    def test_plain_terraform_applies_what_was_rendered(self, prod: Stack) -> None:
        apply = prod.plain_terraform("apply", "-auto-approve")
        assert apply.returncode == 0, apply.stdout + apply.stderr
        assert "0 added, 2 changed, 0 destroyed" in apply.stdout, "the queue, and the record of the manifest"
        assert_settled(prod)


class TestDev:
    def test_on_demand_stands_behind_spot(self, dev: Stack) -> None:
        assert_settled(dev)
        (high,) = dev.batch().describe_job_queues(jobQueues=["highPriority-dev"])["jobQueues"]
        names = [entry["computeEnvironment"].rpartition("/")[2] for entry in high["computeEnvironmentOrder"]]
        assert [name.rpartition("-")[0] for name in names] == ["genomicsSpot-dev", "genomicsOnDemand-dev"]
        found = {
            environment["computeEnvironmentName"].rpartition("-")[0]: environment["computeResources"]
            for environment in dev.batch().describe_compute_environments()["computeEnvironments"]
        }
        assert {name: resources["maxvCpus"] for name, resources in found.items()} == {
            "genomicsSpot-dev": 128,
            "genomicsOnDemand-dev": 32,
        }

    def test_a_job_succeeds_and_a_function_answers(self, dev: Stack) -> None:
        done = dev.run("submit", "isaac", "--via-function", "--watch")
        assert done.returncode == 0, done.stderr

    def test_apply_without_a_terminal_needs_yes(self, dev: Stack) -> None:
        done = dev.build("apply")
        assert done.returncode == 2
        assert "--yes" in done.stderr

    def test_a_rendered_file_that_was_edited_is_not_overwritten(self, dev: Stack) -> None:
        queues = dev.terraform / "queues.tf"
        queues.write_text(queues.read_text() + "# edited\n")
        done = dev.build("plan")
        assert done.returncode == 2
        assert "queues.tf" in done.stderr
        assert "--force" in done.stderr
        assert queues.read_text().endswith("# edited\n")
        forced = dev.build("plan", "--force")
        assert forced.returncode == 0, forced.stderr

    def test_destroy_leaves_nothing_even_with_images_and_old_revisions(self, dev: Stack) -> None:
        put_image(dev.aws.client("ecr"), "dev/isaac", "1.0")
        dev.change("base.yaml", "jobs", "isaac", "memory_mib", to=70000)
        applied = dev.build("apply", "--yes")
        assert applied.returncode == 0, applied.stderr
        container: Any = {
            "image": "busybox",
            "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "512"}],
            "jobRoleArn": "arn:aws:iam::123456789012:role/isaac-dev-job",
        }
        dev.batch().register_job_definition(
            jobDefinitionName="nf-align", type="container", containerProperties=container
        )
        destroyed = assert_destroyed(dev, others=["nf-align"])
        assert "job definition nf-align:1 uses the role isaac-dev-job: its jobs will fail" in destroyed.stderr


def test_demo(tmp_path: Path) -> None:
    done = gen_infra("demo", cwd=tmp_path, environ=clean_environ())
    assert done.returncode == 0, done.stderr
    steps = [line.split("s  ", 1)[1].split(":")[0] for line in done.stdout.splitlines() if line.startswith("✓")]
    jobs = ["submit a job and watch it", "run a workflow for two samples", "invoke the functions"]
    assert steps == ["render", "check", "plan", "apply", "plan again", *jobs, "build the machine image", "destroy"]
    ran = "submit a job and watch it: isaac-demo:1 SUCCEEDED, exit code 0 (its container ran)" in done.stdout
    assert ran or ("(simulated: no container ran)" in done.stdout and not os.environ.get("CI"))
    assert not ran or "written to scratch and read again: variants of NA12878" in done.stderr
    assert "germline-demo SUCCEEDED: NA12878 (isaac, stats), NA12891 (isaac, stats)" in done.stdout
    built = "build the machine image: /gen-infra/demo/ami names ami-" in done.stdout
    assert built or ("build the machine image: not on this machine: " in done.stdout and not os.environ.get("CI"))
    assert (tmp_path / "build/emulated/demo/terraform/main.tf").is_file()


def wait_for(made: Stack, job_id: str) -> Any:
    """Wait for the job and return what `gen-infra jobs` shows of it."""
    waiter = gen_infra_watch(made, job_id)
    assert waiter.returncode in {0, 1}, waiter.stderr
    (job,) = made.answer("jobs", job_id)
    return job


def gen_infra_watch(made: Stack, job_id: str) -> subprocess.CompletedProcess[str]:
    """Submit a job that depends on it, and watch that one to its end."""
    return made.run("submit", "samtoolsStats", "--depends-on", job_id, "--watch")


def invoke(made: Stack, function: str, event: dict[str, Any]) -> Any:
    answer = made.aws.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return payload


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

"""What AWS services do by themselves, with the roles and the policies of the account, and how it fails without them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.job_helpers import described, follow, reason
from tests.emulator.job_helpers import submit as submit_to
from tests.emulator.probes import Lab, alarms, deliveries, refusal, requirements

if TYPE_CHECKING:
    from gen_infra.emulator import Emulator

PLACE = "us-east-1:123456789012"
REPOSITORY = f"arn:aws:ecr:{PLACE}:repository/aligner"
GROUP = f"arn:aws:logs:{PLACE}:log-group:/lab/aligner"
WORKER = {
    "ecs:DiscoverPollEndpoint": "*",
    "ecs:Poll": "*",
    "ecs:RegisterContainerInstance": f"arn:aws:ecs:{PLACE}:cluster/*",
    "ecs:SubmitContainerStateChange": "*",
    "ecs:SubmitTaskStateChange": "*",
    "ecr:BatchCheckLayerAvailability": REPOSITORY,
    "ecr:BatchGetImage": REPOSITORY,
    "ecr:GetAuthorizationToken": "*",
    "ecr:GetDownloadUrlForLayer": REPOSITORY,
    "logs:CreateLogStream": f"{GROUP}:*",
    "logs:PutLogEvents": f"{GROUP}:*",
}


@pytest.fixture(scope="module")
def lab(aws: Emulator) -> Lab:
    return Lab(aws.endpoint)


def role(lab: Lab, service: str, permissions: dict[str, str], **condition: Any) -> str:
    """Make a role that trusts a service, and may do these actions; return its ARN."""
    trust = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust |= {"Condition": condition} if condition else {}
    name = lab.name("role")
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = lab.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    for action, resource in permissions.items():
        lab.allow(name, action, resource)
    return str(arn)


def without(permissions: dict[str, str], action: str) -> dict[str, str]:
    return {name: resource for name, resource in permissions.items() if name != action}


@pytest.fixture(scope="module")
def image(lab: Lab) -> str:
    lab.client("ecr").create_repository(repositoryName="aligner")
    lab.client("logs").create_log_group(logGroupName="/lab/aligner")
    return "123456789012.dkr.ecr.us-east-1.amazonaws.com/aligner:1"


def submit(lab: Lab, image: str, instance_role: str, **container: Any) -> str:
    resources = lab.resources(instanceRole=lab.profile(instance_role.rpartition("/")[2]))
    queue = lab.queue(lab.environment(computeResources=resources))
    log = {"logDriver": "awslogs", "options": {"awslogs-group": "/lab/aligner"}}
    definition = lab.definition({"image": image, "logConfiguration": log, **container})
    made = lab.client("batch").submit_job(jobName="a", jobQueue=queue, jobDefinition=definition)
    return str(made["jobId"])


def test_a_task_needs_each_permission_of_its_roles(lab: Lab, image: str) -> None:
    secret = lab.client("secretsmanager").create_secret(Name=lab.name("token"), SecretString="x")["ARN"]
    fetches = {"secretsmanager:GetSecretValue": secret, "ssm:GetParameters": f"arn:aws:ssm:{PLACE}:parameter/lab/*"}
    worker = role(lab, "ec2", WORKER)
    secrets = [{"name": "A", "valueFrom": secret}, {"name": "B", "valueFrom": "/lab/token"}]

    def with_secrets(execution: str) -> dict[str, Any]:
        return {"secrets": secrets, "executionRoleArn": execution}

    jobs = {
        action: submit(lab, image, role(lab, "ec2", without(WORKER, action)))
        for action in WORKER
        if action.startswith(("ecr:", "logs:"))
    }
    for action in fetches:
        execution = role(lab, "ecs-tasks", without(fetches, action))
        jobs[action] = submit(lab, image, worker, **with_secrets(execution))
    stranger = role(lab, "ecs-tasks", {}, StringEquals={"aws:SourceAccount": "999999999999"})
    jobs["sts:AssumeRole"] = submit(lab, image, worker, jobRoleArn=stranger)
    own = role(lab, "ecs-tasks", {}, ArnLike={"aws:SourceArn": f"arn:aws:ecs:{PLACE}:*"})
    pulls = {action: resource for action, resource in WORKER.items() if action.startswith("ecr:")}
    good = submit(lab, image, worker, jobRoleArn=own, **with_secrets(role(lab, "ecs-tasks", fetches | pulls)))
    for action, job in jobs.items():
        found = follow(lab, job)[0]
        said = found["attempts"][-1]["container"]["reason"]
        if action == "sts:AssumeRole":
            assert said.startswith(f"ECS was unable to assume the role '{stranger}'")
        else:
            assert f"is not authorized to perform: {action} on resource" in said or f"{action} because" in said
            assert said.startswith(START[action.partition(":")[0]]), said
    assert follow(lab, good)[0]["status"] == "SUCCEEDED"


START = {
    "ecr": "CannotPull",
    "logs": "CannotStartContainerError: Error response from daemon: failed to initialize logging driver",
    "secretsmanager": "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
    "retrieval failed: unable to retrieve secret from asm",
    "ssm": "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
    "unable to retrieve secrets from ssm",
}


def test_an_instance_that_may_not_join_the_cluster_runs_no_job(lab: Lab, image: str) -> None:
    jobs = [
        submit(lab, image, role(lab, "ec2", without(WORKER, action))) for action in WORKER if action.startswith("ecs:")
    ]
    jobs.append(submit(lab, image, role(lab, "batch", WORKER)))  # it does not trust EC2
    bare = lab.client("iam").create_instance_profile(InstanceProfileName=lab.name("bare"))["InstanceProfile"]["Arn"]
    queue = lab.queue(lab.environment(computeResources=lab.resources(instanceRole=bare)))
    definition = lab.definition({"image": image})
    jobs.append(lab.client("batch").submit_job(jobName="a", jobQueue=queue, jobDefinition=definition)["jobId"])
    good = submit(lab, image, role(lab, "ec2", WORKER))
    assert follow(lab, good)[0]["status"] == "SUCCEEDED"
    found = lab.client("batch").describe_jobs(jobs=jobs)["jobs"]
    assert [job["status"] for job in found] == ["RUNNABLE"] * len(jobs)


class TestServiceRole:
    """A compute environment with a service role of its own, with which Batch acts."""

    NEEDED = (
        *("autoscaling:CreateAutoScalingGroup", "autoscaling:DescribeAutoScalingGroups"),
        *("autoscaling:UpdateAutoScalingGroup", "ec2:DescribeImages", "ec2:DescribeLaunchTemplateVersions"),
        *("ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ecs:CreateCluster", "ecs:DescribeClusters"),
        *("iam:GetInstanceProfile", "iam:PassRole"),
    )
    TASKS = ("ecs:DescribeTasks", "ecs:RegisterTaskDefinition", "ecs:RunTask")
    DELETES = ("autoscaling:DeleteAutoScalingGroup", "ecs:DeleteCluster")

    def role(self, lab: Lab, lacking: str = "", service: str = "batch", **condition: Any) -> str:
        actions = (*self.NEEDED, *self.TASKS, *self.DELETES)
        return role(lab, service, without(dict.fromkeys(actions, "*"), lacking), **condition)

    def test_it_is_invalid_without_each_permission(self, lab: Lab) -> None:
        for action in self.NEEDED:
            own = self.role(lab, action)
            session = f"assumed-role/{own.rpartition('/')[2]}/aws-batch"
            found = lab.described_environment(lab.environment(serviceRole=own))
            assert found["status"] == "INVALID"
            assert found["statusReason"].startswith(
                f"CLIENT_ERROR - User: arn:aws:sts::123456789012:{session} is not authorized to perform: {action} "
            )
            assert f"because no identity-based policy allows the {action} action (Service: " in found["statusReason"]
        cluster = lab.described_environment(lab.environment(serviceRole=self.role(lab, "ecs:DescribeClusters")))
        assert cluster["statusReason"].endswith(
            f"on resource: {cluster['ecsClusterArn']} because no identity-based policy allows the ecs:DescribeClusters "
            "action (Service: AmazonECS; Status Code: 400; Error Code: AccessDeniedException)"
        )

    @pytest.mark.parametrize(
        ("service", "account", "status"),
        [("batch", "123456789012", "VALID"), ("batch", "999999999999", "INVALID"), ("ec2", "123456789012", "INVALID")],
    )
    def test_it_must_trust_batch_for_the_account(self, lab: Lab, service: str, account: str, status: str) -> None:
        own = self.role(lab, service=service, StringEquals={"aws:SourceAccount": account})
        found = lab.described_environment(lab.environment(serviceRole=own))
        assert found["status"] == status
        if status == "INVALID":
            assert found["statusReason"] == (
                "CLIENT_ERROR - User: batch.amazonaws.com is not authorized to perform: sts:AssumeRole on resource: "
                f"{own} (Service: AWSSecurityTokenService; Status Code: 403; Error Code: AccessDenied)"
            )

    def test_a_permission_that_is_given_later_makes_it_valid(self, lab: Lab) -> None:
        own = self.role(lab, "ecs:CreateCluster")
        where = lab.environment(serviceRole=own)
        assert lab.described_environment(where)["status"] == "INVALID"
        lab.allow(own.rpartition("/")[2], "ecs:CreateCluster", "*")
        assert lab.described_environment(where)["status"] == "VALID"

    def test_no_job_runs_without_the_permissions_for_tasks(self, lab: Lab) -> None:
        jobs = []
        for action in self.TASKS:
            queue = lab.queue(lab.environment(serviceRole=self.role(lab, action)))
            jobs.append(submit_to(lab, queue, lab.definition({"image": "busybox"})))
        unpassed = role(lab, "ecs-tasks", {})
        own = self.role(lab, "iam:PassRole")
        lab.allow(own.rpartition("/")[2], "iam:PassRole", lab.role("lab-worker"))
        queue = lab.queue(lab.environment(serviceRole=own))
        jobs.append(submit_to(lab, queue, lab.definition({"image": "busybox", "jobRoleArn": unpassed})))
        for job in jobs:
            assert reason(lab, job).startswith("MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS - ")
        good = lab.queue(lab.environment(serviceRole=self.role(lab)))
        done = submit_to(lab, good, lab.definition({"image": "busybox", "jobRoleArn": unpassed}))
        assert follow(lab, done)[0]["status"] == "SUCCEEDED"

    def test_batch_cannot_delete_it_without_the_permissions(self, lab: Lab) -> None:
        batch = lab.client("batch")
        for action in (*self.DELETES, ""):
            where = lab.environment(serviceRole=self.role(lab, action), state="DISABLED")
            batch.delete_compute_environment(computeEnvironment=where)
            left = batch.describe_compute_environments(computeEnvironments=[where])["computeEnvironments"]
            assert [each["status"] for each in left] == (["INVALID"] if action else [])
            assert all(f"is not authorized to perform: {action} " in each["statusReason"] for each in left)


def key(lab: Lab, *services: str) -> str:
    """Make a key whose policy lets the account and these services use it, the services for topics only."""
    own = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "kms:*", "Resource": "*"}
    theirs = {
        "Effect": "Allow",
        "Principal": {"Service": [f"{service}.amazonaws.com" for service in services]},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
        "Condition": {"ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": f"arn:aws:sns:{PLACE}:*"}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [own, theirs] if services else [own]})
    return str(lab.client("kms").create_key(Policy=document)["KeyMetadata"]["Arn"])


def test_an_alarm_publishes_to_an_encrypted_topic_where_the_key_lets_it(lab: Lab) -> None:
    open_key, closed_key = key(lab, "cloudwatch"), key(lab)
    made = [alarms.alarm_with_topic(lab, KmsMasterKeyId=each) for each in (open_key, closed_key)]
    for alarm, _ in made:
        lab.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="a test")
    assert [len(deliveries.messages(lab, url)) for _, url in made] == [1, 0]


@pytest.mark.parametrize(("services", "count"), [(("events",), 1), ((), 0)])
def test_a_blocked_queue_is_reported_by_its_rule(lab: Lab, services: tuple[str, ...], count: int) -> None:
    events, sns, rule, name = lab.client("events"), lab.client("sns"), lab.name("rule"), lab.name("topic")
    queue = lab.queue(lab.environment())
    pattern = {"source": ["aws.batch"], "detail-type": ["Batch Job Queue Blocked"], "detail": {"jobQueue": [queue]}}
    arn = events.put_rule(Name=rule, EventPattern=json.dumps(pattern))["RuleArn"]
    topic = f"arn:aws:sns:{PLACE}:{name}"
    policy = deliveries.policy("events", "sns:Publish", topic, arn)
    sns.create_topic(Name=name, Attributes={"Policy": policy, "KmsMasterKeyId": key(lab, *services)})
    url = deliveries.queue(lab, "sns", topic)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=deliveries.arn_of(url))
    transformer = {"InputPathsMap": {"name": "$.detail.jobName"}, "InputTemplate": '"blocked by <name>"'}
    events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": topic, "InputTransformer": transformer}])
    huge = lab.definition({"resourceRequirements": requirements(vcpu="64", memory="90000000")})
    reason(lab, lab.client("batch").submit_job(jobName="wgs", jobQueue=queue, jobDefinition=huge)["jobId"])
    found = deliveries.messages(lab, url)
    assert [json.loads(each)["Message"] for each in found] == ["blocked by wgs"] * count


class TestBuilds:
    """A schedule that starts a build, each with its own role."""

    def project(self, lab: Lab, service_role: str, **environment: str) -> str:
        name = lab.name("project")
        lab.client("codebuild").create_project(
            name=name,
            source={"type": "S3", "location": "recipes/image.zip"},
            artifacts={"type": "NO_ARTIFACTS"},
            environment={
                "type": "LINUX_CONTAINER",
                "image": "image:1",
                "computeType": "BUILD_GENERAL1_SMALL",
                **environment,
            },
            logsConfig={"cloudWatchLogs": {"status": "ENABLED", "groupName": "/lab/builds"}},
            serviceRole=service_role,
        )
        return name

    def schedule(self, lab: Lab, project: str, schedule_role: str) -> str:
        name = lab.name("schedule")
        lab.client("scheduler").create_schedule(
            Name=name,
            ScheduleExpression="rate(1 day)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": f"arn:aws:codebuild:{PLACE}:project/{project}", "RoleArn": schedule_role},
        )
        return name

    def test_the_schedules_role_starts_it(self, lab: Lab, aws: Emulator) -> None:
        project = self.project(lab, role(lab, "codebuild", {}))
        group = {"aws:SourceArn": f"arn:aws:scheduler:{PLACE}:schedule-group/default"}
        starts = {"codebuild:StartBuild": f"arn:aws:codebuild:{PLACE}:project/{project}"}
        good, bad = (role(lab, "scheduler", each, StringEquals=group) for each in (starts, {}))
        builds = lab.client("codebuild").list_builds_for_project
        refused = aws.run_schedule(self.schedule(lab, project, bad))
        assert "is not authorized to perform: codebuild:StartBuild on resource" in refused
        assert builds(projectName=project)["ids"] == []
        assert aws.run_schedule(self.schedule(lab, project, good)) == ""
        assert len(builds(projectName=project)["ids"]) == 1

    def test_a_build_fails_in_the_phase_whose_permission_is_missing(self, lab: Lab) -> None:
        repository = f"arn:aws:ecr:{PLACE}:repository/builds/codebuild"
        needed = {
            "ecr:BatchCheckLayerAvailability": repository,
            "ecr:BatchGetImage": repository,
            "ecr:GetAuthorizationToken": "*",
            "ecr:GetDownloadUrlForLayer": repository,
            "logs:CreateLogStream": f"arn:aws:logs:{PLACE}:log-group:/lab/builds:*",
            "logs:PutLogEvents": f"arn:aws:logs:{PLACE}:log-group:/lab/builds:*",
            "s3:GetBucketAcl": "arn:aws:s3:::recipes",
            "s3:GetBucketLocation": "arn:aws:s3:::recipes",
            "s3:GetObject": "arn:aws:s3:::recipes/image.zip",
        }
        phases = {"ecr": "PROVISIONING", "logs": "PROVISIONING", "s3": "DOWNLOAD_SOURCE", "": None}
        codebuild = lab.client("codebuild")
        registry = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
        private = {
            "image": f"{registry}/builds/codebuild@sha256:{'0' * 64}",
            "imagePullCredentialsType": "SERVICE_ROLE",
        }
        for action in (*needed, ""):
            project = self.project(lab, role(lab, "codebuild", without(needed, action)), **private)
            started = codebuild.start_build(projectName=project)["build"]["id"]
            [build] = codebuild.batch_get_builds(ids=[started])["builds"]
            failed: dict[str, Any] = next((each for each in build["phases"] if each.get("phaseStatus") == "FAILED"), {})
            assert failed.get("phaseType") == phases[action.partition(":")[0]]
            assert build["buildStatus"] == ("FAILED" if action else "SUCCEEDED")
            if action:
                assert f"is not authorized to perform: {action}" in failed["contexts"][0]["message"]


def test_a_functions_role_writes_its_log_and_sets_failed_events_aside(lab: Lab) -> None:
    url = lab.client("sqs").create_queue(QueueName=lab.name("dead"))["QueueUrl"]
    dead = {"TargetArn": deliveries.arn_of(url)}
    source = "def handler(event, context): raise ValueError('no')"
    sends = {"sqs:SendMessage": dead["TargetArn"]}
    silent = lab.function(source, Role=role(lab, "lambda", sends), DeadLetterConfig=dead)
    speaks = lab.function(source, Role=role(lab, "lambda", {**sends, "logs:*": "*"}), DeadLetterConfig=dead)
    assert refusal(lambda: lab.function(source, Role=role(lab, "lambda", {}), DeadLetterConfig=dead)) == (
        "InvalidParameterValueException"
    )
    groups = lab.client("logs").describe_log_groups
    for function, logs in ((silent, 0), (speaks, 1)):
        lab.client("lambda").invoke(FunctionName=function, Payload=b"{}")
        assert len(groups(logGroupNamePrefix=f"/aws/lambda/{function}")["logGroups"]) == logs
    lab.client("lambda").invoke(FunctionName=speaks, Payload=b'{"run": 7}', InvocationType="Event")
    waiting = lab.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=20)
    assert [json.loads(each["Body"]) for each in waiting["Messages"]] == [{"run": 7}]


def test_instances_with_encrypted_volumes_need_the_keys_policy(lab: Lab) -> None:
    role = "arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    named = {"ArnEquals": {"aws:PrincipalArn": role}, "StringEquals": {"kms:CallerAccount": "123456789012"}}
    own = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "kms:*", "Resource": "*"}
    use = own | {"Principal": {"AWS": "*"}, "Condition": named}
    lend = {"Action": "kms:CreateGrant", "Condition": {**named, "Bool": {"kms:GrantIsForAWSResource": "true"}}}
    uses = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
    policies = {"RUNNABLE": [own, use | {"Action": uses}], "SUCCEEDED": [own, use | {"Action": uses}, use | lend]}
    jobs = {}
    for status, statements in policies.items():
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        key = lab.client("kms").create_key(Policy=document)["KeyMetadata"]["Arn"]
        disk = {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 30, "Encrypted": True, "KmsKeyId": key}}
        name = lab.name("template")
        lab.client("ec2").create_launch_template(
            LaunchTemplateName=name, LaunchTemplateData={"BlockDeviceMappings": [disk]}
        )
        template = {"launchTemplateName": name, "version": "$Latest"}
        environment = lab.environment(computeResources=lab.resources(launchTemplate=template))
        made = lab.client("batch").submit_job(
            jobName="a", jobQueue=lab.queue(environment), jobDefinition=lab.definition()
        )
        jobs[status] = made["jobId"]
    assert follow(lab, jobs["SUCCEEDED"])[0]["status"] == "SUCCEEDED"
    assert described(lab, jobs["RUNNABLE"])["status"] == "RUNNABLE"
    activities = lab.client("autoscaling").describe_scaling_activities()["Activities"]
    assert [each["StatusMessage"].partition("Client.")[2] for each in activities] == [
        "InternalError: Client error on launch"
    ]

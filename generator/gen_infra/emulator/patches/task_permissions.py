"""What ECS needs to start the task of a job, with which role, and its error where a policy refuses it.

ECS fetches secrets and pulls images from ECR as the task's execution role. On EC2, a task without one has its images
pulled as the instance's role: the agent's ``ECRAuthData.UseExecutionRole``. It writes logs as the instance's role, on
Fargate as the execution role.
https://github.com/aws/amazon-ecs-agent/blob/master/agent/engine/docker_task_engine.go
https://docs.aws.amazon.com/AmazonECR/latest/userguide/ECR_on_ECS.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-ecs-iam-role-overview.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from moto.utilities.utils import get_partition

from gen_infra.emulator.authorization import acts
from gen_infra.emulator.images.names import ImageName
from gen_infra.emulator.patches.compute_environments import is_fargate

if TYPE_CHECKING:
    from moto.batch.models import BatchBackend, ComputeEnvironment

    from gen_infra.emulator.authorization.acts import Actor
    from gen_infra.emulator.job import EmulatedJob

_NOT_ASSUMED = "ECS was unable to assume the role '{role}'"
_RETRIEVAL = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed"
_TRIED = "service call has been retried 1 time(s)"
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/ECR_on_ECS.html
_PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
# What the agent calls of its cluster. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/instance_IAM_role.html
_AGENT = ("ecs:RegisterContainerInstance", "ecs:SubmitContainerStateChange", "ecs:SubmitTaskStateChange")


def joins_cluster(backend: BatchBackend, environment: ComputeEnvironment) -> bool:
    """Return whether the instances of a compute environment may join its ECS cluster, with the role of their profile.

    The owner of an unmanaged compute environment starts its instances, with a profile that Batch does not know.
    """
    profile = (environment.compute_resources or {}).get("instanceRole", "")
    if is_fargate(environment) or not profile:
        return True
    agent = acts.role_of_profile(profile, backend.region_name, "i-0123456789abcdef0")
    if agent is None:
        return False
    cluster = environment.ecs_arn
    if acts.first_refusal(agent, [("ecs:DiscoverPollEndpoint", "*"), *((action, cluster) for action in _AGENT)]):
        return False
    instances = f"{cluster.replace(':cluster/', ':container-instance/')}/*"
    return not acts.refusal(agent, "ecs:Poll", instances, {"ecs:cluster": (cluster,)})


def task_problem(backend: BatchBackend, job: EmulatedJob) -> str:
    """Return ECS's error for a task that may not start, of all nodes; empty if it may."""
    return next(filter(None, (_problem(backend, job, task, containers) for task, containers in job.tasks)), "")


def _problem(
    backend: BatchBackend, job: EmulatedJob, task: Mapping[str, Any], containers: Sequence[Mapping[str, Any]]
) -> str:
    arn = str(job.runtime.get("taskArn", ""))
    actors: dict[str, Actor] = {}
    for key in ("taskRoleArn", "jobRoleArn", "executionRoleArn"):
        if name := task.get(key):
            session = arn.rpartition("/")[2]
            found = acts.role(name, backend.region_name, "ecs-tasks.amazonaws.com", session=session, source=arn)
            if found is None:
                return _NOT_ASSUMED.format(role=name)
            actors[key] = found
    execution = actors.get("executionRoleArn")
    agent = _agent(backend, job, execution)
    puller = execution or agent
    problems = (
        problem
        for container in containers
        for problem in (
            *_secrets(backend, container, execution),
            *(_pull(container, puller, is_on_fargate=agent is execution) if puller else ()),
            *(_log(backend, job, container, agent) if agent else ()),
        )
    )
    return next(problems, "")


def _agent(backend: BatchBackend, job: EmulatedJob, execution: Actor | None) -> Actor | None:
    """Return who writes logs: the instance's role, or the execution role on Fargate; None if there is none."""
    environment = backend.get_compute_environment(job.host.environment) if job.host else None
    if environment is None or is_fargate(environment):
        return execution
    profile = (environment.compute_resources or {}).get("instanceRole", "")
    instance = job.host.instances[0] if job.host and job.host.instances else "i-0123456789abcdef0"
    return acts.role_of_profile(profile, backend.region_name, instance)


def _secrets(backend: BatchBackend, container: Mapping[str, Any], execution: Actor | None) -> Iterator[str]:
    """Yield ECS's errors for the secrets of a container, and for those of its private registry and its log driver."""
    named = [each["valueFrom"] for each in container.get("secrets") or []]
    named += [each["valueFrom"] for each in (container.get("logConfiguration") or {}).get("secretOptions") or []]
    named += [each] if (each := (container.get("repositoryCredentials") or {}).get("credentialsParameter")) else []
    place = f"{backend.region_name}:{backend.account_id}"
    for name in named:
        if execution is None:
            yield f"{_RETRIEVAL}: the task has no execution role"
        elif ":secretsmanager:" in name:
            arn = ":".join(name.split(":")[:7])  # a key, a stage and a version may follow
            said = acts.refusal(execution, "secretsmanager:GetSecretValue", arn) or acts.used_keys_refusal(
                execution, "secretsmanager:GetSecretValue", {"SecretId": arn}
            )
            if said:
                step = (
                    f"unable to retrieve secret from asm: {_TRIED}: failed to fetch secret {arn} from secrets manager"
                )
                yield f"{_RETRIEVAL}: {step}: AccessDeniedException: {said}"
        else:
            parameter = (
                name if name.startswith("arn:") else f"arn:{backend.partition}:ssm:{place}:parameter/{name.lstrip('/')}"
            )
            read = {"Names": [parameter], "WithDecryption": True}
            said = acts.refusal(execution, "ssm:GetParameters", parameter) or acts.used_keys_refusal(
                execution, "ssm:GetParameters", read
            )
            if said:
                yield f"{_RETRIEVAL}: unable to retrieve secrets from ssm: {_TRIED}: AccessDeniedException: {said}"


def _pull(container: Mapping[str, Any], puller: Actor, *, is_on_fargate: bool) -> Iterator[str]:
    """Yield ECS's errors for an image in ECR."""
    image = ImageName.read(str(container.get("image", "")))
    place = image.ecr if image else None
    if image is None or place is None:
        return
    if said := acts.refusal(puller, "ecr:GetAuthorizationToken"):
        start = (
            f"{_RETRIEVAL}: unable to retrieve ecr registry auth" if is_on_fargate else "CannotPullECRContainerError"
        )
        yield f"{start}: {_TRIED}: AccessDeniedException: {said}"
    repository = f"arn:{get_partition(place.region)}:ecr:{place.region}:{place.account}:repository/{place.name}"
    if said := acts.first_refusal(puller, [(action, repository) for action in _PULL]):
        yield (
            f"CannotPullContainerError: Error response from daemon: pull access denied for {image.path}, "
            f"repository does not exist or may require 'docker login': denied: {said}"
        )


def _log(backend: BatchBackend, job: EmulatedJob, container: Mapping[str, Any], agent: Actor) -> Iterator[str]:
    """Yield ECS's error for the log stream of a container."""
    group = job.log_options(dict(container))["awslogs-group"]
    arn = f"arn:{backend.partition}:logs:{backend.region_name}:{backend.account_id}:log-group:{group}:log-stream:"
    if said := acts.first_refusal(agent, [("logs:CreateLogStream", arn), ("logs:PutLogEvents", f"{arn}a")]):
        yield (
            "CannotStartContainerError: Error response from daemon: failed to initialize logging driver: failed to "
            f"create Cloudwatch log stream: operation error CloudWatch Logs: AccessDeniedException: {said}"
        )

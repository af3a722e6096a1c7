"""The parts of a graph that submit and run jobs: queues, jobs, workflows, engines, functions and access roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.graph.data import is_read_only
from gen_infra.graph.model import GraphEdge, GraphNode
from gen_infra.graph.words import count, several
from gen_infra.manifest.definitions import tasks_of
from gen_infra.manifest.job_policies import role_policies
from gen_infra.manifest.model.access import GITHUB_HOST
from gen_infra.manifest.state_machines import jobs_of, step_queue
from gen_infra.render.blocks import access as access_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.manifest import Manifest
    from gen_infra.manifest.model.access import AccessName, AccessRole
    from gen_infra.manifest.model.job import Job
    from gen_infra.manifest.model.scheduling import Queue

_MAY: dict[AccessName, str] = {
    "submit": "may submit jobs",
    "operate": "may submit and cancel jobs",
    "plan": "may read all, for plans",
    "apply": "may change the environment",
}


def work(manifest: Manifest) -> Iterator[GraphNode | GraphEdge]:
    """Yield the nodes, and the edges to them from compute environments and between them."""
    yield from _functions(manifest)
    yield from _access(manifest)
    yield from _queues(manifest)
    for key in manifest.workflows:
        yield from _workflow(manifest, key)
    order = [*_by_priority(manifest)]
    for key, job in sorted(manifest.jobs.items(), key=lambda item: order.index(manifest.queue_of(item[1]))):
        yield _job(manifest, key, job)
        queue = manifest.queue_of(job)
        title = f"{key} is submitted to {queue}, unless a submission names another queue"
        yield GraphEdge(f"queue-{queue}", f"job-{key}", title)
    yield from _workflow_edges(manifest)
    yield from _engines(manifest)


def _functions(manifest: Manifest) -> Iterator[GraphNode | GraphEdge]:
    if not manifest.own_jobs:
        return
    names = [*map(manifest.suffixed, ("batchSubmitJob", "batchGetJobStatus"))]
    details = ("submit jobs and read their status",)
    yield GraphNode("functions", "functions", names[0], (names[1], *details), addresses=("module.job_functions",))
    for key in manifest.queues:
        yield GraphEdge("functions", f"queue-{key}", f"the function {names[0]} submits jobs to {key}")


def _access(manifest: Manifest) -> Iterator[GraphNode | GraphEdge]:
    if not manifest.access:
        return
    parts = access_blocks(manifest)["access_policies"]
    for name, role in manifest.access.roles.items():
        numbers = range(1, len(parts[name]) + 1)
        yield GraphNode(
            f"access-{name}",
            "access",
            manifest.access_role_name(name),
            (_MAY[name], _principals(role)),
            key=f"access.{name}",
            addresses=(
                f"aws_iam_role.access_{name}",
                *(f"aws_iam_policy.access_{name}_{number}" for number in numbers),
                *(f"aws_iam_role_policy_attachment.access_{name}_{number}" for number in numbers),
                *_identity_providers(manifest, role),
            ),
        )
    given = manifest.access.submit
    queues = {"submit": (given.queues if given else ()) or manifest.queues, "operate": manifest.queues}
    for name in manifest.access.roles:
        for queue in queues.get(name, ()):
            yield GraphEdge(f"access-{name}", f"queue-{queue}", f"the role {name} may submit jobs to {queue}")


def _principals(role: AccessRole) -> str:
    kinds = {"principal": role.principals, "GitHub subject": role.github, "GitLab subject": role.gitlab}
    return ", ".join(count(len(who), kind) for kind, who in kinds.items() if who) or "no principals yet"


def _identity_providers(manifest: Manifest, role: AccessRole) -> Iterator[str]:
    if manifest.access and manifest.access.oidc_providers == "create":
        labels = {"github": role.github, "gitlab": role.gitlab}
        hosts = {"github": GITHUB_HOST, "gitlab": manifest.access.gitlab_host}
        for label, subjects in labels.items():
            if subjects and hosts[label] in manifest.access.oidc_hosts:
                yield f"aws_iam_openid_connect_provider.{label}"


def _queues(manifest: Manifest) -> Iterator[GraphNode | GraphEdge]:
    for key, queue in _by_priority(manifest).items():
        yield _queue(manifest, key, queue)
        for compute in queue.compute:
            yield GraphEdge(f"compute-{compute}", f"queue-{key}", f"{compute} runs the jobs of {key}")


def _by_priority(manifest: Manifest) -> dict[str, Queue]:
    """Return the queues in the order in which Batch schedules them."""
    return dict(sorted(manifest.queues.items(), key=lambda item: -item[1].priority))


def _queue(manifest: Manifest, key: str, queue: Queue) -> GraphNode:
    fair = queue.fair_share
    order = [f"on {', then '.join(queue.compute)}"] if len(queue.compute) > 1 else []
    shares = [f"fair share: {several([*fair.shares])}" if fair.shares else "fair share"] if fair else []
    stopped = [] if queue.state == "ENABLED" else ["disabled: accepts no jobs"]
    policy = [f"aws_batch_scheduling_policy.{key}"] if fair else []
    return GraphNode(
        f"queue-{key}",
        "queue",
        manifest.queue_name(key),
        (f"priority {queue.priority}", *order, *shares, *stopped),
        key=f"queues.{key}",
        addresses=(f"aws_batch_job_queue.{key}", *policy),
    )


def _job(manifest: Manifest, key: str, job: Job) -> GraphNode:
    containers = job.all_containers
    images = list(dict.fromkeys(container.image.rpartition("/")[2] for container in containers.values()))
    gpus = f", {count(job.total_gpus, 'GPU')}" if job.total_gpus else ""
    nodes = f" on each of {job.nodes} nodes" if job.nodes else ""
    secrets = {secret.arn for container in containers.values() for secret in container.secrets.values()}
    kept = manifest.kept_jobs.get(key)
    return GraphNode(
        f"job-{key}",
        "job",
        manifest.definition_name(key) + (f":{kept}" if kept else ""),
        (
            f"{count(job.total_vcpus, 'vCPU')}, {job.total_memory_mib} MiB{gpus}{nodes}",
            f"{'images' if len(images) > 1 else 'image'} {several(images, 1)}",
            *([f"reads {count(len(secrets), 'secret')}"] if secrets else []),
            *_host_folders(job),
        ),
        role=manifest.job_role_arn(key).rpartition("/")[2],
        key=f"jobs.{key}",
        addresses=tuple(_job_addresses(manifest, key, job)),
    )


def _host_folders(job: Job) -> Iterator[str]:
    """Yield the folders of the host that ``container_properties`` mount; scratch is each job's own."""
    for volume in job.container_properties.get("volumes", []):
        if path := volume.get("host", {}).get("sourcePath"):
            yield f"{'reads' if is_read_only(job, volume.get('name')) else 'may write'} {path} of its host"


def _job_addresses(manifest: Manifest, key: str, job: Job) -> Iterator[str]:
    yield f"aws_batch_job_definition.{key}"
    if key in manifest.own_jobs:
        yield f"aws_cloudwatch_log_group.{key}"
        if not job.role:
            yield f"aws_iam_role.{key}"
        if manifest.needs_execution_role(job):
            yield f"aws_iam_role.{key}_execution"
        yield from (f"aws_iam_role_policy.{policy.label}" for policy in role_policies(manifest, key))


def _workflow(manifest: Manifest, key: str) -> Iterator[GraphNode]:
    workflow = manifest.workflows[key]
    jobs = jobs_of(manifest, key)
    steps = [count(len(workflow.steps), "step")] if workflow.steps else [count(len(jobs), "job")]
    many = [f"for lists: {workflow.many.max_concurrency} samples at a time"] if workflow.many else []
    failure = ["e-mail when a run fails"] if workflow.on_failure else []
    machine = manifest.state_machine_name(key)
    yield GraphNode(
        f"workflow-{key}",
        "workflow",
        machine,
        (*steps, *many, *failure),
        role=manifest.workflow_role_name(machine),
        key=f"workflows.{key}",
        addresses=(f"module.workflow_{key}",),
    )


def _workflow_edges(manifest: Manifest) -> Iterator[GraphEdge]:
    """Yield which jobs a workflow runs, and in which queues other than the jobs' own."""
    for key, workflow in manifest.workflows.items():
        for job in jobs_of(manifest, key):
            yield GraphEdge(f"workflow-{key}", f"job-{job}", f"{key} runs {job}", is_indirect=True)
        places = (
            [(task.job, task.queue) for task in tasks_of(manifest, key)]
            if workflow.definition
            else [(step.job, step_queue(manifest, step)) for step in workflow.steps.values()]
        )
        for job, queue in dict.fromkeys(places):
            if job in manifest.jobs and queue != manifest.queue_of(manifest.jobs[job]):
                title = f"{key} submits {job} to {queue}"
                yield GraphEdge(f"queue-{queue}", f"job-{job}", title, is_indirect=True)


def _engines(manifest: Manifest) -> Iterator[GraphNode | GraphEdge]:
    for key, engine in manifest.given_engines.items():
        work = engine.work
        names = manifest.definition_names(key)
        yield GraphNode(
            f"engine-{key}",
            "engine",
            key,
            (
                f"work files: {work.bucket}/{work.prefix}",
                f"definitions: {several(names or engine.jobs)}",
                *(["may register privileged jobs"] if engine.may_be_privileged else []),
            ),
            role=manifest.engine_role_name(key, "worker"),
            key=f"engines.{key}",
            addresses=(f"module.engine_{key}",),
        )
        queue = engine.queue or next(iter(manifest.queues))
        yield GraphEdge(f"queue-{queue}", f"engine-{key}", f"{key} submits its tasks to {queue}")

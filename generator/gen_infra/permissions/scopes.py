"""The resources that commands call AWS for, as ARNs and conditions: a scope for each, by the names in `calls`.

Names of an environment's resources end in its name, so that a scope stays the same when queues and jobs come and go.
Such a pattern covers names of other environments: ``*-prod`` is ``isaac-b-prod`` of ``b-prod`` too. What changes these
resources therefore requires the tag ``gen-infra:environment``, and what creates them sets it. AWS reads no tags for
``iam:PassRole`` (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html), and a job definition
without a revision has none: there the pattern is all. What AWS names by an id is known by its tags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_infra.aws.tags import ENVIRONMENT_TAG, SUBMITTER_TAG
from gen_infra.manifest.instance_policies import CLUSTERS, UNIQUE
from gen_infra.manifest.job_policies import ECR_IMAGE, StatementCondition
from gen_infra.manifest.model.settings import StateBucket
from gen_infra.permissions.scope import Scope, arn, equals, equals_if_exists, iam_arn, lacks, like
from gen_infra.permissions.workflow_scopes import workflow_scopes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gen_infra.manifest.model.manifest import Manifest

_ATTACHED_POLICIES = ("service-role/AWSBatchServiceRole", "service-role/AmazonEC2SpotFleetTaggingRole")
# What the instances' role had in former versions, before it got policies of its own.
_FORMER_POLICIES = ("AmazonSSMManagedInstanceCore", "service-role/AmazonEC2ContainerServiceforEC2Role")
# The names of all access roles and of their policies begin so, in every environment; no other resource's name does.
ACCESS_PREFIX = "batchAccess"
# Actions of EC2 that create what they tag.
_NETWORK_CREATIONS = (
    "AllocateAddress",
    "AuthorizeSecurityGroupEgress",
    "AuthorizeSecurityGroupIngress",
    "CreateFlowLogs",
    "CreateInternetGateway",
    "CreateNatGateway",
    "CreateRouteTable",
    "CreateSecurityGroup",
    "CreateSubnet",
    "CreateVpc",
    "CreateVpcEndpoint",
)
_NETWORK_KINDS = (
    "elastic-ip",
    "internet-gateway",
    "natgateway",
    "route-table",
    "security-group",
    "security-group-rule",
    "subnet",
    "vpc",
    "vpc-endpoint",
    "vpc-flow-log",
)


def scopes(manifest: Manifest) -> Mapping[str, Scope]:
    """Return every scope of an environment; those without resources are left out."""
    parts = (_account, _batch, _iam, _named, _data, workflow_scopes, _network, _key, _image)
    return {name: scope for part in parts for name, scope in part(manifest) if scope.arns}


def _account(manifest: Manifest) -> Iterator[tuple[str, Scope]]:
    """Yield what has no resources of its own: reads of the region, and of IAM, which has none."""
    yield "region", Scope(("*",), (equals("aws:RequestedRegion", manifest.region),))
    yield "anywhere", Scope(("*",))
    services = [service for service, is_used in _linked_roles(manifest).items() if is_used]
    yield (
        "service-linked-roles",
        Scope(tuple(iam_arn(manifest, f"role/aws-service-role/{service}.amazonaws.com/*") for service in services)),
    )
    if any(compute.service_role == "service-linked" for compute in manifest.compute.values()):
        role = iam_arn(manifest, "role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch")
        yield "batch-linked-role", Scope((role,), (equals("iam:AWSServiceName", "batch.amazonaws.com"),))
    if manifest.created_file_systems:
        path = "role/aws-service-role/elasticfilesystem.amazonaws.com/AWSServiceRoleForAmazonElasticFileSystem"
        service = equals("iam:AWSServiceName", "elasticfilesystem.amazonaws.com")
        yield "efs-linked-role", Scope((iam_arn(manifest, path),), (service,))


def _linked_roles(manifest: Manifest) -> dict[str, bool]:
    computes = manifest.compute.values()
    return {
        "batch": any(compute.service_role == "service-linked" for compute in computes),
        "autoscaling": any(not compute.is_fargate and not compute.needs_spot_fleet_role for compute in computes),
        "spot": manifest.uses_spot,
        "spotfleet": any(compute.needs_spot_fleet_role for compute in computes),
    }


def _owned(manifest: Manifest) -> StatementCondition:
    """Return the condition that a resource is this environment's."""
    return equals(f"aws:ResourceTag/{ENVIRONMENT_TAG}", manifest.name)


def _not_of_others(manifest: Manifest) -> StatementCondition:
    """Return the condition that a resource is this environment's or has no tag yet: it is created, or adopted."""
    return equals_if_exists(f"aws:ResourceTag/{ENVIRONMENT_TAG}", manifest.name)


def _requested(manifest: Manifest) -> StatementCondition:
    """Return the condition that a call sets this environment's tag."""
    return equals(f"aws:RequestTag/{ENVIRONMENT_TAG}", manifest.name)


def _batch(manifest: Manifest) -> Iterator[tuple[str, Scope]]:
    name, existing = manifest.name, manifest.adopted
    owned, not_of_others, requested = _owned(manifest), _not_of_others(manifest), _requested(manifest)

    def named(kind: str, *names: str) -> tuple[str, ...]:
        return tuple(arn(manifest, "batch", f"{kind}/{each}") for each in names)

    computes = named("compute-environment", f"*-{name}-{UNIQUE}")
    adopted_computes = named("compute-environment", *sorted(existing.compute.values()))
    # Also the disabled queues that keep a compute environment while its successor is created.
    queues = named("job-queue", f"*-{name}", f"*-{name}-{UNIQUE}-drain")
    adopted_queues = named("job-queue", *sorted(existing.queues.values()))
    adopted_drains = named("job-queue", *(f"{each}-drain" for each in sorted(existing.compute.values())))
    policies = named("scheduling-policy", f"*-{name}")
    adopted_policies = named("scheduling-policy", *sorted(existing.scheduling_policies.values()))
    adopted_names = sorted({manifest.definition_name(key) for key in existing.jobs})
    definitions = named("job-definition", f"*-{name}", *adopted_names)
    revisions = named("job-definition", f"*-{name}:*")
    adopted_revisions = named("job-definition", *(f"{each}:*" for each in adopted_names))
    adopted = (*adopted_computes, *adopted_queues, *adopted_drains, *adopted_policies, *adopted_revisions)

    yield "new-compute-environments", Scope(computes, (requested,))
    yield "compute-environments", Scope(computes, (owned,))
    yield "new-job-queues", Scope((*queues, *adopted_queues, *adopted_drains), (requested,))
    yield "job-queues", Scope(queues, (owned,))
    yield "new-scheduling-policies", Scope((*policies, *adopted_policies), (requested,))
    yield "scheduling-policies", Scope(policies, (owned,))
    yield "new-job-definitions", Scope(definitions, (requested,))
    yield "job-definitions", Scope(revisions, (owned,))
    yield "adopted-batch", Scope(adopted, (not_of_others,))
    tagged = (*computes, *queues, *policies, *definitions, *revisions, *adopted)
    yield "tags-of-batch", Scope(tagged, (not_of_others,))
    clusters = [
        form.format(each) for each in (f"*-{name}-{UNIQUE}", *sorted(existing.compute.values())) for form in CLUSTERS
    ]
    yield "clusters", Scope(tuple(arn(manifest, "ecs", f"cluster/{each}") for each in clusters))
    instances = tuple(arn(manifest, "ecs", f"container-instance/{each}/*") for each in clusters)
    yield "container-instances", Scope(instances)
    yield from _submitting(manifest, (queues[0], *revisions), (*adopted_queues, *adopted_revisions))


def _submitting(manifest: Manifest, ours: tuple[str, ...], adopted: tuple[str, ...]) -> Iterator[tuple[str, Scope]]:
    """Yield what jobs are submitted to, and jobs. AWS reads the tags of a definition only with its revision.

    https://docs.aws.amazon.com/batch/latest/userguide/iam-example-restrict-job-submission-by-tags.html

    Args:
        manifest: the environment.
        ours: its queues and definitions, as patterns.
        adopted: those that existed before, which may have no tags yet.
    """
    owned, not_of_others = _owned(manifest), _not_of_others(manifest)
    submit = manifest.access.submit if manifest.access else None
    chosen = {manifest.batch_arn("job-queue", key): key for key in submit.queues} if submit else {}

    def allowed(arns: tuple[str, ...], *, are_adopted: bool) -> tuple[str, ...]:
        of_kind = (arn for arn, key in chosen.items() if (key in manifest.adopted.queues) is are_adopted)
        return (*of_kind, *(each for each in arns if not (chosen and ":job-queue/" in each)))

    submitted = (equals(f"aws:RequestTag/{SUBMITTER_TAG}", "${aws:userid}"), _requested(manifest))
    yield "submitted-to", Scope(allowed(ours, are_adopted=False), (*submitted, owned))
    yield "adopted-submitted-to", Scope(allowed(adopted, are_adopted=True), (*submitted, not_of_others))
    yield "submitted-to-any-queue", Scope(ours, (*submitted, owned))
    yield "adopted-submitted-to-any-queue", Scope(adopted, (*submitted, not_of_others))
    jobs = (arn(manifest, "batch", "job/*"),)
    is_new = (lacks(f"aws:ResourceTag/{SUBMITTER_TAG}"), lacks(f"aws:ResourceTag/{ENVIRONMENT_TAG}"))
    yield "submitted-jobs", Scope(jobs, (*submitted, *is_new))
    yield "own-jobs", Scope(jobs, (equals(f"aws:ResourceTag/{SUBMITTER_TAG}", "${aws:userid}"), owned))
    yield "jobs", Scope(jobs, (owned,))


def role_names(manifest: Manifest) -> dict[str, tuple[str, ...]]:
    """Return the names of the roles that the manifest renders, with patterns of those of jobs, by who assumes them."""
    suffixed, computes = manifest.suffixed, manifest.compute.values()
    instances = manifest.uses_ec2 and not manifest.iam.instance_profile
    jobs = bool(manifest.jobs)
    names = {
        "ec2": [suffixed(role) for role in ("batchInstance", "batchImageBuilder") if instances],
        "batch": [suffixed("batchService")] if any(each.service_role == "create" for each in computes) else [],
        "spotfleet": [suffixed("batchSpotFleet")] if any(each.needs_spot_fleet_role for each in computes) else [],
        "ecs-tasks": [
            *([manifest.job_role_name("*"), manifest.execution_role_name("*")] if jobs else []),
            *manifest.engine_role_names,
        ],
        "lambda": [
            *(suffixed(role) for role in ("batchSubmitJob", "batchGetJobStatus") if jobs),
            *([suffixed("batchMeasure")] if manifest.notifications.measures else []),
            *manifest.budget_topics,  # the role has the topic's name
        ],
        "codebuild": [suffixed("batchImageRebuild")] if manifest.image.rebuild else [],
        "scheduler": [suffixed("batchImageSchedule")] if manifest.image.rebuild else [],
        "states": [manifest.workflow_role_name(machine) for machine in manifest.state_machines],
        "vpc-flow-logs": [suffixed("batchFlowLogs")] if manifest.network.create else [],
    }
    return {service: tuple(several) for service, several in names.items() if several}


def _given_roles(manifest: Manifest) -> dict[str, list[str]]:
    """Return the ARNs of existing roles that the manifest passes to services."""
    profile = manifest.iam.instance_profile
    return {
        # The name of the role in a profile is not in the manifest; AWS's console gives both the same.
        "ec2": [profile.replace(":instance-profile/", ":role/")] if profile else [],
        "batch": sorted(
            {each.service_role for each in manifest.compute.values() if each.service_role.startswith("arn:")}
        ),
        "ecs-tasks": manifest.existing_job_roles,
    }


def _iam(manifest: Manifest) -> Iterator[tuple[str, Scope]]:
    path, boundary = manifest.iam.path, manifest.iam.permissions_boundary
    by_service = role_names(manifest)
    names = [name for several in by_service.values() for name in several]
    roles = tuple(iam_arn(manifest, f"role{path}{name}") for name in names)
    given = _given_roles(manifest)
    bounded = (equals("iam:PermissionsBoundary", boundary),) if boundary else ()
    owned = _owned(manifest)
    yield "roles", Scope(roles)
    yield "new-roles", Scope(roles, (*bounded, _requested(manifest)))
    yield "own-roles", Scope(roles, (owned,))
    yield "tags-of-roles", Scope(roles, (_not_of_others(manifest),))
    yield "bounded-roles", Scope(roles, (*bounded, owned))
    instances = tuple(iam_arn(manifest, f"role{path}{name}") for name in by_service.get("ec2", ()))
    # What versions without the tag attached is detached while the role gets its tag.
    for scope, changed, several, tags in (
        ("attached-policies", roles, _ATTACHED_POLICIES, (owned,)),
        ("former-policies", instances, _FORMER_POLICIES, ()),
    ):
        policies = tuple(f"arn:{manifest.partition}:iam::aws:policy/{policy}" for policy in several)
        yield scope, Scope(changed, (*bounded, *tags, StatementCondition("ArnEquals", "iam:PolicyARN", policies)))
    profiles = [iam_arn(manifest, f"instance-profile{path}{name}") for name in by_service.get("ec2", ())]
    yield "instance-profiles", Scope(tuple(profiles))
    for service in dict.fromkeys((*by_service, *given)):
        passed = (
            *(iam_arn(manifest, f"role{path}{name}") for name in by_service.get(service, ())),
            *given.get(service, ()),
        )
        to = (f"{service}.amazonaws.com", *((f"{service}.{manifest.dns_suffix}",) if service == "ec2" else ()))
        yield f"pass-to-{service}", Scope(passed, (equals("iam:PassedToService", *dict.fromkeys(to)),))
    existing = manifest.adopted
    yield "adopted-roles", Scope(tuple(_with_any_path(manifest, "role", existing.roles)))
    yield "adopted-profiles", Scope(tuple(_with_any_path(manifest, "instance-profile", existing.instance_profiles)))
    yield "given-roles", Scope(tuple(dict.fromkeys(role for several in given.values() for role in several)))
    yield "given-profile", Scope((manifest.iam.instance_profile,) if manifest.iam.instance_profile else ())
    yield "boundary", Scope((boundary,) if boundary else ())
    access = manifest.access
    own = [manifest.access_role_name(role) for role in access.roles] if access else []
    yield "access-roles", Scope(tuple(iam_arn(manifest, f"role{path}{name}") for name in own))
    yield "access-policies", Scope(tuple(iam_arn(manifest, f"policy{path}{name}-?") for name in own))
    hosts = access.oidc_hosts if access else []
    yield "oidc-providers", Scope(tuple(iam_arn(manifest, f"oidc-provider/{host}") for host in hosts))


def _with_any_path(manifest: Manifest, kind: str, names: Iterable[str]) -> Iterator[str]:
    """Yield the ARNs of what has these names, which are unique in an account whatever the path."""
    for name in sorted(names):
        yield from (iam_arn(manifest, f"{kind}/{name}"), iam_arn(manifest, f"{kind}/*/{name}"))


def protected(manifest: Manifest) -> tuple[str, ...]:
    """Return what the role `apply` may never change: the boundary, and the access roles of any environment."""
    path, boundary = manifest.iam.path, manifest.iam.permissions_boundary
    own = (iam_arn(manifest, f"{kind}{path}{ACCESS_PREFIX}*") for kind in ("role", "policy"))
    return (*own, *([boundary] if boundary else []))


def _named(manifest: Manifest) -> Iterator[tuple[str, Scope]]:
    """Yield what has a fixed name in the environment's region."""
    suffixed = manifest.suffixed
    every_run = manifest.workflow_log_group(suffixed("*"))
    named = [each for each in manifest.log_group_patterns if each != every_run]
    named += map(manifest.workflow_log_group, manifest.state_machines)
    groups = [arn(manifest, "logs", f"log-group:{name}") for name in named]
    yield "log-groups", Scope(tuple(each for group in groups for each in _with_streams(group)))
    adopted = [arn(manifest, "logs", f"log-group:{name}") for name in manifest.adopted.log_groups]
    yield "adopted-log-groups", Scope(tuple(each for group in adopted for each in _with_streams(group)))
    jobs = arn(manifest, "logs", f"log-group:{manifest.job_log_group('*')}")
    default = arn(manifest, "logs", "log-group:/aws/batch/job")
    yield "job-logs", Scope((f"{jobs}:log-stream:*", f"{default}:log-stream:*"))
    functions = ("batchSubmitJob", "batchGetJobStatus") if manifest.jobs else ()
    measure = (suffixed("batchMeasure"),) if manifest.notifications.measures else ()
    # The function that stops the queues has its topic's name.
    made = (*map(suffixed, functions), *measure, *manifest.budget_topics)
    yield "functions", Scope(tuple(arn(manifest, "lambda", f"function:{name}") for name in made))
    yield (
        "submit-function",
        Scope(tuple(arn(manifest, "lambda", f"function:{suffixed(name)}") for name in functions[:1])),
    )
    yield "dead-letters", Scope(tuple(arn(manifest, "sqs", name) for name in manifest.dead_letter_queues))
    budget = f"arn:{manifest.partition}:budgets::{manifest.account}:budget/{suffixed('batchBudget')}"
    yield "budget", Scope((budget,) if manifest.notifications.budget else ())
    taken_over = manifest.adopted.repositories.values()
    repositories = tuple(arn(manifest, "ecr", f"repository/{each}") for each in (f"{manifest.name}/*", *taken_over))
    yield "repositories", Scope(repositories if manifest.repositories else ())
    uris = [manifest.image_uri(container.image) for _, _, container in manifest.containers()]
    found = [match.groups() for uri in uris if (match := ECR_IMAGE.match(uri))]
    used = {f"arn:{manifest.partition}:ecr:{region}:{account}:repository/{name}" for account, region, name in found}
    own = {repository for repository in used if repository.startswith(repositories[0].rstrip("*"))}
    yield "image-repositories", Scope((*(repositories if own else ()), *sorted(used - own)))
    topics = (*manifest.alarm_topics, *manifest.budget_topics, *manifest.event_topics)
    yield "topics", Scope(tuple(arn(manifest, "sns", topic) for topic in topics))
    yield "event-rules", Scope(tuple(arn(manifest, "events", f"rule/{name}") for name in manifest.event_rules))
    rebuild = suffixed("batchImageRebuild") if manifest.image.rebuild else ""
    names = {
        "build-project": ("codebuild", f"project/{rebuild}"),
        "schedule-group": ("scheduler", f"schedule-group/{rebuild}"),
        "schedule": ("scheduler", f"schedule/{rebuild}/{rebuild}"),
    }
    for scope, (service, resource) in names.items():
        yield scope, Scope((arn(manifest, service, resource),) if rebuild else ())
    yield "alarms", Scope(tuple(map(manifest.alarm_arn, manifest.alarms)))
    dashboards = f"arn:{manifest.partition}:cloudwatch::{manifest.account}:dashboard/"  # of no region
    yield "dashboard", Scope(tuple(f"{dashboards}{name}" for name in manifest.dashboards))


def _with_streams(group: str) -> Iterable[str]:
    """Return the two forms of a log group's ARN: CloudWatch Logs adds ``:*`` for all calls but those for tags."""
    return (group,) if group.endswith("*") else (group, f"{group}:*")


def _data(manifest: Manifest) -> Iterator[tuple[str, Scope]]:
    """Yield buckets, parameters, secrets and images that commands read, and the state."""
    s3 = f"arn:{manifest.partition}:s3:::"
    if isinstance(manifest.state, StateBucket):
        state = f"{s3}{manifest.state.bucket}/{manifest.state_key}"
        yield "state-bucket", Scope((f"{s3}{manifest.state.bucket}",))
        yield "state", Scope((state,))
        yield "state-lock", Scope((f"{state}.tflock",))
    rebuild = manifest.image.rebuild
    buckets = {bucket.name for bucket in manifest.buckets.values()} | ({rebuild.bucket} if rebuild else set())
    yield "buckets", Scope(tuple(f"{s3}{name}" for name in sorted(buckets)))
    yield "build-bucket", Scope((f"{s3}{rebuild.bucket}",) if rebuild else ())
    yield "build-source", Scope((f"{s3}{rebuild.bucket}/{manifest.rebuild_source_key}",) if rebuild else ())
    containers = [container for _, _, container in manifest.containers()]
    secrets = {
        each.resource_arn for container in containers for each in container.secrets.values() if not each.is_parameter
    }
    secrets |= {container.repository_credentials for container in containers if container.repository_credentials}
    yield "secrets", Scope(tuple(sorted(secrets)))
    yield "image-parameters", Scope(tuple(_image_parameters(manifest)))


def _image_parameters(manifest: Manifest) -> Iterator[str]:
    """Yield the parameters that hold the ids of images: those of the environment, and of what they are built on."""
    here = f"arn:{manifest.partition}:ssm:{manifest.region}"
    run = {image.run_source for image in manifest.own_images().values()}
    for name in sorted({manifest.image_parameter, *run}) if manifest.uses_ec2 else ():
        if name.startswith("/"):
            account = "" if name.startswith("/aws/") else manifest.account
            yield f"{here}:{account}:parameter{name}"
    if manifest.uses_ec2:
        source = manifest.image.source
        if source is None:
            yield f"{here}::parameter{manifest.image.base_parameter.removesuffix('image_id')}*"
        elif source.startswith("/"):
            yield f"{here}:{manifest.account}:parameter{source}"


def _network(manifest: Manifest) -> Iterator[tuple[str, Scope]]:
    """Yield EC2's resources, which have ids for names: launch templates, and the network that the manifest creates."""

    def ec2(*kinds: str) -> tuple[str, ...]:
        return tuple(arn(manifest, "ec2", f"{kind}/*") for kind in kinds)

    if manifest.uses_ec2:
        name = f"*-{manifest.name}"
        created = equals("ec2:CreateAction", "CreateLaunchTemplate")
        requested = (like("aws:RequestTag/Name", name), _requested(manifest))
        yield "new-launch-templates", Scope(ec2("launch-template"), requested)
        named = like("aws:ResourceTag/Name", name)
        yield "launch-templates", Scope(ec2("launch-template"), (named, _owned(manifest)))
        yield "tags-of-new-launch-templates", Scope(ec2("launch-template"), (created,))
    if manifest.created_file_systems:
        yield from _file_systems(manifest)
    if not (manifest.network.create or manifest.created_file_systems):
        return
    names = (manifest.vpc_name, f"{manifest.vpc_name}/*")
    yield "new-network", Scope(ec2(*_NETWORK_KINDS), (like("aws:RequestTag/Name", *names),))
    yield "network", Scope(ec2(*_NETWORK_KINDS), (like("aws:ResourceTag/Name", *names),))
    created = equals("ec2:CreateAction", *_NETWORK_CREATIONS)
    yield "tags-of-new-network", Scope(ec2(*_NETWORK_KINDS), (created,))
    if not manifest.network.create:
        yield "given-vpcs", Scope(ec2("vpc"))
        return
    # AWS creates it without a name; Terraform takes it over.
    default = (equals("aws:RequestTag/Name", f"{manifest.vpc_name}/default"), lacks("aws:ResourceTag/Name"))
    yield "default-security-group", Scope(ec2("security-group"), default)


def _file_systems(manifest: Manifest) -> Iterator[tuple[str, Scope]]:
    """Yield the file systems, which are known by their names, and the interfaces of their mount targets."""
    kinds = {"file-systems": "file-system/*", "access-points": "access-point/*"}
    name = f"*-{manifest.name}"
    for scope, resource in kinds.items():
        arns = (arn(manifest, "elasticfilesystem", resource),)
        yield scope, Scope(arns, (like("aws:ResourceTag/Name", name), _owned(manifest)))
    requested = (like("aws:RequestTag/Name", name), _requested(manifest))
    yield "new-file-systems", Scope(("*",), requested)  # AWS knows no resource of its creation
    # https://docs.aws.amazon.com/efs/latest/ug/using-tags-efs.html
    created = equals("elasticfilesystem:CreateAction", "CreateAccessPoint", "CreateFileSystem")
    every = tuple(arn(manifest, "elasticfilesystem", resource) for resource in kinds.values())
    yield "tags-of-new-file-systems", Scope(every, (*requested, created))
    places = ("network-interface/*", "security-group/*", "subnet/*")
    yield "mount-target-interfaces", Scope(tuple(arn(manifest, "ec2", place) for place in places))


def _key(manifest: Manifest) -> Iterator[tuple[str, Scope]]:
    """Yield the key: by its ARN, or the created one by its name."""
    is_created = manifest.creates_key
    arns = (arn(manifest, "kms", "key/*"),) if is_created else (manifest.encryption.key,)
    name = manifest.key_alias.removeprefix("alias/")
    own = (equals("aws:ResourceTag/Name", name),) if is_created else ()

    def through(*services: str) -> tuple[StatementCondition, ...]:
        names = [f"{service}.{manifest.region}.{manifest.dns_suffix}" for service in services]
        return (*own, equals("kms:ViaService", *names))

    efs = ("elasticfilesystem",) if manifest.created_file_systems else ()
    yield "key", Scope(arns, own)
    yield "key-through-services", Scope(arns, through("ec2", *efs, "s3", "scheduler"))
    yield "key-through-lambda", Scope(arns, through("lambda"))
    yield "key-through-states", Scope(arns if manifest.workflows else (), through("states"))
    yield "key-grants", Scope(arns, (*own, StatementCondition("Bool", "kms:GrantIsForAWSResource", ("true",))))
    if is_created:
        yield "new-key", Scope(("*",), (equals("aws:RequestTag/Name", name),))
        # The key that CreateKey tags has no ARN yet.
        yield "tags-of-new-key", Scope(("*",), _new_key(name))
        yield "key-alias", Scope((arn(manifest, "kms", manifest.key_alias),))


def _new_key(name: str) -> tuple[StatementCondition, ...]:
    """Return the conditions of what tags a key that is being created: an existing key has a name or an alias."""
    has_none = lacks("aws:ResourceTag/Name"), lacks("kms:ResourceAliases")
    return (equals("aws:RequestTag/Name", name), *has_none)


def _image(manifest: Manifest) -> Iterator[tuple[str, Scope]]:
    """Yield what a build of the machine image creates and uses; builders are known by their tag."""
    if not manifest.uses_ec2:
        return
    images = f"arn:{manifest.partition}:ec2:{manifest.region}:"  # they and their snapshots are of no account

    def ec2(*kinds: str) -> tuple[str, ...]:
        return tuple(arn(manifest, "ec2", kind) for kind in kinds)

    requested, tagged = (
        equals(f"aws:{kind}/{ENVIRONMENT_TAG}", manifest.name) for kind in ("RequestTag", "ResourceTag")
    )
    ids = manifest.network.ids
    subnets = [f"subnet/{each}" for each in ids.subnets] if ids else ["subnet/*"]
    groups = [f"security-group/{each}" for each in ids.security_groups] if ids else ["security-group/*"]
    yield "build-keys", Scope(ec2("key-pair/packer_*"))
    yield "build-images", Scope((f"{images}:image/ami-*", *ec2("key-pair/packer_*")))
    yield "new-builders", Scope(ec2("instance/*"), (requested,))
    yield "builder-volumes", Scope(ec2("volume/*"), (StatementCondition("Bool", "ec2:Encrypted", ("true",)),))
    yield "builder-network", Scope(ec2("network-interface/*", *subnets, *groups))
    created = equals("ec2:CreateAction", "CreateKeyPair", "RunInstances")
    yield "tags-of-new-builders", Scope(ec2("instance/*", "key-pair/*", "volume/*"), (requested, created))
    # Packer tags images again, or only, after they are made: those without any environment's tag, and its own.
    new_or_own = _not_of_others(manifest)
    yield "tags-of-new-images", Scope((f"{images}:image/*", f"{images}:snapshot/*"), (requested, new_or_own))
    yield "new-images", Scope((f"{images}:image/*", f"{images}:snapshot/*"))
    yield "finished-images", Scope((f"{images}:image/ami-*",), (equals("ec2:Attribute/ImdsSupport", "v2.0"), tagged))
    yield "builders", Scope(ec2("instance/*"), (tagged,))
    yield (
        "sessions-to-builders",
        Scope(ec2("instance/*"), (equals(f"ssm:resourceTag/{ENVIRONMENT_TAG}", manifest.name),)),
    )
    document = f"arn:{manifest.partition}:ssm:{manifest.region}::document/AWS-StartPortForwardingSession"
    yield "port-forwarding", Scope((document,))
    yield (
        "own-sessions",
        Scope((arn(manifest, "ssm", "session/${aws:username}-*"), arn(manifest, "ssm", "session/${aws:userid}-*"))),
    )
    yield "image-parameter", Scope((arn(manifest, "ssm", f"parameter{manifest.image_parameter}"),))
    builder = manifest.iam.instance_profile or manifest.image_builder_profile_arn
    yield "builder-profile", Scope((builder,))
    yield (
        "builder-role",
        Scope(
            (builder.replace(":instance-profile/", ":role/"),),
            (equals("iam:PassedToService", f"ec2.{manifest.dns_suffix}"),),
        ),
    )

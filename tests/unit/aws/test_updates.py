"""The table of what AWS never lets an update do: every type that is rendered is in it, and its calls exist."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from gen_infra.aws.kinds import KINDS
from gen_infra.aws.updates import CUSTOM_ROLE_TYPE, FREE, REFUSALS, SERVICE_LINKED_ROLE, Refusal, refusals
from gen_infra.explain.causes import ManifestChange, causes
from gen_infra.manifest.schema import schema
from tests.unit.aws.test_kinds import rendered_types

if TYPE_CHECKING:
    from botocore.model import OperationModel

IN_STATE_ONLY = {"terraform_data"}
ROLE = "arn:aws:iam::123456789012:role"
SERVICES = (
    "batch", "budgets", "cloudwatch", "codebuild", "ec2", "ecr", "efs", "events", "iam", "kms", "lambda", "logs", "s3",
    "scheduler", "sns", "sqs", "stepfunctions",
)  # fmt: skip


@cache
def operations() -> dict[str, list[OperationModel]]:
    """Return the operations of all services by name."""
    session = botocore.session.get_session()
    found: dict[str, list[OperationModel]] = {}
    for service in SERVICES:
        model = session.get_service_model(service)
        for name in model.operation_names:
            found.setdefault(name, []).append(model.operation_model(name))
    return found


@cache
def members(call: str) -> set[str]:
    """Return a call's parameters, those of Batch's compute resources, and the attributes that SNS documents."""
    found: set[str] = set()
    for operation in operations()[call]:
        given: dict[str, Any] = operation.input_shape.members if operation.input_shape else {}
        found |= {*given, *getattr(given.get("computeResources"), "members", ())}
        for name in given.keys() & {"AttributeName", "Attributes"}:
            found |= set(re.findall(r"<code>(\w+)</code>", given[name].documentation))
    return found


def test_every_rendered_type_was_considered() -> None:
    considered = {refusal.type for refusal in REFUSALS} | FREE.keys()
    assert rendered_types() - IN_STATE_ONLY - considered == set()
    assert considered <= KINDS.keys()
    assert not FREE.keys() & {refusal.type for refusal in REFUSALS}


def test_every_call_exists() -> None:
    assert ({*FREE.values()} | {refusal.call for refusal in REFUSALS}) - operations().keys() == set()


LACKING = [refusal for refusal in REFUSALS if refusal.message.startswith(f"{refusal.call} has no ")]


@pytest.mark.parametrize("refusal", LACKING, ids=lambda each: each.message)
def test_the_call_lacks_the_parameter(refusal: Refusal) -> None:
    lacking = refusal.message.removeprefix(f"{refusal.call} has no ")
    assert lacking not in members(refusal.call)
    assert lacking.lower() == refusal.attribute.rpartition(".")[2].replace("_", "")


@pytest.mark.parametrize(
    ("role", "found"), [(f"{ROLE}/own", True), (f"{ROLE}/aws-service-role/{SERVICE_LINKED_ROLE}", False), ("", False)]
)
def test_only_a_custom_role_fixes_the_type(role: str, *, found: bool) -> None:
    before, after = ({"service_role": role, "compute_resources": [{"type": each}]} for each in ("EC2", "SPOT"))
    assert (CUSTOM_ROLE_TYPE in refusals("aws_batch_compute_environment", before, after)) == found


# A place of each key that a row names, and a resource of each type that it sets.
PLACES: dict[str, tuple[str, tuple[str, ...]]] = {
    "ComputeEnvironment.allocation_strategy": (
        "compute.spot.allocation_strategy",
        ("module.compute_spot.aws_batch_compute_environment.this",),
    ),
    "ComputeEnvironment.service_role": (
        "compute.spot.service_role",
        ("module.compute_spot.aws_batch_compute_environment.this",),
    ),
    "ComputeEnvironment.type": ("compute.spot.type", ("module.compute_spot.aws_batch_compute_environment.this",)),
    "Encryption.key": (
        "encryption.key",
        ("module.file_system_refs.aws_efs_file_system.this", "module.repository_tool.aws_ecr_repository.this"),
    ),
    "FileSystem.gid": ("file_systems.refs.gid", ("module.file_system_refs.aws_efs_access_point.this",)),
    "FileSystem.uid": ("file_systems.refs.uid", ("module.file_system_refs.aws_efs_access_point.this",)),
    "Iam.path": (
        "iam.path",
        ("module.instance_role.aws_iam_instance_profile.this", "module.instance_role.aws_iam_role.this"),
    ),
    "NetworkCreate.cidr": ("network.create.cidr", ("module.network.aws_vpc.this", "module.network.aws_subnet.private")),
    "NetworkCreate.zones": ("network.create.zones", ("module.network.aws_subnet.private",)),
    "Queue.fair_share": ("queues.main.fair_share", ("aws_batch_job_queue.main",)),
}


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda each: f"{each.type}.{each.attribute}")
def test_the_manifests_schema_and_the_plan_say_which_keys_a_row_is_about(refusal: Refusal) -> None:
    definitions: dict[str, Any] = schema()["$defs"]
    described = {
        f"{model}.{key}"
        for model, definition in definitions.items()
        for key, value in definition["properties"].items()
        if refusal.message.rstrip(".") in value.get("description", "")
        and f"replaces the {KINDS[refusal.type].label}" in value["description"].replace(" and the ", " replaces the ")
    }
    assert described == set(refusal.keys)
    for key in refusal.keys:
        place, addresses = PLACES[key]
        (address,) = [each for each in addresses if f".{refusal.type}." in f".{each}"]
        change = ManifestChange("lab.yaml:1", place, "old", "new")
        assert causes([change], [address]).by_address[address] == (change,)


def test_only_one_place_is_named_for_each_key() -> None:
    assert {key for refusal in REFUSALS for key in refusal.keys} == PLACES.keys()

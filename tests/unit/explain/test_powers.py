"""What a plan marks because a job or an instance gets power over hosts or uses other roles."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from typing import Any, get_args

import pytest

from gen_infra.cli.summary import allow_option
from gen_infra.explain import DANGERS, Danger, explain
from gen_infra.explain.powers import Known
from gen_infra.manifest.model.host_script import HostScript
from gen_infra.manifest.user_data import user_data
from gen_infra.terraform.plan import PlanContent

OWN = "arn:aws:iam::123456789012:role/lab/align-prod-job"
OTHER = "arn:aws:iam::123456789012:role/Administrator"
ROLE = {"name": "align-prod-job", "path": "/lab/"}
HARMLESS: dict[str, Any] = {
    "jobRoleArn": OWN,
    "volumes": [{"name": "scratch", "host": {"sourcePath": "/lab/scratch"}}],
    "linuxParameters": {"devices": [{"hostPath": "/dev/fuse"}]},
}
HOST = {"volumes": [{"name": "v", "host": {"sourcePath": "/srv/x"}}]}


def change(kind: str, before: Any, after: Any) -> dict[str, Any]:
    actions = ["create"] if before is None else ["no-op"] if before == after else ["update"]
    values = {"actions": actions, "before": before, "after": after}
    return {"address": f"{kind}.x", "mode": "managed", "type": kind, "change": values}


def dangers(kind: str, before: Any, after: Any) -> list[tuple[str | None, str]]:
    """Return the marked effects of a change, beside the environment's own role."""
    plan = {"resource_changes": [change("aws_iam_role", ROLE, ROLE), change(kind, before, after)]}
    [found] = explain(PlanContent(plan), (), Known(("/lab/scratch",))).changes
    return [(effect.danger, effect.text) for effect in found.effects if effect.danger]


def single(**container: Any) -> dict[str, Any]:
    properties = json.dumps(container)
    return {"name": "x", "container_properties": properties, "node_properties": "", "ecs_properties": ""}


def task(**container: Any) -> dict[str, Any]:
    properties = {"taskProperties": [{"taskRoleArn": OWN, "containers": [container]}]}
    return {"name": "x", "ecs_properties": json.dumps(properties)}


def nodes(**container: Any) -> dict[str, Any]:
    return {"name": "x", "node_properties": json.dumps({"nodeRangeProperties": [{"container": container}]})}


@pytest.mark.parametrize("definition", [single, task, nodes])
@pytest.mark.parametrize(
    ("container", "expected"),
    [
        (HARMLESS, []),
        (HOST, [("host-access", "its jobs can use the host's folder /srv/x")]),
        (
            {"linuxParameters": {"devices": [{"hostPath": "/dev/sg0"}]}},
            [("host-access", "its jobs can use the host's device /dev/sg0")],
        ),
        ({"privileged": True}, [("host-access", "its container is privileged, and so root on its host")]),
        ({"jobRoleArn": OTHER}, [("other-roles", f"its job role is {OTHER}, which this environment does not create")]),
        (
            {"executionRoleArn": OTHER},
            [("other-roles", f"its execution role is {OTHER}, which this environment does not create")],
        ),
    ],
)
def test_what_a_job_definition_gets_is_marked(definition: Any, container: Any, expected: Any) -> None:
    kind = "aws_batch_job_definition"
    assert dangers(kind, None, definition(**container)) == expected
    assert dangers(kind, definition(image="a"), definition(image="b", **container)) == expected


def test_what_a_job_definition_had_is_not_marked_again() -> None:
    kind = "aws_batch_job_definition"
    assert dangers(kind, single(image="a", jobRoleArn=OTHER, **HOST), single(image="b", jobRoleArn=OTHER, **HOST)) == []
    assert dangers(kind, single(**HOST), single(image="b")) == []


PROFILE = "arn:aws:iam::123456789012:instance-profile/admin"
LINKED = "arn:aws:iam::123456789012:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch"


@pytest.mark.parametrize(
    ("after", "label", "arn"),
    [
        ({"compute_resources": [{"instance_role": PROFILE}]}, "instance profile", PROFILE),
        ({"compute_resources": [{"spot_iam_fleet_role": OTHER}]}, "Spot Fleet role", OTHER),
        ({"service_role": OTHER}, "service role", OTHER),
        ({"service_role": LINKED}, "", ""),
        ({"service_role": OWN, "compute_resources": [{"instance_role": OWN}]}, "", ""),
    ],
)
def test_other_roles_of_a_compute_environment_are_marked(after: dict[str, Any], label: str, arn: str) -> None:
    kind, marked = "aws_batch_compute_environment", f"its {label} is {arn}, which this environment does not create"
    assert dangers(kind, None, {"name": "x", **after}) == ([("other-roles", marked)] if label else [])
    assert dangers(kind, {"name": "x", **after}, {"name": "x", "state": "DISABLED", **after}) == []


def launch_template(*texts: str) -> dict[str, Any]:
    document = user_data([HostScript(path=f"{number}.sh", content=text) for number, text in enumerate(texts)]) or ""
    return {"name_prefix": "x-", "description": "x", "user_data": base64.b64encode(document.encode()).decode()}


def test_each_script_of_user_data_is_marked_when_it_is_new_or_changes() -> None:
    kind, first, second = "aws_launch_template", "#!/bin/sh\ntrue\n", "#!/bin/sh\nfalse\n"
    marks = [
        (
            "root-scripts",
            f"its instances run {name} as root when they start (SHA-256 {sha256(text.encode()).hexdigest()})",
        )
        for name, text in (("01-0.sh", first), ("02-1.sh", second), ("01-0.sh", second))
    ]
    assert dangers(kind, None, launch_template(first, second)) == marks[:2]
    assert dangers(kind, launch_template(first), launch_template(first, second)) == marks[1:2]
    assert dangers(kind, launch_template(first), launch_template(second)) == marks[2:]
    assert dangers(kind, launch_template(first), launch_template()) == []
    assert dangers(kind, launch_template(first), {**launch_template(first), "description": "y"}) == []


def test_the_script_that_mounts_file_systems_is_gen_infras_own() -> None:
    text = "#!/bin/bash\nmount /fsx/work\n"
    template = change("aws_launch_template", None, launch_template(text))
    known = Known(("/fsx/work",), own_scripts=frozenset([sha256(text.encode()).hexdigest()]))
    for given, danger in ((known, []), (Known(), ["root-scripts"])):
        assert list(explain(PlanContent({"resource_changes": [template]}), (), given).dangers) == danger
    job = {"volumes": [{"name": "v", "host": {"sourcePath": "/fsx/work"}}]}
    definition = change("aws_batch_job_definition", None, single(**job))
    for given, danger in ((known, []), (Known(), ["host-access"])):
        assert list(explain(PlanContent({"resource_changes": [definition]}), (), given).dangers) == danger


@pytest.mark.parametrize("text", ["not base64", "", "bm8gTUlNRQ=="])
def test_other_user_data_is_marked_as_one(text: str) -> None:
    found = dangers("aws_launch_template", None, {"user_data": text})
    assert [(danger, words[:36]) for danger, words in found] == (
        [("root-scripts", "its instances run user data as root ")] if text else []
    )


def test_each_danger_can_be_allowed() -> None:
    option = allow_option(lambda: None).__click_params__[0]  # type: ignore[attr-defined]
    assert list(option.type.choices) == list(DANGERS) == list(get_args(Danger))


def trust(*principals: str, **condition: str) -> str:
    statement: dict[str, Any] = {
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": [*principals]},
        **({"Condition": {"StringEquals": condition}} if condition else {}),
    }  # fmt: skip
    return json.dumps({"Statement": [statement]})


def test_a_role_that_more_people_may_assume_is_marked() -> None:
    def marked(before: str | None, after: str) -> list[tuple[str | None, str]]:
        role = {"name": "batchAccessApply-prod", "path": "/lab/"}
        old = None if before is None else {**role, "assume_role_policy": before}
        return dangers("aws_iam_role", old, {**role, "assume_role_policy": after})

    assert marked(None, trust("arn:a")) == [("access", "arn:a may assume it")]
    assert marked(trust("arn:a"), trust("arn:a", "arn:b")) == [("access", "arn:b may assume it")]
    assert marked(trust("arn:a", "arn:b"), trust("arn:a")) == []
    [(danger, text)] = marked(
        trust("arn:p", sub="repo:lab/infra:environment:prod"), trust("arn:p", sub="repo:x/y:pull_request")
    )
    assert danger == "access"
    assert "repo:x/y:pull_request" in text
    assert marked(trust("arn:p", aud="sts"), trust("arn:p")) == [("access", "arn:p may assume it")]
    service = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}]})
    assert marked(None, service) == []


def test_a_change_of_what_an_access_role_may_do_is_marked() -> None:
    policy = {"name": "batchAccessApply-prod-1"}
    old, new = {**policy, "policy": '{"Statement": []}'}, {**policy, "policy": '{"Statement": [{}]}'}
    [(danger, text)] = dangers("aws_iam_policy", old, new)
    assert danger == "access"
    assert "only an administrator" in text

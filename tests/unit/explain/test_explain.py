"""What a plan means, on the shapes that terraform's plan JSON has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.explain import Summary
from gen_infra.explain import explain as explain_content
from gen_infra.explain.causes import ManifestChange, causes, manifest_changes
from gen_infra.explain.markdown import to_markdown
from gen_infra.explain.permissions import compare
from gen_infra.terraform.plan import RECORD, PlanContent

if TYPE_CHECKING:
    from collections.abc import Iterable


def resource(kind: str, actions: list[str], before: Any, after: Any, **change: Any) -> dict[str, Any]:
    return {
        "address": f"{kind}.this",
        "mode": "managed",
        "type": kind,
        "change": {"actions": actions, "before": before, "after": after, **change},
    }


def explain(plan: dict[str, Any], changes: Iterable[ManifestChange] = ()) -> Summary:
    return explain_content(PlanContent(plan), changes)


@pytest.mark.parametrize(
    ("key", "new", "text"),
    [
        ("terraform.aws_provider", 6, "the next apply writes the state with that version"),
        ("terraform", {"aws_provider": 6}, "the next apply writes the state with that version"),
        ("terraform", {"aws_provider": 5}, "nothing is left to change for it"),
        ("logs.retention_days", 400, "nothing is left to change for it"),
    ],
)
def test_a_new_version_of_the_provider_changes_the_state(key: str, new: Any, text: str) -> None:
    assert ManifestChange("lab.yaml:3", key, None, new).without_effect.startswith(text)


def test_actions_have_names_and_order() -> None:
    summary = explain(
        {
            "resource_changes": [
                resource("aws_batch_job_queue", ["create"], None, {"name": "high-prod"}),
                resource(
                    "aws_batch_compute_environment", ["create", "delete"], {"name_prefix": "x-"}, {"name_prefix": "x-"}
                ),
                resource("aws_iam_role", ["delete", "create"], {"name": "a"}, {"name": "b"}),
                resource("aws_ecr_repository", ["delete"], {"name": "prod/isaac"}, None),
                resource("aws_kms_key", ["no-op"], {}, {}),
                resource("aws_iam_policy_document", ["read"], None, {}) | {"mode": "data"},
            ]
        }
    )
    assert [(change.action, change.new_first, change.kind, change.name) for change in summary.changes] == [
        ("create", False, "job queue", "high-prod"),
        ("replace", True, "compute environment", "x"),
        ("replace", False, "role", "b"),
        ("destroy", False, "repository", "prod/isaac"),
    ]
    assert summary.sentence == "1 to create, 0 to update, 2 to replace, 1 to destroy"


@pytest.mark.parametrize(
    ("reason", "dangers"), [("replace_because_tainted", []), ("replace_by_request", ["stop-jobs"])]
)
def test_what_an_apply_did_not_finish_has_no_jobs_to_stop(reason: str, dangers: list[str]) -> None:
    queue = resource("aws_batch_job_queue", ["delete", "create"], {"name": "high"}, {"name": "high"})
    assert list(explain({"resource_changes": [queue | {"action_reason": reason}]}).dangers) == dangers


@pytest.mark.parametrize(("needed_by", "dangers"), [([], []), (["module.one.aws_iam_role.this"], ["stop-jobs"])])
def test_a_role_whose_making_was_not_finished_is_marked_only_if_something_needs_it(
    needed_by: list[str], dangers: list[str]
) -> None:
    trust = {
        "name": "one",
        "assume_role_policy": json.dumps({"Statement": [{"Principal": {"Service": "ec2.amazonaws.com"}}]}),
    }
    role = resource("aws_iam_role", ["delete", "create"], trust, trust)
    role |= {"action_reason": "replace_because_tainted", "address": 'module.one.aws_iam_role.this["a.b"]'}
    module = {"resources": [{"address": "module.one.aws_iam_role_policy.x", "depends_on": needed_by}]}
    state = {"values": {"root_module": {"child_modules": [module]}}}
    assert list(explain({"resource_changes": [role], "prior_state": state}).dangers) == dangers


def test_details_name_the_smallest_difference() -> None:
    before = {"compute_resources": [{"bid_percentage": 50, "subnets": ["a", "b"]}], "state": "ENABLED"}
    after = {"compute_resources": [{"bid_percentage": 60, "subnets": ["a", "b"]}], "state": "ENABLED"}
    (change,) = explain(
        {"resource_changes": [resource("aws_batch_compute_environment", ["update"], before, after)]}
    ).changes
    assert change.details == ("compute_resources.bid_percentage: 50 -> 60",)


def environment(image: str, **settings: Any) -> dict[str, Any]:
    return {
        "name_prefix": "x-",
        "compute_resources": [{"ec2_configuration": [{"image_id_override": image}]}],
        **settings,
    }


def effects(actions: list[str], before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    (change,) = explain(
        {"resource_changes": [resource("aws_batch_compute_environment", actions, before, after)]}
    ).changes
    return [effect.text for effect in change.effects if effect.text.startswith("new image")]


def test_a_new_image_in_place_shows_how_long_jobs_have() -> None:
    policy = [{"job_execution_timeout_minutes": 90, "terminate_jobs_on_update": False}]
    (line,) = effects(
        ["update"], environment("ami-1", update_policy=policy), environment("ami-2", update_policy=policy)
    )
    said = "new image, in place: new instances have it; running jobs get 90 minutes to end on the old ones"
    assert line == f"{said}, and none may take longer"


def test_a_new_image_by_a_successor_waits_for_jobs() -> None:
    (line,) = effects(["create", "delete"], environment("ami-1"), environment("ami-2"))
    assert line.startswith("new image, by a successor")
    assert "is deleted when those that run there have ended: apply waits for them (plain terraform" in line


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("genomics-2017", "compute environment genomics-2017 by spot-lab (new one first)"),
        ("spot-lab-20260101000000000000000001", "compute environment spot-lab (new one first)"),
    ],
)
def test_a_successor_of_another_name_is_named(name: str, title: str) -> None:
    before, after = {"compute_environment_name": name}, {"compute_environment_name_prefix": "spot-lab-"}
    change = resource("aws_batch_compute_environment", ["create", "delete"], before, after)
    (explained,) = explain({"resource_changes": [change]}).changes
    assert f"{explained.title}{explained.how}" == title


def test_the_same_image_is_not_mentioned() -> None:
    assert effects(["update"], environment("ami-1", state="ENABLED"), environment("ami-1", state="DISABLED")) == []


def test_json_documents_are_compared_as_what_they_hold() -> None:
    before = {"container_properties": json.dumps({"image": "a", "memory": [1, 2]})}
    after = {"container_properties": json.dumps({"memory": [1, 3], "image": "a"}, indent=2)}
    (change,) = explain({"resource_changes": [resource("aws_batch_job_definition", ["update"], before, after)]}).changes
    assert change.details == ("container_properties.memory[1]: 2 -> 3",)


def test_an_empty_list_or_text_is_nothing_but_zero_is_something() -> None:
    before = {"container_properties": json.dumps({"secrets": [], "user": "", "size": 0})}
    change = resource("aws_batch_job_definition", ["update"], before, {"container_properties": "{}"})
    (explained,) = explain({"resource_changes": [change]}).changes
    assert explained.details == ("container_properties.size: 0 -> nothing",)


def test_sensitive_values_are_compared_but_not_shown() -> None:
    before = {"image": [{"id": "ami-secret-1"}], "token": "secret-2", "size": 1}
    after = {"image": [{"id": "ami-secret-3"}], "token": "secret-4", "size": 2}
    marks = {"image": [{"id": True}], "token": True, "size": False}
    change = resource("aws_x", ["update"], before, after, before_sensitive=marks, after_sensitive=marks)
    (explained,) = explain({"resource_changes": [change]}).changes
    assert explained.details == (
        "image.id: (sensitive) -> (sensitive)",
        "size: 1 -> 2",
        "token: (sensitive) -> (sensitive)",
    )
    assert "secret" not in json.dumps(explain({"resource_changes": [change]}).to_dict()).replace("(sensitive)", "")


def test_what_forces_a_replacement_is_reported() -> None:
    change = resource(
        "aws_batch_compute_environment",
        ["create", "delete"],
        {"service_role": "a", "arn": "b"},
        {"service_role": None},
        after_unknown={"arn": True, "id": True},
        replace_paths=[["service_role"], ["id"]],
    )
    (explained,) = explain({"resource_changes": [change]}).changes
    assert explained.details == (
        "id: known after apply (forces replacement)",
        "service_role: a -> nothing (forces replacement)",
    )


def spot(minutes: int = 90, **resources: Any) -> dict[str, Any]:
    policy = {"job_execution_timeout_minutes": minutes, "terminate_jobs_on_update": False}
    return {"name_prefix": "x-", "compute_resources": [{"type": "SPOT", **resources}], "update_policy": [policy]}


def job(name: str, minutes: int, capability: str = "EC2") -> dict[str, Any]:
    state = {
        "name": name,
        "platform_capabilities": [capability],
        "timeout": [{"attempt_duration_seconds": minutes * 60}],
    }
    return resource("aws_batch_job_definition", ["no-op"], state, state)


def test_an_update_in_place_names_the_jobs_that_may_need_longer() -> None:
    change = resource("aws_batch_compute_environment", ["update"], spot(), spot(bid_percentage=60))
    (explained,) = explain(
        {"resource_changes": [change, job("short", 90), job("long", 91), job("f", 999, "FARGATE")]}
    ).changes
    (effect,) = explained.effects
    assert "90 minutes to end on the old ones, then they are terminated" in effect.text
    assert effect.text.endswith("; long may take longer")
    assert explained.dangers == ("stop-jobs",)


def test_an_update_in_place_that_gives_every_job_its_time_stops_none() -> None:
    change = resource("aws_batch_compute_environment", ["update"], spot(), spot(bid_percentage=60))
    summary = explain({"resource_changes": [change, job("short", 90)]})
    assert summary.changes[0].effects[0].text.endswith("and none may take longer")
    assert summary.dangers == {}


def test_an_update_that_terminates_jobs_is_marked() -> None:
    after = spot(bid_percentage=60)
    after["update_policy"][0]["terminate_jobs_on_update"] = True
    before = spot()
    before["update_policy"] = after["update_policy"]
    (explained,) = explain(
        {"resource_changes": [resource("aws_batch_compute_environment", ["update"], before, after)]}
    ).changes
    assert "running jobs are terminated" in explained.effects[0].text
    assert explained.dangers == ("stop-jobs",)


@pytest.mark.parametrize(
    ("kind", "before", "danger"),
    [
        ("aws_ecr_repository", {"force_delete": True}, "destroy-data"),
        ("aws_ecr_repository", {"force_delete": False}, None),
        ("aws_iam_role", {"assume_role_policy": "ecs-tasks.amazonaws.com"}, "stop-jobs"),
        ("aws_iam_role", {"assume_role_policy": "ec2.amazonaws.com"}, "stop-jobs"),
        ("aws_iam_role", {"assume_role_policy": "batch.amazonaws.com"}, None),
        ("aws_iam_role", {"assume_role_policy": "lambda.amazonaws.com"}, None),
        ("aws_batch_compute_environment", {"compute_resources": [{"type": "FARGATE"}]}, None),
    ],
)
def test_a_removal_is_marked_only_if_it_is_dangerous(kind: str, before: dict[str, Any], danger: str | None) -> None:
    if "assume_role_policy" in before:
        trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": before["assume_role_policy"]}}]}
        before = {"assume_role_policy": json.dumps(trust)}
    (change,) = explain({"resource_changes": [resource(kind, ["delete"], {"name": "x", **before}, None)]}).changes
    assert change.dangers == ((danger,) if danger else ())


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Statement": [{"Effect": "Allow", "Resource": "*", **statement} for statement in statements]})


class TestPermissions:
    def test_actions_that_come_and_go(self) -> None:
        changed = compare(
            policy({"Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::a/*"}),
            policy({"Action": ["s3:GetObject", "s3:DeleteObject"], "Resource": "arn:aws:s3:::a/*"}),
        )
        assert changed.added == ("s3:DeleteObject on arn:aws:s3:::a/*",)
        assert changed.removed == ("s3:PutObject on arn:aws:s3:::a/*",)
        assert changed.verdict == "permissions widened and narrowed"

    def test_a_wildcard_that_shrinks_only_narrows(self) -> None:
        changed = compare(policy({"Action": "s3:*"}), policy({"Action": "s3:Get*"}))
        assert (changed.added, changed.removed) == ((), ("s3:*",))

    def test_a_policy_written_otherwise_is_no_change(self) -> None:
        split = policy({"Action": "s3:GetObject"}, {"Action": ["s3:ListBucket"]})
        assert compare(policy({"Action": ["s3:ListBucket", "s3:GetObject"]}), split).verdict == ""

    def test_a_condition_narrows_and_its_loss_widens(self) -> None:
        free, bound = {"Action": "kms:Decrypt"}, {"Action": "kms:Decrypt", "Condition": {"Bool": {"a": "true"}}}
        assert compare(policy(free), policy(bound)).verdict == "permissions narrowed"
        assert compare(policy(bound), policy(free)).verdict == "permissions widened"

    def test_a_denial_has_the_opposite_effect(self) -> None:
        allow, deny = {"Action": "*"}, {"Action": "s3:*", "Effect": "Deny"}
        assert compare(policy(allow), policy(allow, deny)).removed == ("from now on: deny s3:*",)
        assert compare(policy(allow, deny), policy(allow)).added == ("no longer: deny s3:*",)

    def test_all_but_less_is_more(self) -> None:
        changed = compare(policy({"NotAction": "s3:*"}), policy({"NotAction": "s3:Get*"}))
        assert changed.added == ("all but s3:Get*",)

    def test_who_may_take_a_role_is_a_permission(self) -> None:
        def trust(*services: str) -> str:
            return policy({"Action": "sts:AssumeRole", "Principal": {"Service": list(services)}})

        before, after = ({"name": "x", "assume_role_policy": trust(*names)} for names in (("ec2",), ("ec2", "ecs")))
        (change,) = explain({"resource_changes": [resource("aws_iam_role", ["update"], before, after)]}).changes
        assert change.permissions.added == ("sts:AssumeRole by ecs",)
        assert change.details == ()

    def test_permissions_of_a_new_role_are_not_reported_but_new_ones_of_an_old_role_are(self) -> None:
        role = resource("aws_iam_role", ["create"], None, {"name": "new"})
        own, other = (
            resource("aws_iam_role_policy", ["create"], None, {"role": name, "policy": policy({"Action": "s3:*"})})
            for name in ("new", "old")
        )
        changes = explain({"resource_changes": [role, own, other]}).changes
        assert [change.permissions.added for change in changes] == [(), (), ("s3:*",)]

    def test_an_attached_policy_is_named(self) -> None:
        state = {"role": "old", "policy_arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
        change = resource("aws_iam_role_policy_attachment", ["delete"], state, None)
        (explained,) = explain({"resource_changes": [change]}).changes
        assert explained.permissions.removed == ("all of arn:aws:iam::aws:policy/ReadOnlyAccess",)

    def test_what_is_known_after_apply_is_marked(self) -> None:
        state = {"role": "old", "policy": policy({"Action": "s3:*"})}
        change = resource("aws_iam_role_policy", ["update"], state, {"role": "old"}, after_unknown={"policy": True})
        (explained,) = explain({"resource_changes": [change]}).changes
        assert explained.permissions.verdict == "permissions change; which ones is known after apply"


def plan(applied: Any, wanted: Any) -> PlanContent:
    """Return one with the record of the manifest in it."""
    before, after = ({"input": value} if value else None for value in (applied, wanted))
    return PlanContent({"resource_changes": [resource("terraform_data", [], before, after) | {"address": RECORD}]})


class TestCauses:
    def test_each_value_that_differs_with_its_place(self) -> None:
        before = {"image": {"id": "ami-1"}, "queues": {"main": {"priority": 1}, "old": {"priority": 2}}}
        after = {"image": {"id": "ami-2"}, "queues": {"main": {"priority": 1}, "new": {"priority": 2}}}
        assert [
            str(change) for change in manifest_changes(plan(before, after), lambda path: f"prod.yaml:{len(path)}")
        ] == [
            "prod.yaml:2 image.id: ami-1 -> ami-2",
            'prod.yaml:2 queues.new: nothing -> {"priority": 2}',
            'removed queues.old: {"priority": 2} -> nothing',
        ]

    def test_nothing_where_none_was_applied_whole(self) -> None:
        assert manifest_changes(plan(None, {"name": "x"}), str) == []

    def test_nothing_where_all_is_removed(self) -> None:
        assert manifest_changes(plan({"name": "x"}, None), str) == []

    @pytest.mark.parametrize(
        ("key", "address"),
        [
            ("compute.spot.max_vcpus", "module.compute_spot.aws_batch_compute_environment.this"),
            ("image.id", "module.compute_spot.aws_batch_compute_environment.this"),
            ("image.rebuild.schedule", "module.image_pipeline.aws_scheduler_schedule.this"),
            ("image.scratch.mount", "aws_batch_job_definition.isaac"),
            ("notifications.blocked_queues", "module.queue_notifications.aws_sns_topic.this"),
            ("queues.high.priority", "aws_batch_job_queue.high"),
            ("queues.high.fair_share.shares.a", "aws_batch_scheduling_policy.high"),
            ("queues.new", 'module.job_functions.aws_iam_role_policy.batch["submit"]'),
            ("queues.new", 'module.job_functions.aws_lambda_function.this["submit"]'),
            ("jobs.isaac", 'module.job_functions.aws_lambda_function.this["submit"]'),
            ("submit_function.max_vcpus", 'module.job_functions.aws_lambda_function.this["submit"]'),
            ("jobs.isaac.memory_mib", "aws_batch_job_definition.isaac"),
            ("jobs.isaac.buckets", "aws_iam_role_policy.isaac_buckets"),
            ("jobs.isaac", "aws_cloudwatch_log_group.isaac"),
            ("buckets.results.prefix", "aws_iam_role_policy.isaac_buckets"),
            ("logs.retention_days", "aws_cloudwatch_log_group.isaac"),
            ("logs.retention_days", 'module.job_functions.aws_cloudwatch_log_group.this["submit"]'),
            ("iam.permissions_boundary", "module.instance_role.aws_iam_role.this"),
            ("encryption.key", "module.encryption.aws_kms_key.this"),
            ("network.create.nat", "module.network.aws_nat_gateway.this"),
            ("repositories", "module.repository_isaac.aws_ecr_repository.this"),
            ("tags.Project", "aws_batch_job_queue.high"),
            ("queues.high.tags.Team", "aws_batch_job_queue.high"),
            ("jobs.isaac.tags.Team", "aws_batch_job_definition.isaac"),
            ("compute.spot.tags.Team", "module.compute_spot.aws_launch_template.this"),
            ("compute.spot-2.max_vcpus", "module.compute_spot-2.aws_batch_compute_environment.this"),
            ("queues.high-mem.priority", "aws_batch_job_queue.high-mem"),
            ("jobs.bwa-mem.memory_mib", "aws_batch_job_definition.bwa-mem"),
            ("jobs.bwa-mem.buckets", "aws_iam_role_policy.bwa-mem_buckets"),
            ("workflows.germline.steps.align.job", 'module.workflow_germline.aws_sfn_state_machine.this["one"]'),
            ("workflows.tumor-normal.many", 'module.workflow_tumor-normal.aws_sfn_state_machine.this["many"]'),
            ("engines.nextflow.queue", "module.engine_nextflow.aws_iam_role.this"),
            ("engines", "module.engine_nextflow.aws_cloudwatch_log_group.tasks"),
            ("engines.nextflow.efs.refs", 'module.file_system_refs.aws_iam_role_policy.readers["engine/a"]'),
            ("access.plan.github", "aws_iam_role.access_plan"),
        ],
    )
    def test_a_value_is_behind_what_is_made_of_it(self, key: str, address: str) -> None:
        change = ManifestChange("prod.yaml:1", key, 1, 2)
        found = causes([change], [address, "aws_s3_bucket.else"])
        assert found.by_address[address] == (change,)
        assert key.startswith("tags") or not found.by_address["aws_s3_bucket.else"]

    def test_a_roles_policies_follow_only_what_they_are_made_of(self) -> None:
        changes = [ManifestChange("a:1", f"jobs.isaac.{key}", 1, 2) for key in ("memory_mib", "buckets")]
        address = "aws_iam_role_policy.isaac_buckets"
        assert causes(changes, [address]).by_address[address] == (changes[1],)

    def test_other_pieces_have_other_causes(self) -> None:
        change = ManifestChange("prod.yaml:1", "compute.spot.max_vcpus", 1, 2)
        found = causes([change], ["module.compute_other.aws_batch_compute_environment.this"])
        assert found.unused == (change,)

    def test_a_queue_follows_its_environment_only_if_nothing_nearer_is_behind_it(self) -> None:
        environment, own = (ManifestChange("a:1", key, 1, 2) for key in ("compute.spot.type", "queues.high.priority"))
        found = causes([environment, own], ["aws_batch_job_queue.high", "aws_batch_job_queue.low"])
        assert found.by_address == {"aws_batch_job_queue.high": (own,), "aws_batch_job_queue.low": (environment,)}


def test_markdown_shows_dangers_causes_and_effects_and_takes_nothing_for_markup() -> None:
    change = resource("aws_batch_job_queue", ["delete"], {"name": "high_prod|x"}, None)
    text = to_markdown(
        explain({"resource_changes": [change]}, [ManifestChange("prod.yaml:9", "queues.this", 1, None)]), "prod"
    )
    assert text == (
        "### Plan for prod: 0 to create, 0 to update, 0 to replace, 1 to destroy\n"
        "\n"
        "> [!CAUTION]\n"
        "> This **stops jobs** (`--allow stop-jobs`): job queue high\\_prod\\|x\n"
        "\n"
        "| | resource | because of | what happens |\n"
        "|---|---|---|---|\n"
        "| destroy | job queue high\\_prod\\|x | prod.yaml:9 queues.this: 1 -\\> nothing "
        "| **stop-jobs**: every job in it, waiting or running, is terminated with it |\n"
    )


def test_a_replacement_that_aws_makes_necessary_says_why_and_what_keeps_the_content() -> None:
    before, after = ({"name": "tool", "encryption_configuration": [{"kms_key": key}]} for key in ("old", "new"))
    (repository,) = explain(
        {"resource_changes": [resource("aws_ecr_repository", ["delete", "create"], before, after)]}
    ).changes
    (said,) = [effect for effect in repository.effects if "with a new name" in effect.text]
    assert said.text.startswith("to keep what it holds, add a repository")
    assert "PutImageTagMutability has no encryptionConfiguration" in said.reason


def test_a_replacement_without_a_row_of_effects_is_explained_too() -> None:
    before, after = ({"cidr_block": cidr} for cidr in ("10.0.0.0/16", "10.1.0.0/16"))
    (vpc,) = explain({"resource_changes": [resource("aws_vpc", ["delete", "create"], before, after)]}).changes
    (effect,) = vpc.effects
    assert effect.text == "AWS never changes its cidr_block: it is deleted and created again"
    assert effect.reason == "ModifyVpcAttribute has no CidrBlock"


@pytest.mark.parametrize("kind", ["aws_security_group", "aws_subnet", "aws_vpc"])
def test_what_instances_may_still_use_says_when_aws_deletes_it(kind: str) -> None:
    (gone,) = explain({"resource_changes": [resource(kind, ["delete"], {}, None)]}).changes
    (effect,) = gone.effects
    assert "(DependencyViolation): first set min_vcpus: 0 and state: DISABLED" in effect.text
    assert effect.danger is None


def test_an_update_that_aws_refuses_is_marked() -> None:
    before, after = ({"compute_resources": [{"type": each}], "service_role": "role/own"} for each in ("EC2", "SPOT"))
    (change,) = explain(
        {"resource_changes": [resource("aws_batch_compute_environment", ["update"], before, after)]}
    ).changes
    (refused,) = [effect for effect in change.effects if "AWS refuses this" in effect.text]
    assert "use a new name" in refused.text


def test_what_the_provider_computes_anew_is_no_reason_for_a_replacement() -> None:
    after = {"traffic_type": "ALL"}
    before = after | {"iam_role_arn": "arn:aws:iam::123456789012:role/flow", "log_format": "${version}"}
    change = resource(
        "aws_flow_log", ["delete", "create"], before, after,
        after_unknown={"iam_role_arn": True, "log_format": True}, replace_paths=[["iam_role_arn"]],
    )  # fmt: skip
    [found] = explain({"resource_changes": [change]}).changes
    assert [effect.text for effect in found.effects] == [
        "AWS never changes its iam_role_arn: it is deleted and created again"
    ]


@pytest.mark.parametrize(
    ("kind", "other", "says"),
    [
        ("aws_batch_scheduling_policy", "fair_share_policy", "waiting jobs are scheduled by the new shares"),
        ("aws_lambda_function", "memory_size", "new calls run it"),
        ("aws_launch_template", "image_id", "a new version"),
        ("aws_sfn_state_machine", "definition", "finish as they began"),
    ],
)
def test_tags_alone_change_nothing_else(kind: str, other: str, says: str) -> None:
    def effects_of(**after: Any) -> str:
        before = {"tags": {}, "tags_all": {}, other: "a"}
        [found] = explain({"resource_changes": [resource(kind, ["update"], before, before | after)]}).changes
        return "; ".join(effect.text for effect in found.effects)

    tags = {"CostCenter": "4711"}
    assert effects_of(tags=tags, tags_all=tags) == ""
    assert says in effects_of(tags_all=tags, **{other: "b"})


def test_what_is_adopted_is_named_and_counted() -> None:
    tags = {"Name": "batch-prod/nat/us-east-1a"}
    groups = {"before": {"name": "/aws/batch/prod/isaac", "retention_in_days": 0}}
    after = {"name": "/aws/batch/prod/isaac", "retention_in_days": 365}
    plan = {
        "resource_changes": [
            resource("aws_nat_gateway", ["no-op"], {}, {"tags": tags}, importing={"id": "nat-1"}),
            resource("aws_cloudwatch_log_group", ["update"], **groups, after=after, importing={"id": "isaac"}),
            resource("aws_kms_key", ["no-op"], {}, {}, importing={"id": "1234"}),
            resource("aws_vpc", ["no-op"], {}, {}),
        ]
    }
    summary = explain(plan)
    assert PlanContent(plan).has_changes
    assert [str(each) for each in summary.adopted] == [
        "NAT gateway batch-prod/nat/us-east-1a (nat-1)",
        "log group /aws/batch/prod/isaac",
        "key aws_kms_key.this (1234)",
    ]
    assert summary.sentence == "0 to create, 1 to update, 0 to replace, 0 to destroy, 3 to adopt"
    assert summary.to_dict()["adopted"][0] == {
        "address": "aws_nat_gateway.this",
        "kind": "NAT gateway",
        "name": "batch-prod/nat/us-east-1a",
        "id": "nat-1",
        "by": "interrupted run",
        "change": "nothing",
    }
    (change,) = summary.changes
    assert [effect.text for effect in change.effects] == ["its creation was not finished: it gets its retention"]
    assert summary.dangers == {}
    assert (
        "Adopts what an interrupted run left: NAT gateway batch-prod/nat/us-east-1a (nat-1), log group"
        in to_markdown(summary, "prod")
    )


def test_a_retention_that_was_set_is_no_unfinished_creation() -> None:
    before, after = {"retention_in_days": 731}, {"retention_in_days": 365}
    change = resource("aws_cloudwatch_log_group", ["update"], before, after, importing={"id": "isaac"})
    assert list(explain({"resource_changes": [change]}).dangers) == ["destroy-data"]


@pytest.mark.parametrize(
    ("kind", "actions", "before", "after", "impossible"),
    [
        ("aws_iam_role", ["create", "delete"], {"name": "a", "path": "/"}, {"name": "a", "path": "/b/"}, True),
        ("aws_iam_role", ["delete", "create"], {"name": "a", "path": "/"}, {"name": "a", "path": "/b/"}, False),
        ("aws_iam_role", ["create", "delete"], {"name": "a"}, {"name": "b"}, False),
        ("aws_nat_gateway", ["create", "delete"], {"allocation_id": "e"}, {"allocation_id": "e"}, True),
        ("aws_nat_gateway", ["create", "delete"], {"allocation_id": None}, {"allocation_id": None}, False),
        ("aws_vpc", ["create", "delete"], {"cidr_block": "a"}, {"cidr_block": "b"}, False),
    ],
)
def test_what_cannot_exist_twice_is_not_created_first(
    kind: str, actions: list[str], before: Any, after: Any, impossible: bool
) -> None:
    [change] = explain({"resource_changes": [resource(kind, actions, before, after)]}).changes
    assert bool(change.impossible) is impossible
    assert ("AWS refuses it" in " ".join(effect.text for effect in change.effects)) is impossible


def subnet(zone: str, actions: list[str], old: str | None, new: str | None, vpc: str = "vpc-1") -> dict[str, Any]:
    """A change of the subnet of a zone from one block of addresses to another."""
    before, after = (
        {"vpc_id": each, "cidr_block": block} if block else None for each, block in (("vpc-1", old), (vpc, new))
    )
    address = f'module.network.aws_subnet.private["us-east-1{zone}"]'
    return resource("aws_subnet", actions, before, after) | {"address": address}


REPLACED = ["delete", "create"]
LOW, HIGH = "10.0.0.0/20", "10.0.16.0/20"


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        pytest.param(
            [subnet("a", REPLACED, LOW, HIGH), subnet("b", REPLACED, HIGH, LOW)],
            ["a", "b"], id="swapped",
        ),
        pytest.param(
            [subnet("a", REPLACED, LOW, HIGH), subnet("z", ["create"], None, LOW)],
            ["z"], id="in-front",
        ),
        pytest.param(
            [subnet("a", ["no-op"], LOW, LOW), subnet("z", ["create"], None, HIGH)],
            [], id="appended",
        ),
        pytest.param(
            [subnet("a", REPLACED, LOW, HIGH, "vpc-2"), subnet("b", ["create"], None, LOW, "vpc-2")],
            [], id="another-vpc",
        ),
    ],
)  # fmt: skip
def test_a_subnet_with_the_addresses_of_another_is_refused(changes: list[dict[str, Any]], refused: list[str]) -> None:
    found = [change for change in explain({"resource_changes": changes}).changes if change.impossible]
    assert [change.address[-3] for change in found] == refused
    assert all("InvalidSubnet.Conflict" in change.impossible for change in found)

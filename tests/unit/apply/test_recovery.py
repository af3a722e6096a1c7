"""Whose state it is, and whether an empty one may be filled with what exists."""

from __future__ import annotations

import json
from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.apply.adoption import Found
from gen_infra.apply.recovery import (
    Lock,
    marked_as_started,
    note_lineage,
    require_own_place,
    require_own_state,
    require_own_tags,
    with_recovery_hints,
)
from gen_infra.aws.inventory import AwsResource
from gen_infra.environment import Environment
from gen_infra.errors import AwsError, UsageError
from gen_infra.manifest import load_with_warnings
from gen_infra.terraform.messages import Event, TerraformError
from gen_infra.terraform.plan import RECORD, PlanContent
from gen_infra.tools.diagnostics import Diagnostic
from tests.unit.manifests import changed, write
from tests.unit.recorded import Account, Refusal

if TYPE_CHECKING:
    from pathlib import Path

EXISTING = Found(
    {"aws_vpc.x": "vpc-1"},
    (AwsResource("VPC", "batch-test", "aws_vpc", "vpc-1"), AwsResource("role", "batchInstance-test", "aws_iam_role")),
    (),
)
NOTHING = Found({}, (), ())


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    made = Environment(load_with_warnings(write(tmp_path, changed())), tmp_path / "build/test")
    made.root.mkdir(parents=True)
    return made


def plan(*values: dict[str, Any], applied: dict[str, str] | None = None) -> PlanContent:
    resources = [
        {"mode": "managed", "type": "aws_x", "address": f"aws_x.r{n}", "values": each} for n, each in enumerate(values)
    ]
    record = {"actions": ["update"], "before": {"input": applied}, "after": {"input": {}}}
    changes = [{"address": RECORD, "type": "terraform_data", "change": record}] if applied else []
    return PlanContent(
        {"prior_state": {"values": {"root_module": {"resources": resources}}}, "resource_changes": changes}
    )


class TestEmptyState:
    def test_it_is_an_error_if_the_environment_exists(self, environment: Environment) -> None:
        with pytest.raises(UsageError) as raised:
            require_own_state(environment, plan(), "", EXISTING, adopt=False)
        place = environment.terraform_folder / "terraform.tfstate"
        assert raised.value.message == (
            f"the state of test ({place}) is empty, but 2 of its resources exist: VPC batch-test (vpc-1), role "
            "batchInstance-test"
        )
        assert "check state: and --out" in raised.value.hint
        assert "add --adopt" in raised.value.hint

    def test_so_are_those_that_are_ambiguous(self, environment: Environment) -> None:
        with pytest.raises(UsageError, match="but 2 of its resources exist"):
            require_own_state(environment, plan(), "", Found({}, (), EXISTING.resources), adopt=False)

    def test_it_is_none_in_a_new_account_or_with_adopt(self, environment: Environment) -> None:
        require_own_state(environment, plan(), "", NOTHING, adopt=False)
        require_own_state(environment, plan(), "", EXISTING, adopt=True)

    def test_nor_if_an_apply_from_here_has_not_ended(self, environment: Environment) -> None:
        with marked_as_started(environment):
            require_own_state(environment, plan(), "", EXISTING, adopt=False)
        with pytest.raises(UsageError, match="is empty"):  # it has succeeded
            require_own_state(environment, plan(), "", EXISTING, adopt=False)

    def test_an_apply_that_failed_counts_too(self, environment: Environment) -> None:
        with pytest.raises(KeyboardInterrupt), marked_as_started(environment):
            raise KeyboardInterrupt
        require_own_state(environment, plan(), "", EXISTING, adopt=False)

    def test_an_apply_of_another_account_does_not(self, environment: Environment, tmp_path: Path) -> None:
        manifest = write(tmp_path, changed(account="210987654321"), "elsewhere.yaml")
        elsewhere = Environment(load_with_warnings(manifest), environment.root)
        with marked_as_started(elsewhere), pytest.raises(UsageError, match="is empty"):
            require_own_state(environment, plan(), "", EXISTING, adopt=False)


class TestForeignState:
    @pytest.mark.parametrize(
        ("record", "said"),
        [
            ({"name": "dev", "account": "123456789012"}, "belongs to environment dev, account 123456789012; wanted is"),
            ({"name": "test", "region": "eu-west-1"}, "belongs to environment test, region eu-west-1; wanted is"),
        ],
    )
    def test_its_record_says_whose_it_is(self, environment: Environment, record: dict[str, str], said: str) -> None:
        with pytest.raises(UsageError, match=said):
            require_own_state(environment, plan({"name": "main-test"}, applied=record), "", NOTHING, adopt=True)

    @pytest.mark.parametrize(
        ("record", "advises"),
        [
            (
                {"name": "test", "account": "123456789012", "region": "eu-west-1"},
                "set region: eu-west-1 again; to move",
            ),
            ({"name": "dev", "account": "123456789012", "region": "eu-west-1"}, "check state: and --out"),
        ],
    )
    def test_a_new_region_alone_has_a_hint_how_to_move(
        self, environment: Environment, record: dict[str, str], advises: str
    ) -> None:
        with pytest.raises(UsageError) as refused:
            require_own_state(environment, plan({"name": "main-test"}, applied=record), "", NOTHING, adopt=True)
        assert advises in str(refused.value.hint)

    @pytest.mark.parametrize("values", [{"name": "main-dev"}, {"tags_all": {"Name": "batch-dev"}}])
    def test_without_a_record_its_names_do(self, environment: Environment, values: dict[str, Any]) -> None:
        with pytest.raises(UsageError, match="belongs to something else: none of its resources has a name of this"):
            require_own_state(environment, plan(values), "", NOTHING, adopt=True)

    def test_our_own_is_accepted(self, environment: Environment) -> None:
        record = {"name": "test", "account": "123456789012", "region": "us-east-1"}
        require_own_state(environment, plan({"name": "x"}, applied=record), "", EXISTING, adopt=False)
        require_own_state(environment, plan({"name": "x"}, {"name": "main-test"}), "", EXISTING, adopt=False)
        require_own_state(environment, plan({"id": "x"}), "", EXISTING, adopt=False)


class TestPlace:
    """The state itself is read, before terraform starts."""

    @staticmethod
    def state(**applied: Any) -> bytes:
        instance = {"attributes": {"input": {"value": applied, "type": ["object", {}]}}}
        record = {"mode": "managed", "type": "terraform_data", "name": "manifest", "instances": [instance]}
        return json.dumps({"version": 4, "resources": [record]}).encode()

    def test_another_region_is_refused_with_how_to_move(self, environment: Environment) -> None:
        environment.terraform_folder.mkdir()
        file = environment.terraform_folder / "terraform.tfstate"
        file.write_bytes(self.state(name="test", account="123456789012", region="eu-west-1"))
        with pytest.raises(UsageError, match="belongs to environment test, account 123456789012, region eu-west-1"):
            require_own_place(environment)
        file.write_bytes(self.state(name="test", account="123456789012", region="us-east-1"))
        require_own_place(environment)

    @pytest.mark.parametrize(
        ("applied", "now", "is_refused"),
        [(6, 5, True), (6, 6, False), (5, 6, False), (None, 5, False), ("x", 5, False)],
    )
    def test_an_older_version_of_the_provider_is_refused(
        self, tmp_path: Path, applied: Any, now: int, is_refused: bool
    ) -> None:
        manifest_path = write(tmp_path, changed(terraform__aws_provider=now))
        environment = Environment(load_with_warnings(manifest_path), tmp_path / "build/test")
        environment.terraform_folder.mkdir(parents=True)
        record = {"name": "test"} | ({"terraform": {"aws_provider": applied}} if applied else {})
        (environment.terraform_folder / "terraform.tfstate").write_bytes(self.state(**record))
        if not is_refused:
            require_own_place(environment)
            return
        with pytest.raises(UsageError, match="test was applied with version 6 of the AWS provider") as refused:
            require_own_place(environment)
        assert refused.value.hint == "set `terraform: {aws_provider: 6}`; there is no way back"

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"resources": [{}]}', b'{"version": 4, "resources": []}'])
    def test_what_is_no_state_is_left_to_terraform(self, environment: Environment, content: bytes) -> None:
        require_own_place(environment)  # there is no file yet
        environment.terraform_folder.mkdir()
        (environment.terraform_folder / "terraform.tfstate").write_bytes(content)
        require_own_place(environment)

    def test_a_state_in_a_bucket_is_read_from_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        document = changed(state={"bucket": "genomics-tfstate-123456789012"})
        environment = Environment(load_with_warnings(write(tmp_path, document)), tmp_path / "build/test")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        account = Account()
        monkeypatch.setattr(Environment, "clients", account.clients)
        account.answers = {"GetObject": Refusal("NoSuchKey")}
        require_own_place(environment)
        kept, key = self.state(name="test", region="eu-west-1"), "gen-infra/test/terraform.tfstate"
        account.answers = {"GetObject": lambda asked: {"Body": BytesIO(kept)} if asked["Key"] == key else {}}
        with pytest.raises(UsageError, match="belongs to environment test, region eu-west-1; wanted is"):
            require_own_place(environment)


class TestLineage:
    def test_another_one_than_last_time_is_refused_until_adopt_is_given(self, environment: Environment) -> None:
        content = plan({"name": "main-test"})
        require_own_state(environment, content, "5f0c", NOTHING, adopt=False)
        note_lineage(environment, {"lineage": "5f0c"})
        for known in ("5f0c", ""):
            require_own_state(environment, content, known, NOTHING, adopt=False)
        with pytest.raises(UsageError, match="its lineage is 77aa, that of the other is 5f0c"):
            require_own_state(environment, content, "77aa", NOTHING, adopt=False)
        require_own_state(environment, content, "77aa", NOTHING, adopt=True)

    def test_an_empty_state_has_none_yet(self, environment: Environment) -> None:
        note_lineage(environment, {"lineage": "5f0c"})
        require_own_state(environment, plan(), "77aa", NOTHING, adopt=False)


class TestLock:
    @pytest.fixture
    def environment(self, tmp_path: Path) -> Environment:
        document = changed(state={"bucket": "genomics-tfstate-123456789012"})
        return Environment(load_with_warnings(write(tmp_path, document)), tmp_path / "build/test")

    def test_it_is_read_once_when_terraform_holds_it(
        self, environment: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ids = iter(["5f0c", "another run's"])
        monkeypatch.setattr(Environment, "lock_id", lambda _: next(ids))
        seen: list[Event] = []
        lock = Lock(environment, seen.append)
        assert lock.id == ""
        events = [Event("message", "Terraform 1.11.4"), Event("start", ""), Event("start", "")]
        lock.on_event(events[0])
        assert lock.id == "", "the lock is not taken yet"
        lock.on_event(events[1])
        lock.on_event(events[2])
        assert (lock.id, seen) == ("5f0c", events)

    def test_a_lock_that_cannot_be_read_stops_nothing(
        self, environment: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_: Environment) -> str:
            raise AwsError("no")

        monkeypatch.setattr(Environment, "lock_id", refuse)
        seen: list[Event] = []
        lock = Lock(environment, seen.append)
        lock.on_event(Event("start", ""))
        assert (lock.id, len(seen)) == ("", 1)


@pytest.mark.parametrize("owner", ["test", "b-test"])
def test_no_import_is_advised_of_what_another_environment_owns(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, account: Account, owner: str
) -> None:
    """Following that advice, and then destroying one of them, would delete the other's role."""
    said = "creating IAM Role (isaac-b-test-job): EntityAlreadyExists: Role with name isaac-b-test-job already exists."
    diagnostic = Diagnostic("error", said, "", address="aws_iam_role.isaac-b")
    error = TerraformError("terraform apply failed", cause="exists", diagnostics=(diagnostic,))
    tags = [{"Key": "gen-infra:environment", "Value": owner}]
    made = {"RoleName": "isaac-b-test-job", "RoleId": "A" * 16, "Arn": "a" * 20, "Path": "/", "CreateDate": 0}
    account.answers = {"GetRole": {"Role": {**made, "Tags": tags}}}
    environment.clients = account.clients
    monkeypatch.setattr(Environment, "terraform", lambda _: SimpleNamespace(typed="terraform -chdir=x"))
    refused = UsageError if owner == "b-test" else TerraformError
    with (
        pytest.raises(refused) as raised,
        with_recovery_hints(environment, Lock(environment, lambda _: None)),
    ):
        raise error
    assert ("terraform -chdir=x import" in raised.value.hint) == (owner == "test")


@pytest.mark.parametrize(
    ("tags", "owner"),
    [
        ({"tags_all": {"gen-infra:environment": "b-test"}}, "b-test"),
        ({"tags": {"gen-infra:environment": "b-test"}, "tags_all": None}, "b-test"),
        ({"tags_all": {"gen-infra:environment": "test"}}, ""),
        ({"tags": {"Lab": "seq"}}, ""),
        ({}, ""),
    ],
)
@pytest.mark.parametrize("actions", [["delete"], ["update"], ["no-op"]])
def test_a_plan_never_has_what_another_environment_owns(
    environment: Environment, tags: dict[str, Any], owner: str, actions: list[str]
) -> None:
    """Whether it was imported by hand, is listed in `existing`, or is in the state since the other one took it over."""
    role = {"actions": actions, "before": {"name": "isaac-b-test-job", **tags}, "after": {}}
    content = PlanContent({"resource_changes": [{"address": "aws_iam_role.x", "type": "aws_iam_role", "change": role}]})
    if not owner:
        require_own_tags(environment, content)
        return
    with pytest.raises(
        UsageError, match=r"the tag gen-infra:environment of another environment: b-test: aws_iam_role\.x"
    ):
        require_own_tags(environment, content)

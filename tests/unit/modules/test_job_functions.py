"""The Lambda functions' own behaviour: which request they make of an event, what they answer, refuse and log."""

from __future__ import annotations

import dataclasses
import importlib
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber
from msgspec import convert, structs

from gen_infra.manifest.model.submit_function import SubmitFunction
from gen_infra.render.submissions import submissions
from gen_infra.resources import data_dir
from tests.unit.manifests import accept

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from mypy_boto3_batch import BatchClient

    from gen_infra.manifest import Manifest

QUEUE_ARN = "arn:aws:batch:us-east-1:123456789012:job-queue/highPriority-prod"
DEFINITION_ARN = "arn:aws:batch:us-east-1:123456789012:job-definition/isaac-prod"
EVENT = {"jobName": "sample-17", "jobQueue": "highPriority-prod", "jobDefinition": "isaac-prod"}
TAGS = {"tags": {"gen-infra:environment": "prod"}}
SUBMITTED = {"jobName": "sample-17", "jobId": "11111111-2222-3333-4444-555555555555"}
MODULES = ("batch_function", "batch_get_job_status", "batch_limits", "batch_submit_job")
OPEN = {"overrides": ["command", "environment", "revision", "tags"], "max_memory_mib": 120_000, "max_vcpus": 32,
        "max_gpus": 2, "max_array_size": 100}  # fmt: skip


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Return the environment prod, whose job definition isaac-2017 stays at revision 4."""
    job = {"image": "quay.io/x/y:1", "vcpus": 32, "memory_mib": 80_000}
    return accept(
        tmp_path_factory.mktemp("manifest"), name="prod", jobs={"isaac": job, "old": job},
        existing={"jobs": {"old": "isaac-2017:4"}},
        queues={
            "highPriority": {"priority": 1, "compute": ["spot"]},
            "fair": {"priority": 2, "compute": ["spot"], "fair_share": {"shares": {"clinic": 1, "research*": 2}}},
        },
    )  # fmt: skip


@pytest.fixture
def limits() -> dict[str, Any]:
    """Return the manifest's `submit_function`; a test that says nothing else allows all of it."""
    return OPEN


@pytest.fixture
def functions(
    limits: dict[str, Any], manifest: Manifest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[dict[str, ModuleType]]:
    """Yield the functions, freshly imported as Lambda does it, in the environment prod, with what its manifest says."""
    package = shutil.copytree(data_dir("modules") / "job-functions" / "src", tmp_path / "package")
    allowed = structs.replace(manifest, submit_function=convert(limits, SubmitFunction))
    (package / "submissions.json").write_bytes(submissions(allowed))
    monkeypatch.syspath_prepend(package)
    monkeypatch.setenv("ENVIRONMENT", "prod")
    for name in MODULES:
        sys.modules.pop(name, None)  # of a command that asked them before
    yield {name: importlib.import_module(name) for name in MODULES}
    for name in MODULES:
        del sys.modules[name]


@pytest.fixture
def batch(functions: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """Yield what AWS Batch is going to answer; at the end every answer must have been used."""
    client: BatchClient = boto3.client(
        "batch", region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    for name in ("batch_submit_job", "batch_get_job_status"):
        monkeypatch.setattr(functions[name], "batch_client", lambda: client)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def errors(functions: dict[str, ModuleType]) -> ModuleType:
    return functions["batch_function"]


def several(*containers: Any) -> dict[str, Any]:
    """Return the overrides of a job of several containers."""
    return {"ecsPropertiesOverride": {"taskProperties": [{"containers": [*containers]}]}}


def submit(functions: dict[str, ModuleType], event: object) -> dict[str, Any]:
    answer: dict[str, Any] = functions["batch_submit_job"].handler(event, None)
    return answer


def status(functions: dict[str, ModuleType], event: object) -> dict[str, Any]:
    answer: dict[str, Any] = functions["batch_get_job_status"].handler(event, None)
    return answer


def test_submit_returns_the_event_with_the_job_id(functions: dict[str, ModuleType], batch: Stubber) -> None:
    batch.add_response("submit_job", SUBMITTED, {**EVENT, **TAGS})
    event = {**EVENT, "sample": {"id": 17}}
    assert submit(functions, event) == {**event, "jobId": SUBMITTED["jobId"]}
    assert "jobId" not in event


def test_submit_passes_the_optional_fields_on(functions: dict[str, ModuleType], batch: Stubber) -> None:
    optional = {
        "containerOverrides": {
            "command": ["--sample", "17"],
            "environment": [{"name": "THREADS", "value": "32"}],
            "resourceRequirements": [{"type": "MEMORY", "value": "80000"}],
        },
        "dependsOn": [{"jobId": "an-earlier-job"}],
        "parameters": {"sample": "17"},
    }
    batch.add_response("submit_job", SUBMITTED, {**EVENT, **optional, **TAGS})
    submit(functions, {**EVENT, **optional})


@pytest.mark.parametrize(
    ("given", "submitted"),
    [("isaac-prod", "isaac-prod:12"), (DEFINITION_ARN, f"{DEFINITION_ARN}:12"), ("isaac-2017:4", "isaac-2017:4")],
)
def test_submit_names_the_revision_where_the_role_knows_definitions_by_tag(
    functions: dict[str, ModuleType], batch: Stubber, monkeypatch: pytest.MonkeyPatch, given: str, submitted: str
) -> None:
    """AWS reads the tags of a definition only with its revision."""
    of_manifest = functions["batch_submit_job"].limits("prod")
    by_tag = dataclasses.replace(of_manifest, definitions_by_tag=True)
    monkeypatch.setattr(functions["batch_submit_job"], "limits", lambda _: by_tag)
    name = submitted.rpartition("/")[2].partition(":")[0]
    found = [
        {"jobDefinitionName": name, "jobDefinitionArn": f"arn:{n}", "revision": n, "type": "container"} for n in (9, 12)
    ]
    if given != submitted:
        asked = {"jobDefinitionName": name, "status": "ACTIVE"}
        batch.add_response("describe_job_definitions", {"jobDefinitions": found}, asked)
    batch.add_response("submit_job", SUBMITTED, {**EVENT, **TAGS, "jobDefinition": submitted})
    assert submit(functions, {**EVENT, "jobDefinition": given})["jobDefinition"] == given


def test_submit_says_that_there_is_no_revision(
    functions: dict[str, ModuleType], batch: Stubber, monkeypatch: pytest.MonkeyPatch, errors: ModuleType
) -> None:
    by_tag = dataclasses.replace(functions["batch_submit_job"].limits("prod"), definitions_by_tag=True)
    monkeypatch.setattr(functions["batch_submit_job"], "limits", lambda _: by_tag)
    batch.add_response("describe_job_definitions", {"jobDefinitions": []})
    with pytest.raises(errors.EventValueError, match="jobDefinition: 'isaac-prod' has no active revision"):
        submit(functions, EVENT)


@pytest.mark.parametrize("nothing", [{}, {"containerOverrides": None, "dependsOn": None, "parameters": None},
                                     {"containerOverrides": {}, "dependsOn": [], "parameters": {}}])  # fmt: skip
def test_submit_leaves_out_what_is_not_given(
    nothing: dict[str, Any], functions: dict[str, ModuleType], batch: Stubber
) -> None:
    batch.add_response("submit_job", SUBMITTED, {**EVENT, **TAGS})
    submit(functions, {**EVENT, **nothing})


def test_submit_passes_the_overrides_of_each_container(functions: dict[str, ModuleType], batch: Stubber) -> None:
    override = {"name": "align", "command": ["align"], "environment": [{"name": "A", "value": "b"}]}
    event = {**EVENT, "ecsPropertiesOverride": {"taskProperties": [{"containers": [override]}]}}
    batch.add_response("submit_job", SUBMITTED, {**event, **TAGS})
    assert submit(functions, event)["jobId"] == SUBMITTED["jobId"]


@pytest.mark.parametrize("definition", ["isaac-prod", "isaac-prod:3", DEFINITION_ARN, f"{DEFINITION_ARN}:3"])
@pytest.mark.parametrize("queue", ["highPriority-prod", QUEUE_ARN])
def test_submit_takes_names_and_arns(
    queue: str, definition: str, functions: dict[str, ModuleType], batch: Stubber
) -> None:
    event = {**EVENT, "jobQueue": queue, "jobDefinition": definition}
    batch.add_response("submit_job", SUBMITTED, {**event, **TAGS})
    submit(functions, event)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"jobName": None}, "EventValueError", "jobName is missing"),
        ({"jobQueue": ""}, "EventValueError", "jobQueue is missing"),
        ({"jobDefinition": None}, "EventValueError", "jobDefinition is missing"),
        ({"jobName": 17}, "EventTypeError", "jobName must be a string, not a number"),
        ({"jobQueue": ["highPriority-prod"]}, "EventTypeError", "jobQueue must be a string, not an array"),
        ({"jobName": "sample 17"}, "EventValueError", "jobName: 'sample 17' is not"),
        ({"jobName": "sample-17\n"}, "EventValueError", r"jobName: 'sample-17\\n' is not"),
        ({"jobName": "n" * 129}, "EventValueError", "is not 1 to 128 letters"),
        ({"jobQueue": "a/b"}, "EventValueError", "jobQueue: 'a/b' is neither a name nor an ARN"),
        ({"jobQueue": "highPriority-dev"}, "OtherEnvironmentError", "'highPriority-dev' does not belong .* 'prod'"),
        ({"jobQueue": QUEUE_ARN.replace("prod", "dev")}, "OtherEnvironmentError", "jobQueue: "),
        ({"jobDefinition": "isaac"}, "OtherEnvironmentError", "jobDefinition: 'isaac' does not belong"),
        ({"jobDefinition": f"{DEFINITION_ARN}-dev:3"}, "OtherEnvironmentError", "jobDefinition: "),
        ({"containerOverrides": []}, "EventTypeError", "containerOverrides must be an object, not an array"),
        ({"ecsPropertiesOverride": []}, "EventTypeError", "ecsPropertiesOverride must be an object, not an array"),
        (
            {"ecsPropertiesOverride": {"taskProperties": [{"containers": [{"name": "a", "command": [1]}]}]}},
            "EventTypeError",
            r"ecsPropertiesOverride.taskProperties\[0\].containers\[0\].command\[0\] must be a string, not a number",
        ),
        ({"dependsOn": {"jobId": "a"}}, "EventTypeError", "dependsOn must be an array, not an object"),
        ({"dependsOn": ["a"]}, "EventTypeError", r"dependsOn\[0\] must be an object, not a string"),
        ({"dependsOn": [{"jobId": 17}]}, "EventTypeError", r"dependsOn\[0\].jobId must be a string, not a number"),
        ({"dependsOn": [{"jobId": "a", "kind": "b"}]}, "EventValueError", r"dependsOn\[0\] must have a jobId, a type"),
        ({"dependsOn": [{}]}, "EventValueError", r"dependsOn\[0\] must have a jobId"),
        ({"dependsOn": [{"jobId": "a"}] * 21}, "EventValueError", "dependsOn: 21 jobs are more than 20"),
        ({"parameters": "sample=17"}, "EventTypeError", "parameters must be an object, not a string"),
        ({"parameters": {"sample": True}}, "EventTypeError", "parameters.sample must be a string, not a boolean"),
    ],
)
def test_submit_refuses(
    change: dict[str, Any],
    error: str,
    message: str,
    functions: dict[str, ModuleType],
    errors: ModuleType,
    batch: Stubber,
) -> None:
    del batch  # with nothing to answer: no request is made
    with pytest.raises(getattr(errors, error), match=message):
        submit(functions, {**EVENT, **change})


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        ({"arrayProperties": {"size": 100}}, {"arrayProperties": {"size": 100}}),
        ({"arrayProperties": None}, {}),
        ({"jobDefinition": "isaac-2017"}, {"jobDefinition": "isaac-2017"}),
        ({"jobDefinition": "isaac-2017:4"}, {"jobDefinition": "isaac-2017:4"}),
    ],
)
def test_submit_passes_arrays_and_names_that_existed_before(
    given: dict[str, Any], passed: dict[str, Any], functions: dict[str, ModuleType], batch: Stubber
) -> None:
    batch.add_response("submit_job", SUBMITTED, {**EVENT, **passed, **TAGS})
    submit(functions, {**EVENT, **given})


@pytest.mark.parametrize(
    "field",
    ["consumableResourcePropertiesOverride", "eksPropertiesOverride", "nodeOverrides", "propagateTags", "retryStrategy",
     "schedulingPriorityOverride", "timeout"],
)  # fmt: skip
def test_what_is_not_passed_on_is_not_dropped_silently(
    field: str, functions: dict[str, ModuleType], batch: Stubber, errors: ModuleType
) -> None:
    batch.add_response("submit_job", SUBMITTED, {**EVENT, **TAGS})
    submit(functions, {**EVENT, field: None})
    with pytest.raises(errors.NotAllowedError, match=f"^{field} stays as the job definition declares it; leave it out"):
        submit(functions, {**EVENT, field: {}})


def test_every_field_of_submit_job_is_passed_on_or_refused(functions: dict[str, ModuleType], batch: Stubber) -> None:
    shape = batch.client.meta.service_model.operation_model("SubmitJob").input_shape
    fields = {*shape.members} if shape else set()
    refused = {*functions["batch_submit_job"]._AS_DECLARED}
    source = Path(functions["batch_submit_job"].__file__ or "").read_text(encoding="utf-8")
    assert refused <= fields
    assert [field for field in fields - refused if f'"{field}": ' not in source] == []


LONG = "n" * 1_000_000


@pytest.mark.parametrize(
    "change",
    [
        {"jobName": LONG}, {"jobQueue": LONG}, {"jobDefinition": LONG}, {"jobDefinition": f"isaac-2017:{'1' * 10**6}"},
        {"jobQueue": "fair-prod", "shareIdentifier": LONG}, {"parameters": {LONG: 1}}, {"tags": {LONG: "x"}},
        {"tags": {LONG: 1}}, {"tags": {f"gen-infra:{LONG}": "x"}}, {"containerOverrides": {LONG: 1}},
        {"containerOverrides": {"resourceRequirements": [{"type": LONG, "value": "1"}]}},
        {"containerOverrides": {"resourceRequirements": [{"type": "VCPU", "value": LONG}]}},
        {"containerOverrides": {"command": [LONG]}}, several({"name": LONG}, {"name": LONG}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("limits", [{**OPEN, "overrides": ["command", "tags"]}])
def test_a_refusal_is_short_whatever_the_event_holds(
    change: dict[str, Any], functions: dict[str, ModuleType], batch: Stubber, errors: ModuleType
) -> None:
    del batch
    with pytest.raises((errors.EventTypeError, errors.EventValueError)) as caught:
        submit(functions, {**EVENT, **change})
    assert len(str(caught.value)) < 400


def resources(**kinds: str) -> dict[str, Any]:
    return {"resourceRequirements": [{"type": kind, "value": value} for kind, value in kinds.items()]}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        # isaac-b-prod is the definition of isaac in the environment b-prod, or of isaac-b in this one
        ({"jobDefinition": "isaac-b-prod"}, "OtherEnvironmentError", "'isaac-b-prod' does not belong .* 'prod'"),
        ({"jobQueue": "highPriority-b-prod"}, "OtherEnvironmentError", "'highPriority-b-prod' does not belong"),
        (
            {"jobDefinition": DEFINITION_ARN.replace("123456789012", "210987654321")},
            "OtherEnvironmentError",
            "jobDefinition: ",
        ),
        ({"jobQueue": QUEUE_ARN.replace("us-east-1", "eu-west-1")}, "OtherEnvironmentError", "jobQueue: "),
        ({"jobQueue": QUEUE_ARN.replace("job-queue", "job-definition")}, "OtherEnvironmentError", "jobQueue: "),
        ({"jobQueue": "highPriority-prod:1"}, "EventValueError", "is neither a name nor an ARN"),
        (
            {"containerOverrides": resources(VCPU="32.5")},
            "NotAllowedError",
            r"resourceRequirements\[0\]: VCPU 32.5 is more than 32, which is submit_function.max_vcpus",
        ),
        ({"containerOverrides": resources(MEMORY="120001")}, "NotAllowedError", "MEMORY 120001 is more than 120000"),
        ({"containerOverrides": resources(MEMORY="16", GPU="3")}, "NotAllowedError", r"\[1\]: GPU 3 is more than 2"),
        ({"containerOverrides": resources(VCPU="1e9")}, "EventValueError", "value: '1e9' is not a number"),
        ({"containerOverrides": resources(VCPU="-1")}, "EventValueError", "value: '-1' is not a number"),
        ({"containerOverrides": resources(vcpu="1")}, "EventValueError", "type: 'vcpu' is unknown; choose from VCPU"),
        ({"containerOverrides": {"vcpus": 64}}, "NotAllowedError", "containerOverrides.vcpus: choose from command, "),
        ({"containerOverrides": {"instanceType": "x"}}, "NotAllowedError", "containerOverrides.instanceType"),
        (
            {"ecsPropertiesOverride": {"taskProperties": [{"containers": [{"name": "a", **resources(VCPU="64")}]}]}},
            "NotAllowedError",
            r"containers\[0\].resourceRequirements\[0\]: VCPU 64 is more than 32",
        ),
        (
            {"ecsPropertiesOverride": {"taskProperties": [{"containers": [{"name": "a", "image": "b"}]}]}},
            "NotAllowedError",
            r"containers\[0\].image: choose from",
        ),
        (
            {"containerOverrides": {"resourceRequirements": [{"type": "VCPU", "value": "1"}] * 2}},
            "EventValueError",
            r"resourceRequirements\[1\]: VCPU is given twice",
        ),
        ({"containerOverrides": {"environment": [{"name": "", "value": "x"}]}}, "EventValueError", "name is missing"),
        ({"containerOverrides": {"name": "a"}}, "NotAllowedError", "containerOverrides.name: choose from command, env"),
        ({"containerOverrides": {"command": ["x" * 8177]}}, "EventValueError", "8193 characters are more than 8192"),
        (
            several({"name": "a", "command": ["x" * 8100]}, {"name": "b", "command": ["y" * 50]}),
            "EventValueError",
            r"^ecsPropertiesOverride: 8\d+ characters are more than 8192",
        ),
        (several({"command": ["a"]}), "EventValueError", r"containers\[0\].name is missing"),
        (several({"name": 7, "command": ["a"]}), "EventTypeError", r"containers\[0\].name must be a string, not a"),
        (several({"name": "a"}, {"name": "a"}), "EventValueError", r"containers\[1\].name: 'a' is given twice"),
        (several("a"), "EventTypeError", r"containers\[0\] must be an object, not a string"),
        ({"ecsPropertiesOverride": {"x": []}}, "EventValueError", "must have taskProperties, and nothing else"),
        (
            {"ecsPropertiesOverride": {"taskProperties": [{"taskRoleArn": "r"}]}},
            "EventValueError",
            r"taskProperties\[0\] must have containers, and nothing else",
        ),
        (
            {"arrayProperties": {"size": 101}},
            "NotAllowedError",
            "size: 101 is more than 100, which is submit_function.",
        ),
        ({"arrayProperties": {"size": 1}}, "EventValueError", "arrayProperties.size: 1 is less than 2"),
        (
            {"arrayProperties": {"size": "9"}},
            "EventTypeError",
            "arrayProperties.size must be a whole number, not a str",
        ),
        ({"arrayProperties": {"size": True}}, "EventTypeError", "must be a whole number, not a boolean"),
        ({"arrayProperties": {"size": 2.0}}, "EventTypeError", "must be a whole number, not one with a fraction"),
        ({"arrayProperties": {"n": 2}}, "EventValueError", "must have a size, and nothing else"),
    ],
)
def test_submit_limits(
    change: dict[str, Any],
    error: str,
    message: str,
    functions: dict[str, ModuleType],
    errors: ModuleType,
    batch: Stubber,
) -> None:
    del batch
    with pytest.raises(getattr(errors, error), match=message):
        submit(functions, {**EVENT, **change})


@pytest.mark.parametrize("limits", [{}])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"containerOverrides": {"command": ["sh"]}}, "containerOverrides.command stays as declared; add command to"),
        ({"containerOverrides": {"environment": [{"name": "A", "value": "b"}]}}, "add environment to submit_function"),
        ({"containerOverrides": resources(VCPU="1")}, "VCPU stays as declared; set submit_function.max_vcpus"),
        ({"containerOverrides": resources(MEMORY="4")}, "MEMORY stays as declared; set submit_function.max_memory_mib"),
        ({"containerOverrides": resources(GPU="1")}, "GPU stays as declared; set submit_function.max_gpus"),
        ({"arrayProperties": {"size": 2}}, "array jobs need submit_function.max_array_size"),
        ({"jobDefinition": "isaac-prod:1"}, "'isaac-prod:1' names a revision; leave it out, or add revision to"),
        ({"jobDefinition": "isaac-2017:3"}, "'isaac-2017:3' names a revision"),
        (
            {"ecsPropertiesOverride": {"taskProperties": [{"containers": [{"name": "a", "command": ["sh"]}]}]}},
            r"containers\[0\].command stays as declared",
        ),
    ],
)
def test_jobs_run_as_declared_unless_the_manifest_allows_more(
    change: dict[str, Any], message: str, functions: dict[str, ModuleType], errors: ModuleType, batch: Stubber
) -> None:
    del batch
    with pytest.raises(errors.NotAllowedError, match=message):
        submit(functions, {**EVENT, **change})


@pytest.mark.parametrize("limits", [{}])
def test_without_limits_parameters_and_the_kept_revision_are_accepted(
    functions: dict[str, ModuleType], batch: Stubber
) -> None:
    event = {**EVENT, "jobDefinition": "isaac-2017:4", "parameters": {"sample": "17"}}
    batch.add_response("submit_job", SUBMITTED, {**event, **TAGS})
    submit(functions, event)


def test_a_package_without_limits_submits_nothing(functions: dict[str, ModuleType], batch: Stubber) -> None:
    del batch
    Path(functions["batch_limits"].__file__ or "").with_name("submissions.json").unlink()
    with pytest.raises(FileNotFoundError):
        submit(functions, EVENT)


def test_submit_adds_tags_and_keeps_its_own(functions: dict[str, ModuleType], batch: Stubber) -> None:
    batch.add_response("submit_job", SUBMITTED, {**EVENT, "tags": {"Project": "rna", **TAGS["tags"]}})
    submit(functions, {**EVENT, "tags": {"Project": "rna"}})


@pytest.mark.parametrize("limits", [{}])
def test_tags_need_the_manifests_leave(functions: dict[str, ModuleType], batch: Stubber, errors: ModuleType) -> None:
    del batch
    with pytest.raises(errors.NotAllowedError, match=r"add tags to submit_function\.overrides"):
        submit(functions, {**EVENT, "tags": {"Project": "rna"}})


@pytest.mark.parametrize(
    ("tags", "error"),
    [
        ({"gen-infra:environment": "b"}, "NotAllowedError"),
        ({"Gen-Infra:submitted-by": "mallory"}, "NotAllowedError"),
        ({"AWS:x": ""}, "EventValueError"),
        ({"": "x"}, "EventValueError"),
        ({"k" * 129: ""}, "EventValueError"),
        ({"Project": "v" * 257}, "EventValueError"),
        ({"Project": "${x}"}, "EventValueError"),
        ({"Project": 7}, "EventTypeError"),
        (["Project"], "EventTypeError"),
    ],
)
def test_tags_that_are_refused(
    tags: object, error: str, functions: dict[str, ModuleType], batch: Stubber, errors: ModuleType
) -> None:
    del batch
    with pytest.raises(getattr(errors, error), match=r"^tags"):
        submit(functions, {**EVENT, "tags": tags})


@pytest.mark.parametrize("share", ["clinic", "researchers", "research"])
def test_a_share_of_the_queue_is_passed_on(share: str, functions: dict[str, ModuleType], batch: Stubber) -> None:
    event = {**EVENT, "jobQueue": "fair-prod", "shareIdentifier": share}
    batch.add_response("submit_job", SUBMITTED, {**event, **TAGS})
    submit(functions, event)


@pytest.mark.parametrize(
    ("queue", "share", "error", "words"),
    [
        ("fair-prod", None, "EventValueError", "shareIdentifier is missing"),
        ("fair-prod", "other", "NotAllowedError", "choose from clinic, research"),
        ("fair-prod", "clinic*", "EventValueError", "letters and digits"),
        ("highPriority-prod", "clinic", "NotAllowedError", "has no fair-share policy"),
    ],
)
def test_shares_that_are_refused(
    queue: str, share: str | None, error: str, words: str, functions: dict[str, ModuleType], batch: Stubber,
    errors: ModuleType,
) -> None:  # fmt: skip
    del batch
    with pytest.raises(getattr(errors, error), match=words):
        submit(functions, {**EVENT, "jobQueue": queue, "shareIdentifier": share})


@pytest.mark.parametrize("handler", [submit, status])
@pytest.mark.parametrize(("event", "kind"), [([EVENT], "an array"), ("sample-17", "a string"), (None, "null")])
def test_an_event_must_be_an_object(
    handler: Any, event: object, kind: str, functions: dict[str, ModuleType], errors: ModuleType
) -> None:
    with pytest.raises(errors.EventTypeError, match=f"the event must be an object, not {kind}"):
        handler(functions, event)


@pytest.mark.parametrize(
    "overrides",
    [
        {"environment": [{"name": "TOKEN", "value": 815_4711}]},
        {"environment": [{"name": "TOKEN", "value": "8154711", "secret": "8154711"}]},
        {"environment": [{"name": 8_154_711, "value": "TOKEN"}]},
        {"environment": ["8154711"]},
        {"environment": "8154711"},
        {"command": ["--token", 815_4711]},
        {"command": "8154711"},
    ],
)
def test_a_refusal_quotes_no_secret(
    overrides: dict[str, Any], functions: dict[str, ModuleType], batch: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    del batch
    with pytest.raises((TypeError, ValueError), match=r"^containerOverrides\.(command|environment)") as caught:
        submit(functions, {**EVENT, "containerOverrides": overrides})
    assert "8154711" not in str(caught.value)
    assert not capsys.readouterr().out


def test_submit_logs_one_line_of_json_without_values(
    functions: dict[str, ModuleType], batch: Stubber, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = {
        "containerOverrides": {"command": ["hush"], "environment": [{"name": "TOKEN", "value": "hush"}]},
        "parameters": {"token": "hush"},
    }
    batch.add_response("submit_job", SUBMITTED, {**EVENT, **secret, **TAGS})
    submit(functions, {**EVENT, **secret})
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {"level": "INFO", "message": "job submitted", "jobId": SUBMITTED["jobId"], **EVENT}


def test_what_batch_refuses_keeps_its_own_name(functions: dict[str, ModuleType], batch: Stubber) -> None:
    batch.add_client_error("submit_job", "ClientException", "JobQueue highPriority-prod not found.")
    with pytest.raises(Exception, match=r"JobQueue highPriority-prod not found\.") as caught:
        submit(functions, EVENT)
    assert type(caught.value).__name__ == "ClientException"


def described(**job: object) -> dict[str, Any]:
    """Return what DescribeJobs answers for one job."""
    base = {
        "jobId": "1",
        "jobName": "sample-17",
        "jobQueue": QUEUE_ARN,
        "jobDefinition": DEFINITION_ARN,
        "startedAt": 0,
    }
    return {"jobs": [{**base, **job}]}


@pytest.mark.parametrize(
    ("job", "answer"),
    [
        ({"status": "RUNNABLE"}, {"status": "RUNNABLE"}),
        (
            {"status": "RUNNING", "container": {"image": "isaac", "logStreamName": "isaac/default/1"}},
            {"status": "RUNNING", "logStreamName": "isaac/default/1"},
        ),
        (
            {
                "status": "FAILED",
                "statusReason": "Host EC2 (instance i-1) terminated.",
                "container": {"exitCode": 137, "logStreamName": "isaac/default/2"},
            },
            {
                "status": "FAILED",
                "statusReason": "Host EC2 (instance i-1) terminated.",
                "exitCode": 137,
                "logStreamName": "isaac/default/2",
            },
        ),
        ({"status": "SUCCEEDED", "container": {"exitCode": 0}}, {"status": "SUCCEEDED", "exitCode": 0}),
    ],
)
def test_status_adds_what_the_job_has(
    job: dict[str, Any], answer: dict[str, Any], functions: dict[str, ModuleType], batch: Stubber
) -> None:
    batch.add_response("describe_jobs", described(**job), {"jobs": ["1"]})
    event = {**EVENT, "jobId": "1", "sample": 17}
    assert status(functions, event) == {**event, **answer}


def test_status_replaces_what_an_earlier_look_left(functions: dict[str, ModuleType], batch: Stubber) -> None:
    batch.add_response("describe_jobs", described(status="RUNNABLE"), {"jobs": ["1"]})
    earlier = {"jobId": "1", "status": "FAILED", "statusReason": "gone", "exitCode": 1, "logStreamName": "isaac/1"}
    assert status(functions, earlier) == {"jobId": "1", "status": "RUNNABLE"}


def test_status_of_an_unknown_job(functions: dict[str, ModuleType], errors: ModuleType, batch: Stubber) -> None:
    batch.add_response("describe_jobs", {"jobs": []}, {"jobs": ["1"]})
    with pytest.raises(errors.JobNotFoundError, match="job '1' not found"):
        status(functions, {"jobId": "1"})


@pytest.mark.parametrize(("event", "error"), [({}, "EventValueError"), ({"jobId": 17}, "EventTypeError")])
def test_status_refuses(
    event: dict[str, Any], error: str, functions: dict[str, ModuleType], errors: ModuleType
) -> None:
    with pytest.raises(getattr(errors, error), match="jobId"):
        status(functions, event)


def test_the_client_is_made_once_and_only_when_needed(
    functions: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = functions["batch_function"].batch_client
    assert client.cache_info().currsize == 0
    assert client() is client()
    retries = client().meta.config.retries
    assert (retries["mode"], retries["total_max_attempts"]) == ("adaptive", 4)

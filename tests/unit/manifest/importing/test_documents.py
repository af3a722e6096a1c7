"""Job definitions in shell scripts, templates and other documents: as many come out as went in."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from gen_infra.errors import UsageError
from gen_infra.manifest.importing.job import Imported, import_jobs

CONTAINER = {"image": "quay.io/x/y:1", "vcpus": 1, "memory": 512}
PROPERTIES = json.dumps(CONTAINER)
REGISTER = "aws batch register-job-definition --type container"


def imported(text: str) -> Imported:
    return import_jobs(text)


def test_each_command_of_a_script_is_a_definition() -> None:
    result = imported(
        f"""#!/bin/bash
set -euo pipefail  # it's a comment
aws ecr create-repository --repository-name a && docker push a
jq . <<< "$(aws sts get-caller-identity)"; echo $((1 << 2))
{REGISTER} --job-definition-name first --container-properties '{PROPERTIES}'
if true; then
  ARN=$({REGISTER} --job-definition-name second --container-properties '{PROPERTIES}' --query arn --output text)
fi
{REGISTER} --job-definition-name third --container-properties '{PROPERTIES}' > out.json 2>&1; echo done
# {REGISTER} --job-definition-name not-this-one
aws batch submit-job --job-definition first --job-queue main --job-name x
"""
    )
    assert list(result.jobs) == ["first", "second", "third"]
    assert result.refusals == []


@pytest.mark.parametrize(
    "between",
    [" \\\n'\n", " '\n\n    ", "\n'", " \\\n    '"],
    ids=["quote on its own line", "JSON on its own line", "without a backslash", "indented"],
)
def test_json_may_start_on_a_new_line(between: str) -> None:
    command = f"{REGISTER} \\\n  --job-definition-name tool \\\n  --container-properties"
    text = f"{command}{between}{json.dumps(CONTAINER, indent=2)}\n'\n"
    assert imported(text).jobs["tool"]["memory_mib"] == 512


@pytest.mark.parametrize(
    "text",
    [
        f"cat > job.json <<'EOF'\n{PROPERTIES}\nEOF\n{REGISTER} --container-properties file://job.json",
        f"cat <<EOF | tee job.json\n{PROPERTIES}\nEOF\n{REGISTER} --container-properties file://job.json",
        f'{REGISTER} --container-properties "$(cat <<EOF\n{PROPERTIES}\nEOF\n)"',
        f'JSON=$(cat <<EOF\n{PROPERTIES}\nEOF\n)\n{REGISTER} --container-properties "${{JSON}}"',
        f"export JSON='{PROPERTIES}'; {REGISTER} --container-properties \"$JSON\"",
        f"{REGISTER} --container-properties={json.dumps(PROPERTIES)}",
        f"{REGISTER} --container-properties image=quay.io/x/y:1,vcpus=1,memory=512",
        f"{REGISTER} --cli-input-json '{json.dumps({'containerProperties': CONTAINER})}'",
        f"{REGISTER} --cli-input-yaml 'containerProperties: {{image: quay.io/x/y:1, vcpus: 1, memory: 512}}'",
        f"{REGISTER}\r\n--container-properties '{PROPERTIES}'\r\n",
    ],
)  # fmt: skip
def test_where_a_script_can_keep_its_json(text: str) -> None:
    (entry,) = imported(text).jobs.values()
    assert (entry["image"], entry["vcpus"], entry["memory_mib"]) == ("quay.io/x/y:1", 1, 512)


def test_the_shorthand_of_the_aws_cli() -> None:
    result = imported(
        f"{REGISTER} --job-definition-name tool --platform-capabilities FARGATE "
        "--timeout attemptDurationSeconds=120 --parameters a=b,c=d --no-propagate-tags "
        "--retry-strategy 'attempts=2,evaluateOnExit=[{onReason=Cannot*,action=RETRY},{onExitCode=\"1\",action=EXIT}]' "
        "--container-properties 'image=quay.io/x/y:1,command=echo,hello,"
        "resourceRequirements=[{type=VCPU,value=0.25},{type=MEMORY,value=512}]'"
    )
    assert result.jobs["tool"] == {
        "image": "quay.io/x/y:1", "vcpus": 0.25, "memory_mib": 512, "command": ["echo", "hello"],
        "parameters": {"a": "b", "c": "d"}, "attempts": 2, "timeout_minutes": 2,
        "evaluate_on_exit": [
            {"action": "RETRY", "on_reason": "Cannot*"}, {"action": "EXIT", "on_exit_code": "1"},
        ],
    }  # fmt: skip


def test_variables_stay_and_are_named() -> None:
    result = imported(
        REGISTER + ' --job-definition-name "isaac-${ENV}" --container-properties '
        '\'{"image": "\'"$REGISTRY"\'/isaac", "vcpus": $VCPUS, "memory": 512, "command": ["${SAMPLE}"]}\''
    )
    assert list(result.jobs) == ["isaac"]
    notes = "\n".join(result.notes)
    for words in (
        "the name becomes isaac", "image $REGISTRY/isaac holds a variable", "vcpus is not given",
        "command holds ${SAMPLE}",
    ):  # fmt: skip
        assert words in notes


def test_one_unreadable_command_does_not_hide_the_others() -> None:
    result = imported(
        f"{REGISTER} --job-definition-name broken --container-properties '{{\"image\": '\n"
        f"{REGISTER} --job-definition-name whole --container-properties '{PROPERTIES}'\n"
    )
    assert list(result.jobs) == ["whole"]
    assert result.refusals == [("broken", "the JSON of containerProperties is invalid")]


def definition(name: str, **more: Any) -> dict[str, Any]:
    return {"jobDefinitionName": name, "containerProperties": CONTAINER, **more}


def test_names_that_meet_after_shortening_get_keys_of_their_own() -> None:
    long = "nf-quay-io-biocontainers-bioconductor-deseq2-"
    names = [f"{long}1-34-0", f"{long}1-36-0", "a.b", "a:b", "A-B", "same", "same"]
    result = imported(json.dumps([definition(name) for name in names]))
    assert list(result.jobs) == [
        long[:40], f"{long[:38]}-2", "a-b", "a-b-2", "A-B-3", "same", "same-2",
    ]  # fmt: skip
    assert "\n".join(result.notes).count("the name becomes") == 6


def test_of_several_revisions_the_newest_active_one_is_imported_and_the_others_are_named() -> None:
    revisions = [
        definition("tool", revision=revision, status="INACTIVE" if revision == 9 else "ACTIVE")
        for revision in (7, 9, 8)
    ]
    result = imported(json.dumps({"jobDefinitions": revisions}))
    assert list(result.jobs) == ["tool"]
    assert result.refusals == [("tool:7", "revision 8 is newer"), ("tool:9", "the revision is INACTIVE")]


def test_json_documents_may_follow_each_other() -> None:
    assert list(imported("\n".join(json.dumps(definition(name)) for name in "ab")).jobs) == ["a", "b"]


TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Version: {Type: String, Default: "1.2"}
  Bucket: {Type: String}
Resources:
  Builder:
    Type: AWS::CodeBuild::Project
    Properties: {Environment: {Image: "aws/codebuild/standard:7.0"}}
  AlignJob:
    Type: AWS::Batch::JobDefinition
    Properties:
      Type: container
      JobDefinitionName: !Sub "${AWS::StackName}-align"
      PropagateTags: false
      PlatformCapabilities: [EC2]
      Timeout: {AttemptDurationSeconds: 600}
      ContainerProperties:
        Image: !Sub "quay.io/x/align:${Version}"
        ReadonlyRootFilesystem: true
        Privileged: false
        JobRoleArn: !GetAtt Role.Arn
        User: !If [Locked, "1000", !Ref AWS::NoValue]
        Command: [align, --out, !Join ["/", ["s3:/", !Ref Bucket]]]
        Environment: [{Name: BUCKET, Value: !Ref Bucket}, {Name: VERSION, Value: !Ref Version}]
        ResourceRequirements: [{Type: VCPU, Value: 4}, {Type: MEMORY, Value: "8000"}]
        LinuxParameters: {InitProcessEnabled: true, MaxSwap: 0, Swappiness: 10}
        EnableExecuteCommand: true
  SortJob:
    Type: AWS::Batch::JobDefinition
    Properties: {JobDefinitionName: sort, ContainerProperties: {Image: quay.io/x/sort, Vcpus: 1, Memory: 512}}
"""


def test_a_template_in_yaml() -> None:
    result = imported(TEMPLATE)
    assert result.jobs["AlignJob"] == {
        "image": "quay.io/x/align:1.2", "vcpus": 4, "memory_mib": 8000, "command": ["align", "--out", "s3://${Bucket}"],
        "environment": {"BUCKET": "${Bucket}", "VERSION": "1.2"}, "attempts": 1, "timeout_minutes": 10, "user": "1000",
        "readonly_root": True, "linux": {"init_process": True, "max_swap_mib": 0, "swappiness": 10},
        "container_properties": {"enableExecuteCommand": True},
    }  # fmt: skip
    assert list(result.jobs) == ["AlignJob", "sort"]
    notes = "\n".join(result.notes)
    for words in (
        "AlignJob: Fn::If Locked is taken to be true",
        "AlignJob: environment: BUCKET holds ${Bucket}, a variable of the template or script; replace it",
        "AlignJob: command holds ${Bucket}",
        "AlignJob: jobRoleArn is not carried over: it is not the ARN of a role",
        "AlignJob: propagateTags is not carried over: gen-infra always propagates tags",
    ):
        assert words in notes, words


@pytest.mark.parametrize(
    "text",
    [
        "Resources:\n  a: &a {Type: AWS::Batch::JobDefinition, b: [*a]}",
        "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{new}: &{new} [{', '.join(['*' + old] * 10)}]\n" for old, new in pairwise("abcdefg")),
        "!!python/object/apply:os.system [echo]",
        '{"a": ' * 70 + "1" + "}" * 70,
    ],
    ids=["recursive", "laughs", "python", "deep"],
)  # fmt: skip
def test_hostile_documents_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        imported(text)


def test_what_is_not_a_list_is_noted_and_not_dropped_silently() -> None:
    container = {
        **CONTAINER, "environment": {"Fn::Transform": "x"}, "mountPoints": "all", "command": "run it",
        "linuxParameters": ["init"], "ephemeralStorage": 30, "repositoryCredentials": "secret",
    }  # fmt: skip
    document = definition("tool", parameters="a=b", retryStrategy=3) | {"containerProperties": container}
    result = imported(json.dumps(document))
    notes = "\n".join(result.notes)
    for key in ("linuxParameters", "ephemeralStorage", "repositoryCredentials", "parameters", "retryStrategy"):
        assert f"{key} is not given as a mapping" in notes
    assert "environment is not given as a list of mappings" in notes
    assert "mountPoints is not given as a list of mappings" in notes
    assert result.jobs["tool"]["command"] == ["run", "it"]

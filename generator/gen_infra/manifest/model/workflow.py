"""The model of workflows: steps that run jobs in order, as a Step Functions state machine."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from gen_infra.manifest.model.base import EmailAddress, Key, Model, ParameterKey, TagKey, about, text

# A variable of the state machine: https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html
InputName = Annotated[
    str,
    text(
        "(?!states$)[A-Za-z_][A-Za-z0-9_]{0,63}",
        "1 to 64 letters, digits and '_', not starting with a digit; states is reserved",
        "sample",
    ),
]
InputType = Literal["text", "s3-object"]


# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html (definition size, in characters)
DEFINITION_AT_MOST = 1_048_576
_NAME = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
DefinitionPath = Annotated[
    str,
    text(
        rf"{_NAME}(?:/{_NAME})*[.]json",
        "the path of a .json file below the manifest's folder, of letters, digits, '_', '.' and '-'",
        "workflows/germline.asl.json",
        max_length=128,
    ),
]


class DefinitionFile(Model, frozen=True, kw_only=True):
    """A definition with its text, as `manifest.resolved.yaml` has it; a manifest usually names a file."""

    path: Annotated[DefinitionPath, about("The file that the text is from.")]
    content: Annotated[str, Meta(max_length=DEFINITION_AT_MOST), about("The text: JSON.")]


class WorkflowStep(Model, frozen=True, kw_only=True):
    """One step of a workflow: a job, with the steps that it waits for."""

    job: Annotated[str, about("The key of the job that the step runs.")]
    queue: Annotated[str | None, about("The key of the job's queue in this workflow; default: the job's.")] = None
    after: Annotated[
        tuple[Key, ...], about("The steps that must succeed first; a step without it starts with the workflow.")
    ] = ()
    parameters: Annotated[
        dict[ParameterKey, str],
        about("Values for `Ref::name` in the job's command; `$sample` is the input `sample`, `$$` a dollar sign."),
    ] = {}
    share: Annotated[str | None, about("The share identifier, for a fair-share queue.")] = None
    tags: Annotated[
        dict[TagKey, str],
        Meta(max_length=40),
        about(
            "More tags of the step's job, which win over the job's own; `$sample` is the input `sample`, `$$` a dollar "
            "sign. What a tag cannot hold becomes `-`."
        ),
    ] = {}


class Many(Model, frozen=True, kw_only=True):
    """Running a workflow for each sample of a list."""

    max_concurrency: Annotated[
        int, Meta(ge=1, le=10_000), about("The most samples whose workflows run at the same time.")
    ] = 40
    tolerated_failure_percentage: Annotated[
        int, Meta(ge=0, le=100), about("The share of samples in percent that may fail before the others are stopped.")
    ] = 0
    bucket: Annotated[
        str | None,
        about("The key of the bucket for lists of samples and results; default: the first that the jobs may write."),
    ] = None


class OnFailure(Model, frozen=True, kw_only=True):
    """What happens when a workflow fails, is stopped or times out."""

    notify: Annotated[
        tuple[EmailAddress, ...],
        Meta(min_length=1),
        about("E-mail addresses to notify; each confirms its subscription once."),
    ]


class Workflow(Model, frozen=True, kw_only=True):
    """Steps that run jobs in order, for one sample or for many."""

    input: Annotated[
        dict[InputName, InputType],
        Meta(max_length=100),
        about("The inputs of one run by name: `text`, or `s3-object` for the URI of an object that must exist."),
    ] = {}
    steps: Annotated[
        dict[Key, WorkflowStep], Meta(max_length=200), about("The steps by name; required unless `definition` is set.")
    ] = {}
    # A path is replaced by the file's text when the manifest is read.
    definition: Annotated[
        DefinitionPath | DefinitionFile | None,
        about(
            "A file in Amazon States Language in place of `steps`, with JSONata; `${jobs.isaac}` and "
            "`${queues.highPriority}` in its texts are ARNs."
        ),
    ] = None
    many: Annotated[Many | None, about("Run it for each sample of a list, too; default: no.")] = None
    on_failure: Annotated[OnFailure | None, about("What happens when a run fails; default: nothing.")] = None

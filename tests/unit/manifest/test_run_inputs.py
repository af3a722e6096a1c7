"""Inputs of runs: what a list of samples may look like, and what is refused before anything is started."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen_infra.errors import UsageError
from gen_infra.manifest.model.workflow import Workflow, WorkflowStep
from gen_infra.manifest.run_inputs import S3Object, Sample, check_samples, read_samples, s3_object, write_samples

if TYPE_CHECKING:
    from collections.abc import Mapping

WORKFLOW = Workflow(input={"sample": "text", "reads": "s3-object"}, steps={"align": WorkflowStep(job="align")})
GOOD = {"sample": "NA12878", "reads": "s3://lab/NA12878.fq.gz"}


def problems(*samples: Mapping[str, str]) -> str:
    with pytest.raises(UsageError) as raised:
        check_samples(WORKFLOW, [Sample(f"list.csv:{line}", values) for line, values in enumerate(samples, start=2)])
    return str(raised.value)


def test_the_objects_of_a_list_are_named_once() -> None:
    samples = [Sample("list.csv:2", GOOD), Sample("list.csv:3", {**GOOD, "sample": "NA12879"})]
    assert check_samples(WORKFLOW, samples) == {
        S3Object("lab", "NA12878.fq.gz"): ["list.csv:2", "list.csv:3"],
    }


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"sample": "x"}, "list.csv:2: reads is missing"),
        ({**GOOD, "lane": "1"}, 'list.csv:2: unknown input "lane"'),
        ({**GOOD, "sample": "a\nb"}, "list.csv:2: sample has a line break"),
        ({**GOOD, "sample": " "}, "list.csv:2: sample is empty"),
        ({**GOOD, "reads": "/data/x.fq"}, 'list.csv:2: reads is "/data/x.fq"; use the URI of an object'),
        ({**GOOD, "reads": "s3://lab/"}, 'list.csv:2: reads is "s3://lab/"; use the URI of an object'),
        ({**GOOD, "sample": "x" * 300_000}, "list.csv:2: the inputs have more than 262,144 characters"),
    ],
)
def test_wrong_inputs_are_refused(values: dict[str, str], says: str) -> None:
    assert says in problems(values)


def test_two_samples_of_one_name_are_refused() -> None:
    assert problems(GOOD, GOOD) == 'list.csv:3: sample "NA12878" is also that of list.csv:2'


def test_many_problems_are_counted() -> None:
    wrong = [{"sample": str(number), "reads": f"reads-{number}"} for number in range(30)]
    assert problems(*wrong).endswith("; and 25 more")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "list.csv has no samples"),
        ("sample,reads\n", "list.csv has no samples"),
        ("sample,sample\na,b\n", "list.csv:1: a column is named twice"),
        ("sample,reads\na\n", "list.csv:2: 1 values for 2 columns"),
        ('sample,reads\n"a,b\n', "list.csv:2: unexpected end of data"),
        ('{"sample": 1}', "list.csv:1: should be an object of strings"),
        ('{"sample": "x"', "list.csv:1: Expecting"),
        ('{"sample": ' + "[" * 100_000, "list.csv:1: "),
    ],
)
def test_files_that_are_no_lists_are_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_samples("list.csv", text)
    assert says in str(raised.value)


def test_a_missing_column_is_reported_once() -> None:
    samples = read_samples("list.csv", "sample,read\na,s3://lab/a\nb,s3://lab/b\n,s3://lab/c\n")
    with pytest.raises(UsageError) as raised:
        check_samples(WORKFLOW, samples)
    assert raised.value.message == (
        'list.csv: unknown input "read" in every line; list.csv: reads is missing in every line;'
        " list.csv:4: sample is empty"
    )


def test_csv_and_json_lines_say_the_same() -> None:
    from_csv = read_samples("list.csv", "\ufeffsample,reads\r\nNA12878,s3://lab/NA12878.fq.gz\r\n\r\n")
    from_json = read_samples("list.jsonl", '\n{"sample": "NA12878", "reads": "s3://lab/NA12878.fq.gz"}\n')
    assert [sample.values for sample in from_csv] == [sample.values for sample in from_json] == [GOOD]
    assert from_csv[0].place == "list.csv:2"
    assert from_json[0].place == "list.jsonl:2"


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1))
def test_a_written_list_is_the_list(rows: list[tuple[str, str]]) -> None:
    samples = [Sample("", {"sample": sample, "reads": reads}) for sample, reads in rows]
    written = list(csv.DictReader(io.StringIO(write_samples(WORKFLOW, samples), newline="")))
    assert written == [dict(sample.values) for sample in samples]


@given(TEXTS)
def test_any_key_is_an_objects(key: str) -> None:
    assert s3_object(f"s3://lab/{key}") == S3Object("lab", key)

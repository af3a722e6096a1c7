"""Which attributes of a resource change: parts of a list that have names are compared and shown by their names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gen_infra.explain.differences import differences
from gen_infra.terraform.plan import ResourceChange

ALIGN: dict[str, Any] = {"name": "align", "image": "quay.io/lab/bwa:1", "environment": [{"name": "A", "value": "1"}]}
FETCH: dict[str, Any] = {"name": "fetch", "image": "quay.io/lab/aws:1", "essential": False}
STATS: dict[str, Any] = {"name": "stats", "image": "quay.io/lab/samtools:1"}


def shown(old: list[Any], new: list[Any]) -> list[str]:
    """The differences between two lists of containers, as they are printed."""
    before, after = ({"ecs_properties": json.dumps({"taskProperties": [{"containers": each}]})} for each in (old, new))
    change = ResourceChange("aws_batch_job_definition.j", "aws_batch_job_definition", ("update",), before, after)
    found = list(differences(change))
    assert {difference.attribute.partition(".")[0] for difference in found} <= {"ecs_properties"}
    assert all("[" not in difference.attribute for difference in found)
    return [str(difference).removeprefix("ecs_properties.taskProperties.") for difference in found]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(
            [ALIGN, FETCH], [{**ALIGN, "image": "quay.io/lab/bwa:2"}, FETCH],
            ["containers[align].image: quay.io/lab/bwa:1 -> quay.io/lab/bwa:2"], id="changed",
        ),
        pytest.param(
            [FETCH, {**ALIGN, "image": "a"}], [STATS, FETCH, {**ALIGN, "image": "b"}],
            [f"containers[stats]: nothing -> {json.dumps(STATS)}", "containers[align].image: a -> b"],
            id="added-in-front",
        ),
        pytest.param(
            [ALIGN, FETCH], [ALIGN], [f"containers[fetch]: {json.dumps(FETCH)[:59]}… -> nothing"], id="removed",
        ),
        pytest.param(
            [ALIGN, FETCH],
            [{**ALIGN, "environment": [{"name": "B", "value": "2"}, *ALIGN["environment"]]}, FETCH],
            ['containers[align].environment[B]: nothing -> {"name": "B", "value": "2"}'], id="variable",
        ),
        pytest.param([ALIGN], [{**ALIGN, "image": "a"}], ["containers.image: quay.io/lab/bwa:1 -> a"], id="one"),
    ],
)  # fmt: skip
def test_containers_are_compared_by_their_names(old: list[Any], new: list[Any], expected: list[str]) -> None:
    assert shown(old, new) == expected


def test_another_order_is_a_difference() -> None:
    assert shown([ALIGN, FETCH], [FETCH, ALIGN]) != []

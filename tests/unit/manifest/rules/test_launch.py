"""How instances are launched: what user data, reservations and Elastic Fabric Adapters need."""

from __future__ import annotations

import email
from typing import TYPE_CHECKING, Any

import pytest

from gen_infra.doctor.agent import agent_options
from gen_infra.manifest import load
from gen_infra.manifest.lustre import boot_scripts
from gen_infra.manifest.model.host_script import HostScript
from gen_infra.manifest.reading.loader import ManifestError
from gen_infra.manifest.user_data import user_data
from gen_infra.render.files import render
from tests.unit.manifests import accept, changed, write

if TYPE_CHECKING:
    from pathlib import Path

BASH = "#!/bin/bash\nset -euo pipefail\n"
GROUP = "arn:aws:resource-groups:us-east-1:123456789012:group/reserved"
EFA = {
    "compute__spot__type": "EC2",
    "compute__spot__max_vcpus": 192,
    "compute__spot__efa": True,
    "compute__spot__placement_group": "mpi",
}


def script(path: str, content: str) -> dict[str, str]:
    return {"path": path, "content": content}


def text(size: int) -> dict[str, Any]:
    return {"compute__spot__user_data": [script("a.sh", BASH + "#" * size)]}


def types(*names: str) -> dict[str, Any]:
    return {**EFA, "compute__spot__instance_types": list(names)}


ON_DEMAND = {"compute__spot__type": "EC2"}
RULES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    (
        "user data",
        text(13_500),
        text(15_400),
        "compute.spot.user_data: these scripts are 16,257 bytes of user data, and 15,360 are allowed",
    ),
    (
        "reserved Spot",
        {**ON_DEMAND, "compute__spot__capacity_reservation": GROUP},
        {"compute__spot__capacity_reservation": GROUP},
        "compute.spot.capacity_reservation: is for type EC2 only",
    ),
    (
        "reserved elsewhere",
        {**ON_DEMAND, "compute__spot__capacity_reservation": GROUP},
        {**ON_DEMAND, "compute__spot__capacity_reservation": GROUP.replace("us-east-1", "us-west-2")},
        "compute.spot.capacity_reservation: is in region us-west-2, and this environment is in us-east-1",
    ),
    (
        "EFA",
        types("c7i.48xlarge", "hpc7a"),
        types("c7i.48xlarge", "c7i"),
        "compute.spot.instance_types[1]: c7i.large has no Elastic Fabric Adapter, and efa is true; "
        "use c7i.48xlarge, c7i.metal-48xl",
    ),
    (
        "EFA of another family",
        types("c7i.48xlarge"),
        types("a1"),
        "use a type such as c7i.48xlarge or hpc7a.96xlarge",
    ),
    (
        "EFA without a group",
        types("c7i.48xlarge"),
        {key: value for key, value in types("c7i.48xlarge").items() if not key.endswith("group")},
        "compute.spot.efa: needs placement_group",
    ),
    (
        "on Fargate",
        {"compute__spot": {"type": "FARGATE", "max_vcpus": 4}},
        {"compute__spot": {"type": "FARGATE", "max_vcpus": 4, "capacity_reservation": "none"}},
        "compute.spot.capacity_reservation: capacity_reservation is not supported in a FARGATE compute environment",
    ),
]


@pytest.mark.parametrize(("kept", "broken", "says"), [rule[1:] for rule in RULES], ids=[rule[0] for rule in RULES])
def test_rule(tmp_path: Path, kept: dict[str, Any], broken: dict[str, Any], says: str) -> None:
    accept(tmp_path, **kept)
    with pytest.raises(ManifestError) as refusal:
        load(write(tmp_path, changed(**broken)))
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    "value", ["cr-1", "open", "cr-0123456789abcdef0\n", "arn:aws:iam::123456789012:role/x", GROUP + "/${x}"]
)
def test_nothing_else_is_a_reservation(tmp_path: Path, value: str) -> None:
    with pytest.raises(ManifestError, match="the id of a capacity reservation"):
        accept(tmp_path, **ON_DEMAND, compute__spot__capacity_reservation=value)


def parts(document: str) -> list[tuple[str | None, str]]:
    """What a MIME reader such as cloud-init's finds in it."""
    message = email.message_from_bytes(document.encode())
    assert message.get_content_type() == "multipart/mixed"
    assert not message.defects
    found = []
    for part in message.walk():
        if not part.is_multipart():
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            assert (part.get_content_type(), part.defects) == ("text/x-shellscript", [])
            found.append((part.get_filename(), payload.decode()))
    return found


@pytest.mark.parametrize(
    "content",
    [
        BASH,
        BASH + "printf '%s' \"${x}\" '%{if y}' '{{ z }}' \\\n",
        BASH + "--\n--gen-infra--\nContent-Type: text/cloud-boothook\n\nreboot\n",
        BASH + "\nMIME-Version: 1.0\n\n",
        BASH + "echo größer # ü\n",
        "#!/bin/sh",
    ],
)
def test_each_script_is_one_part_whatever_it_contains(content: str) -> None:
    first, second = HostScript(path="a/x.sh", content=content), HostScript(path="y.sh", content=BASH)
    document = user_data([first, second])
    assert document is not None
    assert parts(document) == [("01-x.sh", content), ("02-y.sh", BASH)]
    # a script that contains the boundary of another document, or of itself without this line
    boundary = document.partition('boundary="')[2].partition('"')[0]
    assert len(boundary) < 40, "scanners take 40 such characters for an AWS secret key"
    copied = HostScript(path="x.sh", content=f"{content}\n--{boundary}\nContent-Type: text/cloud-config\n\na: b\n")
    again = user_data([copied, second])
    assert again is not None
    assert parts(again) == [("01-x.sh", copied.content), ("02-y.sh", BASH)]


def test_without_scripts_there_is_no_user_data(tmp_path: Path) -> None:
    assert user_data(()) is None
    without = accept(tmp_path, compute__spot__allocation_strategy="BEST_FIT")
    assert "user_data" not in render(without)["terraform/main.tf"].decode()


WORK = {"bucket": "lab-work", "prefix": "nf/"}


@pytest.mark.parametrize(
    ("changes", "scripts"),
    [
        ({}, ["agent.sh"]),
        ({"compute__spot__user_data": [script("a.sh", BASH)]}, ["agent.sh", "a.sh"]),
        # a change of user data replaces these
        ({"compute__spot__allocation_strategy": "BEST_FIT"}, []),
        ({"compute__spot__allocation_strategy": "SPOT_PRICE_CAPACITY_OPTIMIZED"}, []),
        (
            {"compute__spot__allocation_strategy": "SPOT_PRICE_CAPACITY_OPTIMIZED", "terraform__aws_provider": 6},
            ["agent.sh"],
        ),
        ({"compute__spot__service_role": "create"}, []),
        # their containers may be privileged
        ({"engines": {"nextflow": {"work": WORK, "fusion": True}}, "image__aws_cli": True}, []),
        ({"engines": {"nextflow": {"work": WORK}}, "image__aws_cli": True}, ["agent.sh"]),
    ],
)
def test_the_agent_refuses_privileged_containers_unless_it_would_stop_jobs(
    tmp_path: Path, changes: dict[str, Any], scripts: list[str]
) -> None:
    manifest = accept(tmp_path, **changes)
    assert [each.path for each in boot_scripts(manifest, manifest.compute["spot"])] == scripts
    main = render(manifest)["terraform/main.tf"].decode()
    assert [line.level for line in agent_options(manifest)] == ([] if "agent.sh" in scripts else ["warning"])
    assert ("ECS_DISABLE_PRIVILEGED=true ECS_AWSVPC_BLOCK_IMDS=true" in main) == ("agent.sh" in scripts)


def test_an_efa_is_on_as_many_cards_as_every_type_has(tmp_path: Path) -> None:
    for names, count in ((["p4d", "p5.48xlarge"], 4), (["p5.48xlarge"], 32), (["c7i.48xlarge", "hpc7a.96xlarge"], 1)):
        gpu = {"image": {"base": "ecs-al2023-gpu" if "p5.48xlarge" in names else "ecs-al2023-x86_64"}}
        main = render(accept(tmp_path, **types(*names), **gpu))["terraform/main.tf"].decode()
        assert f"efa_interfaces = {count}" in " ".join(main.split())


def test_instances_with_an_efa_may_reach_each_other(tmp_path: Path) -> None:
    created = {"network": {"create": {"cidr": "10.42.0.0/16", "nat": "one"}}}
    with_efa, without = (accept(tmp_path, **created, **each) for each in (types("c7i.48xlarge"), {}))
    assert "node_traffic" in render(with_efa)["terraform/main.tf"].decode()
    assert "node_traffic" not in render(without)["terraform/main.tf"].decode()

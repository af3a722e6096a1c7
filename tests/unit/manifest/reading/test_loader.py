"""A manifest with its parents, typed; every problem at once."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema
import msgspec
import pytest
import yaml
from tasks.manifest_page import PAGE_FILE, page

from gen_infra.manifest import load
from gen_infra.manifest.reading.loader import ManifestError
from gen_infra.manifest.reading.secrets import names_a_secret
from gen_infra.manifest.schema import SCHEMA_FILE, text
from gen_infra.render.blocks import resolved
from tests.conftest import ROOT
from tests.unit.manifests import SMALLEST, accept, changed, write

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = json.loads(SCHEMA_FILE.read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
EVERY_MANIFEST = sorted([*ROOT.glob("envs/**/*.yaml"), *ROOT.glob("tests/golden/manifests/*.yaml")])


def problems(path: Path) -> list[str]:
    with pytest.raises(ManifestError) as refusal:
        load(path)
    assert refusal.value.exit_code == 2
    return [str(problem).replace(f"{path.parent}/", "") for problem in refusal.value.problems]


@pytest.mark.parametrize("name", ["prod", "dev", "demo"])
def test_real_manifests_load(envs: Path, name: str) -> None:
    assert load(envs / f"{name}.yaml").name == name


def test_prod_is_the_table_of_the_original(envs: Path) -> None:
    prod = load(envs / "prod.yaml")
    genomics = prod.compute["genomicsEnv"]
    assert (genomics.type, genomics.bid_percentage, genomics.instance_types) == ("SPOT", 50, ("optimal",))
    assert (genomics.min_vcpus, genomics.max_vcpus) == (0, 1024)
    assert {key: queue.priority for key, queue in prod.queues.items()} == {"highPriority": 1000, "lowPriority": 1}
    assert {prod.suffixed(key): (job.vcpus, job.memory_mib, job.attempts) for key, job in prod.jobs.items()} == {
        "isaac-prod": (32, 80000, 3),
        "strelka-prod": (32, 32000, 3),
        "snpeff-prod": (4, 10000, 3),
        "samtoolsStats-prod": (4, 10000, 3),
    }
    assert (prod.image.scratch.size_gib, prod.image.scratch.mount) == (1000, "/docker_scratch")
    assert {job.scratch for job in prod.jobs.values()} == {"/scratch"}


def test_every_problem_at_once_in_file_order(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """\
name: Prod
account: 123456789012
region: us-east-1
state: {bukket: genomics}
network: {lookup: {vpc: {Name: x}, subnets: [a], security_groups: {Name: x}}}
compute:
  genomicsEnv: {type: SPOT, bid_percentage: 150, max_vcpus: many}
queues:
  high:
    priority: 5000
    compute: [a, b, c, d]
    fair_shar: {}
encryption: {key: alias/foo}
jobs:
  isaac: {image: isaac, vcpus: 1.5, memory_mib: 100, environment: {A: 1, B: true}, command: x}
logs: {retention_days: 30}
tags: {}
""",
    )
    assert problems(path) == [
        'test.yaml:1:1: name: "Prod" is not 2 to 24 lower-case letters, digits and hyphens, starting with a letter',
        'test.yaml:2:1: account: 123456789012 is a number here; write "123456789012" in quotes',
        'test.yaml:4:1: state: the key "bucket" is missing',
        'test.yaml:4:9: state.bukket: unknown key "bukket"; did you mean "bucket"?',
        "test.yaml:5:36: network.lookup.subnets: should be a mapping of names to values, not a list",
        "test.yaml:7:29: compute.genomicsEnv.bid_percentage: 150 is not between 1 and 100",
        'test.yaml:7:50: compute.genomicsEnv.max_vcpus: "many" is not a whole number',
        "test.yaml:10:5: queues.high.priority: 5000 is not between 0 and 1000",
        "test.yaml:11:5: queues.high.compute: has 4 entries; at most 3 are allowed",
        'test.yaml:12:5: queues.high.fair_shar: unknown key "fair_shar"; did you mean "fair_share"?',
        "test.yaml:13:14: encryption.key: \"alias/foo\" is not 'create', or the ARN of a KMS key (not of an alias)",
        "test.yaml:15:25: jobs.isaac.vcpus: 1.5 is not a whole number or (on Fargate) 0.25 or 0.5",
        'test.yaml:15:68: jobs.isaac.environment.A: 1 is a number here; write "1" in quotes',
        'test.yaml:15:74: jobs.isaac.environment.B: true is a boolean here; write "true" in quotes',
        "test.yaml:15:84: jobs.isaac.command: should be a list, not text",
        'test.yaml:16:8: logs.retention_days: unknown value "30"; choose from: '
        "365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653",
    ]


def test_on_a_terminal_each_problem_shows_its_line_and_a_caret(tmp_path: Path) -> None:
    path = write(tmp_path, 'name: prod\ntags: {漢: "x", aws:x: y}\njobs: {a: {environment: {DB_PASSWORD: hunter2}}}\n')
    with pytest.raises(ManifestError) as refusal:
        load(path)
    shown = refusal.value.on_terminal()
    assert '     2 | tags: {漢: "x", aws:x: y}\n       |        ^\n' in shown
    assert '     2 | tags: {漢: "x", aws:x: y}\n       |                 ^\n' in shown
    assert "DB_PASSWORD contains a secret" in shown
    assert "hunter2" not in shown
    assert "^" not in refusal.value.message


def test_problems_with_the_text_and_with_the_values_come_together(tmp_path: Path) -> None:
    found = problems(write(tmp_path, changed(name="Prod") | {"account": "1"}))
    assert len(found) == 2
    text = "name: Prod\naccount: 012345678901\nregion: us-east-1\nstate: local\n"
    text += "network: {ids: {subnets: [subnet-0123456789abcdef0], security_groups: [sg-0123456789abcdef0]}}\n"
    text += "compute: {spot: {max_vcpus: 64}}\nqueues: {main: {priority: on, compute: [spot], prio: 1}}\n"
    lines = [line.split(": ")[0] for line in problems(write(tmp_path, text))]
    assert lines == ["test.yaml:1:1", "test.yaml:2:10", "test.yaml:7:27", "test.yaml:7:48"]


@pytest.mark.parametrize(
    "changes",
    [{"tags": {"Owner": "{{user `x`}}"}}, {"name": "{{env}}"}, {"tags": {"{{x}}": "value"}}, {"region": "{{x}}"}],
)
def test_nothing_that_packer_would_evaluate_reaches_it(tmp_path: Path, changes: dict[str, Any]) -> None:
    (found,) = problems(write(tmp_path, changed(**changes)))
    assert "Packer would read {{ as the start of a template" in found


# what is changed in the smallest manifest, and the one problem that this makes
BAD_VALUES: list[tuple[dict[str, Any], str]] = [
    ({"name": None}, '1:1: the key "name" is missing'),
    ({"name": "prod\n"}, 'name: "prod\N{REPLACEMENT CHARACTER}" is not 2 to 24'),
    ({"name": "a" * 25}, "name: "),
    ({"account": "1234"}, 'account: "1234" is not twelve digits'),
    ({"account": "\N{ARABIC-INDIC DIGIT ONE}23456789012"}, "is not twelve digits"),
    ({"region": "us_east_1"}, 'region: "us_east_1" is not an AWS region'),
    ({"state": "remote"}, 'state: "remote" is not local or a mapping of bucket'),
    ({"state": {"bucket": "Bad_Bucket"}}, 'state.bucket: "Bad_Bucket" is not 3 to 63'),
    ({"state": {"bucket": "192.168.1.1"}}, 'state.bucket: "192.168.1.1" is not'),
    ({"state": ["local"]}, "state: a list is not local or a mapping of bucket"),
    ({"tags": {"aws:x": "v"}}, 'tags.aws:x: "aws:x" is not'),
    ({"tags": {"Owner": "checkov;rm"}}, 'tags.Owner: "checkov;rm" is not'),
    ({"tags": {f"k{i}": "v" for i in range(41)}}, "tags: has 41 entries; at most 40 are allowed"),
    ({"network": {"ids": {"subnets": [], "security_groups": ["sg-0123456789abcdef0"]}}}, "subnets: needs at least 1"),
    (
        {"network": {"ids": {"subnets": ["subnet-1"], "security_groups": ["sg-0123456789abcdef0"]}}},
        'subnets[0]: "subnet-1" is not',
    ),
    *[
        ({"network": {"create": {"cidr": "10.42.0.0/16", "nat": "one", **bad}}}, says)
        for bad, says in (
            (
                {"cidr": "10.42.0.0"},
                'network.create.cidr: "10.42.0.0" is not a block of addresses such as 10.42.0.0/16',
            ),
            ({"zones": 1}, "network.create.zones: 1 is not a whole number from 2 to 6 or a list"),
            ({"zones": ["us-east-1a"]}, "network.create.zones: needs at least 2 entries"),
            (
                {"zones": ["us-east-1a", "us-east-1"]},
                'network.create.zones[1]: "us-east-1" is not an availability zone',
            ),
            ({"nat": "two"}, 'network.create.nat: unknown value "two"; choose from: none, one, per-zone'),
            ({"endpoints": "all"}, 'network.create.endpoints: "all" is not true or false or a list'),
            ({"endpoints": ["ecr"]}, 'network.create.endpoints[0]: unknown value "ecr"; choose from: ecr.api, ecr.dkr'),
        )
    ],
    ({"compute": {}}, "compute: needs at least 1"),
    ({"compute__spot__max_vcpus": 0}, "max_vcpus: 0 is not between 1 and 100000"),
    ({"compute__spot__max_vcpus": True}, "max_vcpus: true is not a whole number"),
    ({"compute__spot__type": "FARGAT"}, 'type: unknown value "FARGAT"; choose from: SPOT, EC2'),
    ({"compute__spot__instance_types": ["c7i.8xlarge", "huge one"]}, 'instance_types[1]: "huge one" is not'),
    ({"compute__spot__service_role": "arn:aws:iam::1:role/x"}, 'service_role: "arn:aws:iam::1:role/x" is not'),
    ({"iam": {"path": "genomics"}}, "iam.path: \"genomics\" is not a path that starts and ends with '/'"),
    ({"buckets": {"r": {"name": "abc", "access": "admin"}}}, 'access: unknown value "admin"; choose from: read, write'),
    ({"buckets": {"r": {"name": "abc", "access": "read", "prefix": "a/*/"}}}, 'prefix: "a/*/" is not'),
    ({"buckets": {"r": {"name": "abc", "access": "read", "prefix": "${aws:username}/"}}}, "prefix: "),
    ({"repositories": ["Isaac"]}, 'repositories[0]: "Isaac" is not'),
    ({"image": {"id": "ami-xyz"}}, 'image.id: "ami-xyz" is not an AMI id'),
    ({"image": {"scratch": {"mount": "/a/../etc"}}}, 'mount: "/a/../etc" is not an absolute path'),
    ({"image": {"scratch": {"mount": "/a b"}}}, 'mount: "/a b" is not an absolute path'),
    ({"image": {"scratch": {"size_gib": 70000}}}, "size_gib: 70000 is not between 1 and 65536"),
    ({"jobs": {"1st": {"image": "a/b", "vcpus": 1, "memory_mib": 4}}}, 'jobs.1st: "1st" is not 1 to 40 letters'),
    ({"jobs": {"j": {"image": "a b", "vcpus": 1, "memory_mib": 4}}}, 'image: "a b" is not'),
    (
        {"jobs": {"j": {"image": "a/b", "vcpus": 1, "memory_mib": 4, "attempts": 11}}},
        "attempts: 11 is not between 1 and 10",
    ),
    (
        {"jobs": {"j": {"image": "a/b", "vcpus": 1, "memory_mib": 4, "environment": {"AWS_BATCH_X": "v"}}}},
        '"AWS_BATCH_X" is not',
    ),
    ({"jobs": {"j": {"image": "a/b", "vcpus": 1}}}, 'jobs.j: the key "memory_mib" is missing'),
    ({"surprise": 1}, 'unknown key "surprise"; choose from: '),
]


@pytest.mark.parametrize(("changes", "says"), BAD_VALUES, ids=[case[1][:40] for case in BAD_VALUES])
def test_one_bad_value_is_one_problem(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    found = problems(write(tmp_path, changed(**changes)))
    assert len(found) == 1
    assert says in found[0]


def test_maps_merge_and_lists_replace(tmp_path: Path) -> None:
    write(tmp_path, changed(tags={"Project": "genomics", "Team": "a"}, repositories=["one", "two"]), "base.yaml")
    child = write(tmp_path, "extends: base.yaml\nname: child\ntags: {Team: b}\nrepositories: [three]\n", "child.yaml")
    manifest = load(child)
    assert manifest.name == "child"
    assert manifest.tags == {"Project": "genomics", "Team": "b"}
    assert manifest.repositories == ("three",)


def test_null_removes_an_inherited_value(tmp_path: Path) -> None:
    write(tmp_path, changed(tags={"Project": "genomics", "Team": "a"}), "base.yaml")
    child = write(tmp_path, "extends: base.yaml\ntags: {Team: null}\n", "child.yaml")
    assert load(child).tags == {"Project": "genomics"}
    orphan = write(tmp_path, "extends: base.yaml\ntags: {Owner: null}\n", "orphan.yaml")
    assert problems(orphan) == ["orphan.yaml:2:8: tags.Owner: has no value, and the parent has no such key to remove"]


def test_a_problem_names_the_file_it_is_in(tmp_path: Path) -> None:
    write(tmp_path, changed(compute__spot__min_vcpus=-1), "base.yaml")
    child = write(tmp_path, "extends: base.yaml\nname: X\n", "child.yaml")
    first, second = problems(child)
    assert re.match(r"base\.yaml:\d+:5: compute\.spot\.min_vcpus: -1", first)
    assert second.startswith('child.yaml:2:1: name: "X"')


@pytest.mark.parametrize(
    ("extends", "says"),
    [
        ("missing.yaml", "file not found: "),
        ("a" * 300 + ".yaml", 'cannot read "aaa'),
        ("../base.yaml", "in the same folder"),
        ("/etc/passwd", "in the same folder"),
        ("child.yaml", "in a loop: child.yaml -> child.yaml"),
        ("[base.yaml]", "should be the name of one manifest file"),
        ("3", "should be the name of one manifest file"),
    ],
)
def test_extends_stays_in_the_folder_and_ends(tmp_path: Path, extends: str, says: str) -> None:
    (found,) = problems(write(tmp_path, f"extends: {extends}\nname: child\n", "child.yaml"))
    assert found.startswith("child.yaml:1:1: extends: ")
    assert says in found


def test_a_link_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    write(outside, changed(), "base.yaml")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "base.yaml").symlink_to(outside / "base.yaml")
    (found,) = problems(write(inside, "extends: base.yaml\nname: child\n", "child.yaml"))
    assert "in the same folder" in found


def test_a_long_circle_ends(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path, f"extends: {(number + 1) % 3}.yaml\n", f"{number}.yaml")
    (found,) = problems(tmp_path / "0.yaml")
    assert "in a loop: 0.yaml -> 1.yaml -> 2.yaml -> 0.yaml" in found


def test_resolved_is_itself_a_manifest(envs: Path, tmp_path: Path) -> None:
    for name in ("prod", "dev", "demo"):
        manifest = load(envs / f"{name}.yaml")
        assert load(write(tmp_path, resolved(manifest), f"{name}.yaml")) == manifest


def test_a_manifest_cannot_be_changed(tmp_path: Path) -> None:
    manifest = accept(tmp_path)
    with pytest.raises(AttributeError):
        manifest.name = "other"  # type: ignore[misc]


def test_schema_file_is_current() -> None:
    assert SCHEMA_FILE.read_text() == text(), "run `make schema`"


def test_schema_is_a_schema() -> None:
    VALIDATOR.check_schema(SCHEMA)


@pytest.mark.parametrize("path", EVERY_MANIFEST, ids=lambda path: path.stem)
def test_schema_accepts_every_manifest(path: Path) -> None:
    VALIDATOR.validate(yaml.safe_load(path.read_text()))


def test_schema_explains_every_key() -> None:
    for name, definition in SCHEMA["$defs"].items():
        assert definition["description"], name
        for key, value in definition["properties"].items():
            assert len(value.get("description", "")) > 5, f"{name}.{key} has no description on the model"


def test_schema_examples_are_accepted_by_it() -> None:
    seen = 0
    for definition in SCHEMA["$defs"].values():
        for value in definition["properties"].values():
            for example in value.get("examples", ()):
                seen += 1
                VALIDATOR.evolve(schema={"$defs": SCHEMA["$defs"], **value}).validate(example)
    assert seen > 15


def test_the_page_is_current_and_describes_every_key() -> None:
    text = PAGE_FILE.read_text(encoding="utf-8")
    assert text == page(), "run `make docs`"
    for name, definition in SCHEMA["$defs"].items():
        section = text.split(f"## {name}\n")[1].split("\n## ")[0]
        assert all(f"| `{key}` |" in section for key in definition["properties"]), name


def test_no_key_of_the_model_promises_a_secret() -> None:
    for definition in SCHEMA["$defs"].values():
        assert not any(map(names_a_secret, definition["properties"]))


def test_schema_refuses_what_the_loader_refuses() -> None:
    assert VALIDATOR.is_valid(SMALLEST)
    refused: list[dict[str, Any]] = [
        {"surprise": 1},
        {"account": "1"},
        {"compute__spot__max_vcpus": 0},
        {"name": "prod\n"},
    ]
    for changes in refused:
        assert not VALIDATOR.is_valid(changed(**changes)), changes


def test_the_fast_path_and_the_slow_path_agree(tmp_path: Path) -> None:
    """Whatever msgspec refuses, the walk finds a place for; its own sentence is only a last resort."""
    for changes, _ in BAD_VALUES:
        for line in problems(write(tmp_path, changed(**changes))):
            assert "$" not in line.split(": ", 2)[-1] or "${" in line, line
    assert msgspec.json.encode(resolved(accept(tmp_path)))


def test_a_loop_of_links_is_named_as_it_was_given(tmp_path: Path) -> None:
    loop = tmp_path / "loop.yaml"
    loop.symlink_to(loop)
    assert problems(loop) == ["loop.yaml:1:1: cannot be read: Too many levels of symbolic links"]

"""new, show, schema, import-job and completion, in process."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
import yaml
from click.shell_completion import ShellComplete

from gen_infra.cli import cli
from gen_infra.manifest import load
from gen_infra.manifest.schema import SCHEMA_FILE
from gen_infra.manifest.starters import starters
from gen_infra.render.blocks import resolved
from tests.conftest import ROOT
from tests.unit.cli.test_cli import run
from tests.unit.manifest.reading.test_loader import EVERY_MANIFEST
from tests.unit.manifests import changed, write
from tests.unit.terraform.test_provider import unpacked

if TYPE_CHECKING:
    from pathlib import Path

WHOLE_MANIFESTS = [path for path in EVERY_MANIFEST if path.stem != "base"]  # which is a part only


class TestCommands:
    @pytest.fixture(autouse=True)
    def _here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.chdir(tmp_path)
        self.monkeypatch, self.capsys, self.folder = monkeypatch, capsys, tmp_path

    def run(self, *arguments: str) -> tuple[int, str, str]:
        return run(self.monkeypatch, self.capsys, *arguments)

    @pytest.mark.parametrize("example", starters())
    def test_new_writes_a_manifest_that_is_accepted(self, example: str) -> None:
        code, out, err = self.run("new", "envs/mine.yaml", "--example", example)
        assert (code, out) == (0, "envs/mine.yaml\n")
        assert "next: gen-infra show envs/mine.yaml" in err
        assert ("gen-infra emulator" in err) == (example == "demo"), "only that one needs no account"
        load(self.folder / "envs" / "mine.yaml")

    @pytest.mark.parametrize("example", starters())
    def test_new_names_the_environment_after_the_file(self, example: str) -> None:
        name = "the-longest-that-is-vali"
        self.run("new", f"{name}.yaml", "--example", example)
        assert load(self.folder / f"{name}.yaml").name == name
        own = load(starters()[example])
        text = (self.folder / f"{name}.yaml").read_text()
        assert not re.search(rf"Environment: {own.name}\b|/gen-infra/{own.name}/|role/\w+-{own.name}-", text)

    def test_new_keeps_the_name_of_the_example_where_the_file_has_no_valid_one(self) -> None:
        self.run("new", "My_Lab.yaml")
        assert load(self.folder / "My_Lab.yaml").name == "starter"

    def test_new_has_the_environments_of_the_documentation(self) -> None:
        assert {"demo", "dev", "prod", "starter"} <= set(starters())
        self.run("new", "envs/prod.yaml", "--example", "prod")
        code, _, err = self.run("new", "envs/dev.yaml", "--example", "dev")
        assert code == 0
        assert "also wrote envs/manifest.schema.json" in err  # base.yaml is there already
        assert sorted(file.name for file in (self.folder / "envs").iterdir()) == [
            "base.yaml", "dev.yaml", "manifest.schema.json", "prod.yaml"
        ]  # fmt: skip
        assert load(self.folder / "envs" / "prod.yaml") == load(ROOT / "envs" / "prod.yaml")

    def test_new_leaves_a_parent_of_that_name_as_it_is(self) -> None:
        (self.folder / "base.yaml").write_text("mine")
        code, _, err = self.run("new", "prod.yaml", "--example", "prod")
        assert code == 2
        assert "base.yaml is the name of the example's parent and is taken" in err
        assert (self.folder / "base.yaml").read_text() == "mine"
        assert not (self.folder / "prod.yaml").exists()
        assert self.run("new", "other/base.yaml", "--example", "prod")[0] == 2

    def test_the_first_line_of_a_new_manifest_names_a_schema_that_is_there(self) -> None:
        self.run("new", "envs/mine.yaml")
        first, _, text = (self.folder / "envs" / "mine.yaml").read_text().partition("\n")
        assert first == "# yaml-language-server: $schema=manifest.schema.json"
        assert "yaml-language-server" not in text
        assert (self.folder / "envs" / "manifest.schema.json").read_bytes() == SCHEMA_FILE.read_bytes()

    def test_a_new_manifest_in_the_checkout_names_the_schema_of_the_checkout(self) -> None:
        path = ROOT / "envs" / f"{self.folder.name}-new.yaml"
        try:
            assert self.run("new", str(path))[0] == 0
            first = path.read_text().partition("\n")[0]
        finally:
            path.unlink()
        assert first == (ROOT / "envs" / "demo.yaml").read_text().partition("\n")[0]

    def test_new_does_not_overwrite_another_schema(self) -> None:
        (self.folder / "manifest.schema.json").write_text("{}")
        assert self.run("new", "mine.yaml")[0] == 0
        assert (self.folder / "manifest.schema.json").read_text() == "{}"
        assert "yaml-language-server" not in (self.folder / "mine.yaml").read_text()

    def test_new_takes_the_starter_and_explains_itself_in_comments(self) -> None:
        assert json.loads(self.run("new", "mine.yaml", "--json", "-q")[1])["example"] == "starter"
        assert (self.folder / "mine.yaml").read_text().count("#") > 5

    def test_new_names_the_version_of_the_provider_where_there_is_only_another(self) -> None:
        self.monkeypatch.setenv("GEN_INFRA_PLUGIN_DIR", str(unpacked(self.folder / "mirror", "6.69.1")))
        self.run("new", "mine.yaml")
        assert (self.folder / "mine.yaml").read_text().endswith("\nterraform: { aws_provider: 6 }\n")
        assert load(self.folder / "mine.yaml").provider.major == 6

    def test_new_never_overwrites(self) -> None:
        (self.folder / "mine.yaml").write_text("mine")
        code, out, err = self.run("new", "mine.yaml")
        assert (code, out) == (2, "")
        assert "mine.yaml exists and is left as it is" in err
        (self.folder / "link.yaml").symlink_to("nowhere")
        assert self.run("new", "link.yaml")[0] == 2
        assert (self.folder / "mine.yaml").read_text() == "mine"
        assert not (self.folder / "nowhere").exists()

    def test_new_lists_the_examples(self) -> None:
        code, _, err = self.run("new", "mine.yaml", "--example", "nothing")
        assert code == 2
        assert "starter" in err
        assert not (self.folder / "mine.yaml").exists()
        (self.folder / "file").write_text("")
        code, _, err = self.run("new", "file/mine.yaml")
        assert code == 2
        assert "file is not a folder" in err

    def test_show_prints_where_each_value_comes_from(self) -> None:
        write(self.folder, changed(tags={"Project": "genomics"}, repositories=["one"]), "base.yaml")
        text = "extends: base.yaml\nname: child\ntags: {Team: b}\njobs:\n  j: {image: one, vcpus: 1, memory_mib: 4}\n"
        write(self.folder, text, "child.yaml")
        code, out, err = self.run("show", "child.yaml")
        assert code == 0
        assert "next: gen-infra render child.yaml" in err
        lines = {tuple(line.rpartition("  # ")[::2]) for line in out.splitlines()}
        said = {(key.strip(), origin) for key, origin in lines}
        assert ("name: child", "child.yaml:2") in said
        line = (self.folder / "base.yaml").read_text().splitlines().index("  Project: genomics") + 1
        assert ("Project: genomics", f"base.yaml:{line}") in said
        assert ("Team: b", "child.yaml:3") in said
        assert ("vcpus: 1", "child.yaml:5") in said
        assert ("attempts: 3", "default") in said
        assert ("size_gib: 1000", "default") in said
        # comments apart it is the resolved manifest
        assert yaml.safe_load(out) == yaml.safe_load(json.dumps(resolved(load(self.folder / "child.yaml"))))

    def test_show_json(self) -> None:
        line = write(self.folder, changed(repositories=["one"])).read_text().splitlines().index("    max_vcpus: 64") + 1
        values = {value["key"]: value for value in json.loads(self.run("show", "test.yaml", "--json")[1])["values"]}
        assert values["compute.spot.max_vcpus"] == {
            "key": "compute.spot.max_vcpus", "value": 64, "file": "test.yaml", "line": line,
        }  # fmt: skip
        assert values["repositories"]["value"] == ["one"]
        assert values["logs.retention_days"]["file"] is None

    @pytest.mark.parametrize("path", WHOLE_MANIFESTS, ids=lambda path: path.stem)
    def test_what_show_prints_is_the_manifest(self, path: Path) -> None:
        code, out, _ = self.run("show", str(path))
        assert code == 0
        (self.folder / "shown.yaml").write_text(out)
        assert load(self.folder / "shown.yaml") == load(path)
        assert max(map(len, out.partition("\n# Where")[2].splitlines()), default=0) <= 120

    def test_show_prints_where_each_job_can_run(self) -> None:
        job = {"image": "quay.io/x/y:1", "memory_mib": 8192}
        write(self.folder, changed(
            compute={
                "spot": {"max_vcpus": 64, "instance_types": ["c7i.2xlarge", "c7i.4xlarge", "m7i"]},
                "rest": {"type": "EC2", "max_vcpus": 8, "instance_types": ["r7i.4xlarge", "r7i.8xlarge"]},
                "fargate": {"type": "FARGATE_SPOT", "max_vcpus": 9},
            },
            queues={
                "main": {"priority": 1, "compute": ["spot", "rest"]},
                "small": {"priority": 1, "compute": ["fargate"]},
                "mpi": {"priority": 1, "compute": ["rest"]},
            },
            jobs={
                "align": {**job, "vcpus": 4},
                "report": {**job, "vcpus": 2, "queue": "small"},
                "fold": {**job, "vcpus": 4, "nodes": 2, "queue": "mpi"},
                "large": {
                    **job, "vcpus": 4, "nodes": 2, "queue": "mpi",
                    "container_properties": {"instanceType": "r7i.8xlarge"},
                },
            },
        ))  # fmt: skip
        out = self.run("show", "test.yaml")[1]
        _, where, cost = out.split("\n\n")
        assert where.splitlines() == [
            "# Where each job can run, and how many such jobs fit on an instance:",
            "# align (4 vCPU, 8192 MiB), queue main:",
            "#   spot, SPOT:",
            "#     c7i: 1 on 2xlarge, 3 on 4xlarge",
            "#     m7i: 1 on xlarge, 2 on 2xlarge, 4 on 4xlarge, 8 on 8xlarge, 12 on 12xlarge, 16 on 16xlarge, 24 on",
            "#       24xlarge/metal-24xl, 48 on 48xlarge/metal-48xl",
            "#   rest, EC2:",
            "#     r7i: 4 on 4xlarge, 8 on 8xlarge",
            "# report (2 vCPU, 8192 MiB), queue small:",
            "#   fargate, Fargate Spot, 2 vCPU / 8192 MiB: 4 at once within max_vcpus",
            "# fold (2 nodes of 4 vCPU, 8192 MiB), queue mpi:",
            "#   rest, EC2, each node on an instance of its own:",
            "#     r7i: 4xlarge/8xlarge",
            "# large (2 nodes of 4 vCPU, 8192 MiB), queue mpi:",
            "#   rest, EC2, each node on an instance of its own:",
            "#     r7i: 8xlarge",
        ]
        assert cost.startswith("# Cost in us-east-1, estimated by AWS's list prices in USD, before taxes")
        assert "#   report: " in cost
        answer = json.loads(self.run("show", "test.yaml", "--json")[1])
        assert [each["job"] for each in answer["cost"]["jobs"]] == ["align", "report", "fold", "large"]
        places = answer["places"]
        assert places["fold"] == [{
            "compute_environment": "rest", "type": "EC2",
            "instance_types": {"r7i.4xlarge": 1, "r7i.8xlarge": 1}, "jobs_in_max_vcpus": 1,
        }]  # fmt: skip
        assert places["report"] == [{
            "compute_environment": "fargate", "type": "FARGATE_SPOT", "instance_types": {}, "jobs_in_max_vcpus": 4,
        }]  # fmt: skip
        assert [place["compute_environment"] for place in places["align"]] == ["spot", "rest"]

    def test_show_refuses_a_wrong_manifest(self) -> None:
        write(self.folder, changed(account="1"))
        code, out, err = self.run("show", "test.yaml")
        assert (code, out) == (2, "")
        assert 'account: "1" is not twelve digits' in err

    def test_schema(self) -> None:
        assert self.run("schema", "-q") == (0, SCHEMA_FILE.read_text(), "")

    def test_import_job(self) -> None:
        container = {
            "image": "a/b",
            "vcpus": 1,
            "memory": 10,
            "environment": [{"name": "PASSWORD", "value": "hunter2"}],
        }
        document = {"jobDefinitionName": "tool", "containerProperties": container}
        (self.folder / "job.json").write_text(json.dumps(document))
        code, out, err = self.run("import-job", "job.json")
        assert code == 0
        entry = {"image": "a/b", "vcpus": 1, "memory_mib": 10, "attempts": 1}
        assert yaml.safe_load(out) == {"jobs": {"tool": entry}}
        assert "note: tool: environment: PASSWORD looks like a secret" in err
        assert "hunter2" not in out + err
        answer = json.loads(self.run("import-job", "job.json", "--json")[1])
        assert answer["jobs"] == {"tool": entry}
        assert len(answer["notes"]) == 2

    def test_import_job_prints_what_a_job_needs_of_its_hosts(self) -> None:
        container = {
            "image": "a/b",
            "vcpus": 1,
            "memory": 10,
            "volumes": [{"name": "d", "host": {"sourcePath": "/fsx/data/"}}],
            "mountPoints": [{"sourceVolume": "d", "containerPath": "/data"}],
            "linuxParameters": {"devices": [{"hostPath": "/dev/fuse"}, {"hostPath": "/dev/snd"}]},
        }
        document = {"jobDefinitionName": "tool", "containerProperties": container}
        (self.folder / "job.json").write_text(json.dumps(document))
        code, out, _ = self.run("import-job", "job.json")
        assert code == 0
        assert yaml.safe_load(out)["hosts"] == {"allow_paths": ["/dev/snd", "/fsx/data"]}
        answer = json.loads(self.run("import-job", "job.json", "--json")[1])
        assert answer["hosts"] == {"allow_paths": ["/dev/snd", "/fsx/data"]}

    def test_import_job_names_what_it_refuses(self) -> None:
        container = {"containerProperties": {"image": "a/b", "vcpus": 1, "memory": 10}}
        kept = {"jobDefinitionName": "tool", "revision": 2, "status": "ACTIVE", **container}
        refused = {**kept, "revision": 3, "status": "INACTIVE"}
        (self.folder / "jobs.json").write_text(json.dumps([kept, refused]))
        code, out, err = self.run("import-job", "jobs.json")
        assert (code, list(yaml.safe_load(out)["jobs"])) == (0, ["tool"])
        assert "refused: tool:3: the revision is INACTIVE" in err
        answer = json.loads(self.run("import-job", "jobs.json", "--json")[1])
        assert answer["refused"] == [{"name": "tool:3", "reason": "the revision is INACTIVE"}]
        (self.folder / "jobs.json").write_text(json.dumps(refused))
        code, out, err = self.run("import-job", "jobs.json")
        assert (code, out) == (2, "")
        assert err.startswith("error: tool:3: the revision is INACTIVE")

    @pytest.mark.parametrize("content", [b"\xff", b"{", b"{}"])
    def test_import_job_refuses_what_is_no_job_definition(self, content: bytes) -> None:
        (self.folder / "job.json").write_bytes(content)
        code, out, err = self.run("import-job", "job.json")
        assert (code, out) == (2, "")
        assert err.startswith("error: ")
        assert self.run("import-job", "missing.json")[0] == 2

    def test_completion_supports_only_three_shells(self) -> None:
        code, _, err = self.run("completion", "tcsh")
        assert code == 2
        assert "'bash', 'zsh', 'fish'" in err


@pytest.mark.parametrize(
    ("words", "incomplete", "expected"),
    [
        (["submit", str(ROOT / "envs/prod.yaml")], "s", ["strelka", "snpeff", "samtoolsStats"]),
        (["submit", str(ROOT / "envs/prod.yaml"), "isaac", "--queue"], "", ["highPriority", "lowPriority"]),
        (["jobs", str(ROOT / "envs/prod.yaml"), "--queue"], "low", ["lowPriority"]),
        (["submit", "missing.yaml"], "s", []),
        (["new", "x", "--example"], "star", ["starter"]),
        (["completion"], "", ["bash", "zsh", "fish"]),
        ([], "sub", ["submit"]),
    ],
)
def test_completes(words: list[str], incomplete: str, expected: list[str]) -> None:
    completer = ShellComplete(cli, {}, "gen-infra", "_GEN_INFRA_COMPLETE")
    assert [item.value for item in completer.get_completions(words, incomplete)] == expected


def test_files_are_left_to_the_shell() -> None:
    completer = ShellComplete(cli, {}, "gen-infra", "_GEN_INFRA_COMPLETE")
    (item,) = completer.get_completions(["render"], "envs/p")
    assert (item.type, item.value) == ("file", "envs/p")

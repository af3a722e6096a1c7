"""The command line, in process: usage, help, exit codes, and that README and docs describe all of it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from gen_infra import __version__
from gen_infra.cli import COMMANDS as LISTED
from gen_infra.cli import cli, main
from gen_infra.errors import AnswerIsNoError, AwsError, GenInfraError, MissingError, ToolError, UsageError
from tests.cli import command
from tests.conftest import ROOT
from tests.unit.manifests import SMALLEST, changed, write

if TYPE_CHECKING:
    from pathlib import Path


def _commands(group: click.Group, path: str = "") -> dict[str, click.Command]:
    """Return every command by what is typed for it, groups apart."""
    found: dict[str, click.Command] = {}
    context = click.Context(group)
    for name in group.list_commands(context):
        command_ = group.get_command(context, name)
        assert command_, name
        typed = f"{path}{name}"
        found |= _commands(command_, f"{typed} ") if isinstance(command_, click.Group) else {typed: command_}
    return found


COMMANDS = _commands(cli)
README = (ROOT / "README.md").read_text()
PAGE = (ROOT / "docs" / "commands.md").read_text()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented_and_has_help_with_examples(name: str) -> None:
    assert f"| `gen-infra {name}" in PAGE
    text = CliRunner().invoke(cli, [*name.split(), "--help"]).output
    assert "Examples:" in text
    assert f"gen-infra {name}" in text.split("Examples:")[1]
    for parameter in COMMANDS[name].params:
        assert not isinstance(parameter, click.Option) or parameter.help, f"{name} {parameter.name} has no help"


def test_the_readme_is_short_and_its_links_exist() -> None:
    assert len(README.splitlines()) <= 200
    assert "docs/environment.svg" in README
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(((?!https:)[^)#]*)(#[^)]*)?\)", page.read_text()):
            linked = (page.parent / target[0]) if target[0] else page
            assert linked.exists(), f"{page.name}: {target[0]}"
            if target[1]:
                headings = re.findall(r"^#+ (.*)$", linked.read_text(), re.MULTILINE)
                slugs = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
                assert target[1][1:] in slugs, f"{page.name}: {target[0]}{target[1]}"


def test_the_readme_names_every_page() -> None:
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"](docs/{page.name})" not in README] == []


def test_the_readmes_commands_are_commands() -> None:
    typed = re.findall(r"^\$ gen-infra ([^#\n]+)", README, re.MULTILINE)
    assert len(typed) >= 12
    for line in typed:
        words = line.split()
        command_ = cli.get_command(click.Context(cli), words[0])
        assert command_, line
        command_.make_context(words[0], words[1:], resilient_parsing=False)


_BLOCK = re.compile(r"^ *```(?:console)?\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_TYPED = re.compile(r"^ *(?:\$ )?(?:\w+=\S+ )?(?:\w+=\$\()?gen-infra ([^#\n|>&)]+)", re.MULTILINE)


def test_the_commands_in_the_pages_have_these_arguments_and_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fastqc.sh").touch()  # click looks whether it exists
    pages = [page.read_text() for page in (ROOT / "docs").glob("*.md")]
    typed = [line for page in pages for block in _BLOCK.findall(page) for line in _TYPED.findall(block)]
    assert len(typed) > 30
    for line in typed:
        words = shlex.split(line)
        name = max((each for each in COMMANDS if words[: len(each.split())] == each.split()), default="")
        assert name, line
        COMMANDS[name].make_context(name, words[len(name.split()) :]).close()


def test_every_command_that_prints_data_has_json_and_every_one_is_quiet() -> None:
    for name in COMMANDS:
        options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        assert "--quiet" in options, name
        assert "--json" in options or name in {"emulator", "demo", "schema", "completion"}, name


def test_the_list_of_commands_has_one_whole_line_for_each() -> None:
    lines = CliRunner().invoke(cli, ["--help"], terminal_width=80).output.split("Commands:\n")[1].splitlines()
    for line, (name, entry) in zip(lines, LISTED.items(), strict=False):
        assert line.split(maxsplit=1) == [name, entry.about]


def test_an_unknown_command_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(monkeypatch, capsys, "rendr")
    assert code == 2
    assert "rendr" in err


def test_help_imports_nothing_but_click() -> None:
    script = (
        "import sys; from gen_infra.cli import cli; from click.testing import CliRunner; "
        "assert CliRunner().invoke(cli, ['--help']).exit_code == 0; "
        "print([m for m in ('yaml', 'jinja2', 'msgspec', 'boto3', 'moto', 'python_terraform') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("error", "code"), [(AnswerIsNoError, 1), (UsageError, 2), (MissingError, 3), (ToolError, 4), (AwsError, 4)]
)
def test_each_error_has_its_exit_code_and_it_is_documented(error: type[GenInfraError], code: int) -> None:
    assert error("x").exit_code == code
    assert f"{code} " in PAGE.split("**Exit codes**")[1]
    assert f"{code} " in README.split("documented exit codes")[1]


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["gen-infra", *arguments])
    with pytest.raises(SystemExit) as exit_:
        main()
    captured = capsys.readouterr()
    assert isinstance(exit_.value.code, int)
    return exit_.value.code, captured.out, captured.err


class TestRender:
    @pytest.fixture(autouse=True)
    def _here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.chdir(tmp_path)
        write(tmp_path, SMALLEST)
        self.monkeypatch, self.capsys, self.folder = monkeypatch, capsys, tmp_path

    def run(self, *arguments: str) -> tuple[int, str, str]:
        return run(self.monkeypatch, self.capsys, *arguments)

    def test_it_prints_the_folder_and_the_next_command(self) -> None:
        code, out, err = self.run("render", "test.yaml")
        assert (code, out) == (0, "build/test\n")
        assert "next: gen-infra check test.yaml" in err
        assert (self.folder / "build/test/terraform/main.tf").is_file()
        assert "\x1b" not in err, "colours only on a terminal"

    def test_quiet_prints_the_answer_alone(self) -> None:
        assert self.run("render", "test.yaml", "--quiet") == (0, "build/test\n", "")

    def test_json(self) -> None:
        _, out, _ = self.run("render", "test.yaml", "--json")
        assert "terraform/main.tf" in json.loads(out)["created"]
        _, out, _ = self.run("render", "test.yaml", "--json")
        answer = json.loads(out)
        assert (answer["created"], answer["updated"], answer["pruned"]) == ([], [], [])

    def test_what_a_new_network_costs_is_printed_with_the_result(self) -> None:
        write(self.folder, changed(network={"create": {"cidr": "10.42.0.0/16", "nat": "per-zone"}}))
        _, out, err = self.run("render", "test.yaml")
        assert out == "build/test\n"
        assert "network: 2 NAT gateways, about 73 USD a month before traffic" in err
        write(self.folder, SMALLEST)
        assert "USD" not in self.run("render", "test.yaml")[2]

    def test_check_writes_nothing_and_answers_by_its_exit_code(self) -> None:
        code, out, _ = self.run("render", "test.yaml", "--check")
        assert code == 1
        assert "main.tf" in out
        assert not (self.folder / "build").exists()
        self.run("render", "test.yaml")
        assert self.run("render", "test.yaml", "--check", "-q") == (0, "", "")
        write(self.folder, changed(compute__spot__max_vcpus=65))
        code, out, _ = self.run("render", "test.yaml", "--check")
        assert code == 1
        assert "-  max_vcpus                     = 64\n+  max_vcpus                     = 65\n" in out

    def test_a_changed_file_is_named_and_kept_unless_forced(self) -> None:
        self.run("render", "test.yaml")
        main_tf = self.folder / "build/test/terraform/main.tf"
        main_tf.write_text("# mine\n")
        code, _, err = self.run("render", "test.yaml")
        assert code == 2
        assert "terraform/main.tf" in err
        assert "--force" in err
        assert main_tf.read_text() == "# mine\n"
        assert self.run("render", "test.yaml", "--force")[0] == 0
        assert main_tf.read_text() != "# mine\n"

    def test_only_files_that_the_manifest_no_longer_needs_are_removed(self) -> None:
        write(self.folder, changed(repositories=["isaac"]))
        self.run("render", "test.yaml")
        theirs = self.folder / "build/test/notes.txt"
        theirs.write_text("keep me")
        state = self.folder / "build/test/terraform/terraform.tfstate"
        state.write_text("{}")
        write(self.folder, SMALLEST)
        self.run("render", "test.yaml")
        assert not (self.folder / "build/test/terraform/repositories.tf").exists()
        assert not (self.folder / "build/test/terraform/modules/repository").exists()
        assert (theirs.read_text(), state.read_text()) == ("keep me", "{}")

    def test_an_invalid_manifest_is_exit_2_with_every_problem(self) -> None:
        write(self.folder, changed(account="1", compute__spot__max_vcpus=0))
        code, out, err = self.run("render", "test.yaml")
        assert (code, out) == (2, "")
        assert "error: test.yaml has 2 problems:" in err
        assert '  test.yaml:1:1: account: "1" is not twelve digits' in err

    def test_a_warning_is_printed_and_is_an_error_with_strict(self) -> None:
        write(self.folder, changed(compute__spot__min_vcpus=8))
        warning = "test.yaml:5:5: compute.spot.min_vcpus: 8 vCPUs always run and cost money"
        code, out, err = self.run("render", "test.yaml")
        assert (code, out) == (0, "build/test\n")
        assert f"warning: {warning}" in err
        code, out, err = self.run("render", "test.yaml", "--strict", "--check")
        assert (code, out) == (2, "")
        assert err.startswith(f"error: test.yaml has one warning:\n  {warning}")
        assert "hint: fix it, or leave out --strict" in err

    def test_a_missing_manifest_is_exit_2(self) -> None:
        code, _, err = self.run("render", "missing.yaml")
        assert code == 2
        assert "missing.yaml:1:1: file not found" in err

    def test_an_output_that_cannot_be_written_is_exit_4_and_one_error(self) -> None:
        (self.folder / "file").write_text("in the way")
        code, _, err = self.run("render", "test.yaml", "--out", "file/build")
        assert code == 4
        assert err.startswith("error: ")
        assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rendr"], "error: no such command 'rendr'"),
        (["render"], "error: missing argument 'MANIFEST...'\nhint: run gen-infra render --help\n"),
        (["render", "a.yaml", "--colour"], "error: no such option"),
        (["apply", "test.yaml"], "--yes"),
        (["destroy", "test.yaml"], "--yes"),
        (["submit", "test.yaml", "nothing"], 'unknown job "nothing"; choose from: one'),
        (["submit", "test.yaml", "one", "--queue", "no"], 'unknown queue "no"; choose from: fair, main'),
        (
            ["submit", "test.yaml", "one", "--queue", "fair"],
            "queue fair has a fair-share policy, and --share is missing",
        ),
        (["submit", "test.yaml", "one", "--queue", "main", "--share", "a"], "remove --share"),
        (["submit", "test.yaml", "one", "--env", "SECRET"], "--env takes KEY=VALUE"),
        (["submit", "test.yaml", "one", "--array-size", "1"], "2<=x<=10000"),
        (
            ["submit", "test.yaml", "one", "--timeout", "5"],
            'invalid duration "5": use a number and a unit, such as 30m',
        ),
        (["submit", "test.yaml", "one", "--timeout", "30s"], "invalid timeout of 30 seconds: use 60 to"),
        (["submit", "test.yaml", "one", "--attempts", "11"], "11 is not in the range 1<=x<=10"),
        (["submit", "test.yaml", "one", "--tag", "aws:x=y"], '--tag: invalid tag "aws:x": use 1 to 128 letters'),
        (
            ["submit", "test.yaml", "one", "--queue", "main", "--vcpus", "65"],
            "error: --vcpus: 65 vCPUs are more than max_vcpus 64, the maximum of queue main; the job would never "
            "start\n"
            "hint: ask for less, or use another --queue",
        ),
        (
            ["submit", "test.yaml", "one", "--queue", "main", "--memory", "99999999"],
            "error: --memory: no instance type of queue main",
        ),
        (["submit", "test.yaml", "one", "--gpus", "1"], "error: --gpus: image.base is ecs-al2023-x86_64"),
        (
            ["submit", "test.yaml", "one", "--via-function", "--vcpus", "9"],
            "batchSubmitJob-test does not accept this job: containerOverrides.resourceRequirements[0]: VCPU 9 is "
            "more than 8, which is submit_function.max_vcpus\n"
            "hint: change submit_function in test.yaml and apply it, or leave out --via-function",
        ),
        (["submit", "test.yaml", "one", "--via-function", "--", "sh"], "containerOverrides.command stays as declared"),
        (
            ["submit", "test.yaml", "one", "--via-function", "--array-size", "3"],
            "array jobs need submit_function.max_array_size",
        ),
        (["submit", "test.yaml", "one", "--depends-on", "a:SEQUENTIAL"], "--depends-on a --depends-on SEQUENTIAL"),
        (["jobs", "test.yaml", "--queue", "no"], 'unknown queue "no"'),
        (
            ["apply", "test.yaml", "--drain-timeout", "5"],
            'invalid duration "5": use a number and a unit, such as 30m or 2h',
        ),
        (["jobs", "test.yaml", "--status", "DONE"], "'DONE' is not one of"),
    ],
)
def test_a_usage_error_is_exit_2_and_lists_what_is_allowed(
    arguments: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    fair = {"priority": 1, "compute": ["spot"], "fair_share": {"shares": {"a": 1.0}}}
    main_queue = {"priority": 1, "compute": ["spot"]}
    job = {"image": "quay.io/x/y:1", "vcpus": 1, "memory_mib": 512, "queue": "main"}
    write(
        tmp_path,
        changed(queues={"fair": fair, "main": main_queue}, jobs={"one": job}, submit_function={"max_vcpus": 8}),
    )
    code, out, err = run(monkeypatch, capsys, *arguments)
    assert (code, out) == (2, "")
    assert says in err
    lines = err.splitlines()
    assert [line.partition(": ")[0] for line in lines] in (["error"], ["error", "hint"]), "click's errors too"
    assert "Traceback" not in err


LONG = "a" * 300


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", f"{LONG}.yaml"),
        ("render", f"{LONG}.yaml"),
        ("render", "test.yaml", "--out", LONG),
        ("render", "test.yaml", "--check", "--out", LONG),
        ("new", f"{LONG}.yaml"),
        ("new", f"{LONG}/a.yaml"),
        ("import-job", LONG),
        ("show", "test.yaml", "--diff", LONG),
    ],
)
def test_a_file_name_that_is_too_long_is_exit_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, SMALLEST)
    code, out, err = run(monkeypatch, capsys, *arguments)
    assert (code, out) == (2, "")
    assert "File name too long" in err


def test_a_closed_stdout_is_no_error(tmp_path: Path) -> None:
    manifest = write(tmp_path, SMALLEST)
    with subprocess.Popen(
        command("render", manifest, "--check", "--out", tmp_path / "build"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


def test_version() -> None:
    assert CliRunner().invoke(cli, ["--version"]).output == f"gen-infra, version {__version__}\n"
    assert CliRunner().invoke(cli, ["version", "--quiet"]).output == f"{__version__}\n"
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert re.findall(r"^## (\S+)", changes, re.MULTILINE)[0] == __version__, "the newest release of the changelog"
    assert "version" not in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

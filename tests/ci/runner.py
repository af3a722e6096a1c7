"""Run the shell steps of a composite action as GitHub's runner does: its files, variables, conditions and expressions.

Steps that use other actions are not run; what they are given is recorded. `gh` is a stand-in for GitHub's program: it
keeps comments and issues in a file, and lets the real jq evaluate ``--jq``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")
_COMPARISON = re.compile(r"(\S+) (==|!=) '([^']*)'")
_BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")  # what `shell: bash` is

GH = f"""#!{sys.executable}
import json, os, re, subprocess, sys
from pathlib import Path

assert os.environ["GH_TOKEN"], "gh needs a token"
store = Path(os.environ["GH_STORE"])
command, endpoint, *words = sys.argv[1:]
assert command == "api", sys.argv
method, query, fields, quiet, paginate = "GET", "", {{}}, False, False
while words:
    word = words.pop(0)
    if word in ("--silent", "--paginate"):
        continue
    value = words.pop(0)
    if word == "--method":
        method = value
    elif word == "--jq":
        query = value
    else:
        name, _, text = value.partition("=")
        if word == "--field" and text.startswith("@"):
            text = Path(text[1:]).read_text()
        assert word in ("--field", "--raw-field"), word
        fields[name] = text
kept = json.loads(store.read_text()) if store.exists() else []
path = endpoint.split("?")[0]
if method == "GET":
    found = [each for each in kept if each["list"] == path and each.get("state", "open") == "open"]
    subprocess.run(["jq", "-r", query], input=json.dumps(found), check=True, text=True)
elif method == "POST":
    number = len(kept) + 1
    kept.append({{"list": path, "id": number, "number": number, "user": {{"type": "Bot"}}, "changes": 0, **fields}})
elif method == "PATCH":
    (mine,) = [each for each in kept if str(each["id"]) == path.rsplit("/", 1)[1]]
    mine.update(fields, changes=mine["changes"] + 1)
store.write_text(json.dumps(kept))
"""


@dataclass
class ActionRunner:
    """One job with one action in it.

    Args:
        action: the folder of the action.
        folder: where the runner keeps its files.
        workspace: the folder that the steps run in.
        environ: the environment variables of the job.
        inputs: those that the workflow gives.
        github: the values of the expression context ``github``.
    """

    action: Path
    folder: Path
    workspace: Path
    environ: dict[str, str]
    inputs: Mapping[str, str]
    github: Mapping[str, Any]
    steps: dict[str, Any] = field(default_factory=dict)
    used: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.folder / "bin").mkdir(parents=True, exist_ok=True)
        gh = self.folder / "bin" / "gh"
        gh.write_text(GH)
        gh.chmod(0o755)
        self.environ = {**self.environ, "PATH": f"{gh.parent}{os.pathsep}{self.environ['PATH']}"}
        self._action = yaml.safe_load((self.action / "action.yml").read_text())
        self._defaults = {name: each.get("default", "") for name, each in self._action["inputs"].items()}
        assert not self.inputs.keys() - self._defaults.keys(), "unknown inputs"

    def run(self, *, without: tuple[str, ...] = ()) -> int:
        """Run the steps whose condition holds, until one fails; return its exit code, or 0."""
        for step in self._action["runs"]["steps"]:
            if step.get("id") in without or not self._holds(step.get("if", "")):
                continue
            if "uses" in step:
                given = {name: self._text(str(value)) for name, value in step.get("with", {}).items()}
                self.used[step["uses"].partition("@")[0]] = given
            elif code := self.run_step(step["id"]):
                return code
        return 0

    def run_step(self, name: str) -> int:
        """Run one shell step, and take over its outputs, variables and PATH."""
        (step,) = (each for each in self._action["runs"]["steps"] if each.get("id") == name)
        files = {variable: self.folder / variable for variable in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH")}
        for file in files.values():
            file.write_text("")
        script = self.folder / f"{name}.sh"
        script.write_text(step["run"])
        done = subprocess.run(
            [*_BASH, script],
            capture_output=True,
            check=False,
            cwd=self.workspace / self._text(step.get("working-directory", ".")),
            env={
                **self.environ,
                **{variable: str(file) for variable, file in files.items()},
                "GITHUB_STEP_SUMMARY": str(self.summary),
                "GITHUB_ACTION_PATH": str(self.action),
                "GITHUB_REPOSITORY": self.github["repository"],
                "RUNNER_TEMP": str(self.folder),
                "GH_STORE": str(self.folder / "gh.json"),
                **{variable: self._text(value) for variable, value in step.get("env", {}).items()},
            },
            text=True,
        )
        self.log = done.stdout + done.stderr
        outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
        self.steps[name] = {"outputs": outputs}
        self.environ |= dict(line.split("=", 1) for line in files["GITHUB_ENV"].read_text().splitlines())
        added = [*files["GITHUB_PATH"].read_text().splitlines(), self.environ["PATH"]]
        self.environ["PATH"] = os.pathsep.join(added)
        return done.returncode

    @property
    def summary(self) -> Path:
        """Return the file of the job summary."""
        return self.folder / "summary.md"

    @property
    def kept(self) -> list[dict[str, Any]]:
        """Return the comments and issues that GitHub has."""
        store = self.folder / "gh.json"
        found: list[dict[str, Any]] = json.loads(store.read_text()) if store.exists() else []
        return found

    def output(self, name: str) -> str:
        """Return an output of the action."""
        return self._text(self._action["outputs"][name]["value"])

    def _holds(self, condition: str) -> bool:
        for part in filter(None, condition.split(" && ")):
            compared = _COMPARISON.fullmatch(part)
            assert compared, condition
            if (self._value(compared[1]) == compared[3]) != (compared[2] == "=="):
                return False
        return True

    def _text(self, text: str) -> str:
        """Replace each expression by its value: the first of its alternatives that is not empty."""

        def value(found: re.Match[str]) -> str:
            return next(filter(None, map(self._value, found[1].split(" || "))), "")

        return _EXPRESSION.sub(value, text)

    def _value(self, name: str) -> str:
        found: Any = {
            "inputs": {each: self._text(text) for each, text in self._defaults.items() if each != "token"}
            | {"token": self.github["token"], **self.inputs},
            "steps": self.steps,
            "github": self.github,
        }
        for part in name.split("."):
            found = found.get(part, {})
        return str(found or "")

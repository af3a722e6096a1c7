"""What messages advise is accepted: commands and flags of gen-infra and of the AWS CLI, and keys of a manifest."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
from botocore import xform_name
from botocore.session import get_session

import gen_infra
from gen_infra.cli import COMMANDS, cli
from gen_infra.manifest.schema import SCHEMA_FILE
from gen_infra.why.gather import gather
from gen_infra.why.table import causes
from tests.unit.manifests import accept
from tests.unit.recorded import Account
from tests.unit.why.cases import CASES
from tests.unit.why.facts import Facts
from tests.unit.why.public_cases import PUBLIC_CASES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.model import ServiceModel

PACKAGE = Path(gen_infra.__file__).parent
# What follows "gen-infra" in a sentence about the program itself, beside verbs such as "makes".
PROSE = {"builder", "did", "manifest", "never", "process"}
# Words in backticks that are neither a key nor a value of a manifest, a command or a term of AWS's.
OTHER_WORDS = {
    "check",
    "germline",
    "isaac",
    "main",
    "password",
    "permissions",
    "sample",
    "spot",
    "true",
    "type",
    "username",
    "volumes",
}
# Terms with an underscore or a dot that are no keys, in the advice of `why`.
OTHER_TERMS = {"linux/amd64", "batch.amazonaws.com", "ecs-tasks.amazonaws.com"}
CLI_ONLY = {"configure", "sso", "s3"}  # of the AWS CLI; no service has an API of that name with these calls


@cache
def texts() -> tuple[str, ...]:
    """Return every text of the package but docstrings; what a text is made from is an X."""
    files = [file for file in sorted(PACKAGE.rglob("*.py")) if "_data" not in file.parts]
    return tuple(text for file in files for text in _texts(ast.parse(file.read_text())))


def _texts(tree: ast.Module) -> Iterator[str]:
    left_out = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):  # a docstring
            left_out.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            left_out |= {id(part) for part in ast.walk(node)}
            parts = (part.value if isinstance(part, ast.Constant) else "X" for part in node.values)
            yield "".join(map(str, parts))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in left_out:
            yield node.value


@cache
def schema_words() -> frozenset[str]:
    """Return every key and every word that is allowed as a value."""
    found: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            found.update(value.get("properties", {}))
            found.update(word for word in value.get("enum", []) if isinstance(word, str))
            for each in value.values():
                walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)

    walk(json.loads(SCHEMA_FILE.read_text()))
    return frozenset(found)


def commands_in(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each ``gen-infra COMMAND …`` with the words behind it, to the end of the clause."""
    for found in re.finditer(r"gen-infra ([a-z][a-z-]*)([^;,:|`()\n\"]*)", text):
        yield found[1], found[2].split()


def check_command(name: str, words: list[str]) -> None:
    """Assert that the command has the subcommand, where it needs one, and every option."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    if isinstance(command, click.Group) and words and words[0] in command.commands:
        command = command.commands[words[0]]
    options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    for word in words:
        if re.fullmatch(r"--?[a-z][a-z-]*", word) and word != "--":
            assert word in options, f"gen-infra {name} has no {word}"


def test_every_command_and_flag_that_a_message_names_exists() -> None:
    named = [(name, words) for text in texts() for name, words in commands_in(text)]
    assert {name for name, _ in named if not name.endswith("s")} - set(COMMANDS) <= PROSE
    assert len(named) > 50
    for name, words in named:
        if name in COMMANDS:
            check_command(name, words)


def test_every_key_in_backticks_is_a_manifests() -> None:
    quoted = {match[1] for text in texts() for match in re.finditer(r"`([a-z_]+(?:\.[a-z_]+)*)(?:: [^`]*)?`", text)}
    assert {"image.parameter", "kms_key"} <= quoted
    unknown = {key for key in quoted if not set(key.split(".")) <= schema_words()}
    assert unknown <= OTHER_WORDS


@pytest.fixture(scope="module")
def advice(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Case -> what `why` advises."""
    isaac = {"image": "isaac:1.0", "vcpus": 4, "memory_mib": 8000}
    manifest = accept(tmp_path_factory.mktemp("advice"), jobs={"isaac": isaac}, repositories=["isaac"])
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        account = Account()
        for name, (change, *_) in (CASES | PUBLIC_CASES).items():
            change(facts := Facts())
            account.answers = facts.answers()
            evidence = gather(account.clients, manifest, Path("test.yaml"), facts.job["jobId"])[0]
            found[name] = " ".join(cause.fix for cause in causes(evidence))
    return found


def test_what_why_advises_parses(advice: dict[str, str]) -> None:
    for text in advice.values():
        for name, words in commands_in(text):
            check_command(name, words)


def test_the_keys_that_why_names_are_a_manifests(advice: dict[str, str]) -> None:
    keys = {key for text in advice.values() for key in re.findall(r"(?<![\w./-])[a-z]+(?:_[a-z]+)+(?![\w/])", text)}
    keys |= {
        part
        for text in advice.values()
        for key in re.findall(r"\bimage\.[a-z_.]*[a-z_]", text)
        for part in key.split(".")
    }
    assert {"memory_mib", "repository_credentials", "instance_types"} <= keys
    assert keys - schema_words() - {"aws_batch_compute_environment", "compute_spot"} == set()


@cache
def service(name: str) -> ServiceModel:
    return get_session().get_service_model({"s3api": "s3"}.get(name, name))


def test_every_call_of_the_aws_cli_exists(advice: dict[str, str]) -> None:
    found = set()
    for text in (*texts(), *advice.values()):
        for match in re.finditer(r"\baws ([a-z][a-z0-9-]+) ([a-z]+(?:-[a-z]+)+)([^;`\n]*)", text):
            name, operation, rest = match.groups()
            if name in CLI_ONLY or rest.startswith("-X"):  # a direction that the text is made from
                continue
            model = service(name)
            calls = {xform_name(each, "-"): each for each in model.operation_names}
            assert operation in calls, match[0]
            shape = model.operation_model(calls[operation]).input_shape
            members = {xform_name(member, "-") for member in shape.members} if shape else set()
            for option in re.findall(r"--([a-z][a-z-]+)", rest):
                assert option in members | {"output", "query", "region"}, match[0]
            found.add((name, operation))
    assert ("service-quotas", "request-service-quota-increase") in found

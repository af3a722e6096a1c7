"""What the encoder writes is what the real terraform reads, and is already as ``terraform fmt`` would write it."""

from __future__ import annotations

import json
import os
import random
import subprocess
import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gen_infra.render.hcl import attributes, encode, label

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

STRINGS = 10_000
VALUES = 1_500

# Whatever is live, special or easily confused in HCL, heredocs, Terraform's and Packer's template languages.
FRAGMENTS = [
    *(
        "${",
        "%{",
        "$${",
        "%%{",
        "$",
        "%",
        "$$",
        "%%",
        "{",
        "}",
        "{{",
        "}}",
        "~}",
        "${~",
        '"',
        "'",
        "\\",
        "\\n",
        "\\u",
        "/",
    ),
    *(
        "\n",
        "\r",
        "\r\n",
        "\t",
        "\0",
        "\x08",
        "\x0c",
        "\x1b",
        "\x7f",
        "\x85",
        "\xa0",
        "\xad",
        "\ufeff",
        "\ufffd",
        "\uffff",
    ),
    *(
        "\u2028",
        "\u2029",
        "\u200b",
        "\u200d",
        "\u202e",
        "\u2066",
        "\U000e0001",
        "\U0010ffff",
        "\U0001f600",
        "\U0001f468",
    ),
    *("\u0301", "e\u0323\u0302", "\u1100", "\u1161", "\u3099", "é", "ß", "İ", "Ω", "你", "א", "\u0e33"),
    *(
        "<<EOF",
        "<<-EOT",
        "EOF",
        "EOT",
        "\nEOF\n",
        "#",
        "//",
        "/*",
        "*/",
        "=",
        "=>",
        "${path.module}",
        '${file("/etc/passwd")}',
    ),
    *("true", "null", "for", "if", "checkov:skip=CKV_AWS_1", "a", "B", "0", "_", "-", " ", "  "),
]


def normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)


ASCII = [chr(code) for code in range(128)]
NAMES = ["a", "bb", "a-b", "_", "for", "null", "true", "if", "a b", "é", "x:y", "0", ""]


class Generator:
    """Generate values, the same in every run: all of them go to one terraform."""

    def __init__(self) -> None:
        self.random = random.Random(20261128)  # noqa: S311 - nothing is secret
        categories = {char: unicodedata.category(char) for char in map(chr, range(0x110000))}
        # Unassigned code points have no settled normal form.
        self.characters = [char for char, category in categories.items() if category not in {"Cs", "Cn"}]
        self.combining = [char for char in self.characters if categories[char] in {"Mn", "Mc"}]

    def joined(self, most: int, *sources: list[str]) -> str:
        return "".join(self.random.choice(self.random.choice(sources)) for _ in range(self.random.randint(0, most)))

    def string(self) -> str:
        sources = self.random.choice(
            [[self.characters], [FRAGMENTS], [FRAGMENTS, self.characters], [ASCII], [ASCII, self.combining]]
        )
        return normal(self.joined(12, *sources))

    def number(self) -> int | float:
        whole = self.random.choice([0, 1, -1, 2**53 + 1, self.random.randint(-(2**512) + 1, 2**512 - 1)])
        real = self.random.uniform(-1, 1) * 10.0 ** self.random.randint(-300, 300)
        return self.random.choice(
            [whole, self.random.randint(-1000, 1000), real, 0.1, -0.0, 5e-324, 1.7976931348623157e308]
        )

    def scalar(self) -> Any:
        return self.random.choice([self.string(), self.string(), None, True, False, self.number()])

    def name(self) -> str:
        return self.random.choice([self.random.choice(NAMES), self.string()])

    def value(self, depth: int = 4) -> Any:
        kind = self.random.choice(["scalar", "list", "map"]) if depth else "scalar"
        size = range(self.random.randint(0, 4))
        if kind == "list":
            return [self.value(depth - 1) for _ in size]
        if kind == "map":
            return {self.name(): self.value(depth - 1) for _ in size}
        return self.scalar()


def with_exact_numbers(value: Any) -> Any:
    """Return the same value with numbers that equal neither a bool nor a rounded number."""
    if isinstance(value, list):
        return [with_exact_numbers(item) for item in value]
    if isinstance(value, dict):
        return {name: with_exact_numbers(item) for name, item in value.items()}
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = Decimal(repr(value))
    return ("number", value) if isinstance(value, Decimal) else value


def terraform(folder: Path, *arguments: str) -> str:
    (folder / "cli.tfrc").touch()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "CHECKPOINT_DISABLE": "1",
        "TF_CLI_CONFIG_FILE": str(folder / "cli.tfrc"),
        "TF_IN_AUTOMATION": "1",
    }
    done = subprocess.run(
        ["terraform", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def outputs(folder: Path, expressions: Mapping[str, str]) -> dict[str, Any]:
    """Return what terraform makes of these expressions, proved formatted on the way."""
    blocks = [f'output "{label(name)}" {{\n  value = {text}\n}}\n' for name, text in expressions.items()]
    (folder / "main.tf").write_text("\n".join(blocks), encoding="utf-8", newline="")
    terraform(folder, "fmt", "-check", "-diff")
    terraform(folder, "init", "-input=false", "-no-color")
    terraform(folder, "apply", "-auto-approve", "-input=false", "-no-color")
    found = json.loads(terraform(folder, "output", "-json"), parse_int=Decimal, parse_float=Decimal)
    return {name: with_exact_numbers(output["value"]) for name, output in found.items()}


def changed(sent: list[Any], received: list[Any]) -> list[tuple[Any, Any]]:
    return [pair for pair in zip(sent, received, strict=True) if with_exact_numbers(pair[0]) != pair[1]]


def test_ten_thousand_strings_come_back_equal(tmp_path: Path) -> None:
    generator = Generator()
    sent = [generator.string() for _ in range(STRINGS)]
    alone = {f"alone_{number}": text for number, text in enumerate(sent[:200])}

    received = outputs(tmp_path, {"all": encode(sent, 2), **{name: encode(text, 2) for name, text in alone.items()}})

    assert len(set(sent)) > 0.8 * STRINGS
    assert changed(sent, received.pop("all")) == []
    assert received == alone


def test_nested_values_come_back_equal(tmp_path: Path) -> None:
    generator = Generator()
    sent = [generator.value() for _ in range(VALUES)]

    received = outputs(tmp_path, {"all": encode(sent, 2)})["all"]

    assert changed(sent, received) == []


def test_every_character_comes_back_equal_alone_and_at_the_edges_of_a_text(tmp_path: Path) -> None:
    planes = [chr(code) for code in (*range(0xD800), *range(0xE000, 0x10000), *range(0x10000, 0x110000, 97))]
    sent = [text for char in planes if normal(text := f"{char}a{char}") == text]

    received = outputs(tmp_path, {"all": encode(sent, 2)})["all"]

    assert changed(sent, received) == []


def test_attributes_of_a_block_are_formatted(tmp_path: Path) -> None:
    fields = {
        "name": "isaac-prod",
        "type": "container",
        "command": ["--working_dir", "/scratch"],
        "environment": {"TMPDIR": "/scratch", "a.b": "${x}"},
        "long": ["arn:aws:s3:::aws-batch-genomics-resources/" + "x" * 60, "y"],
        "absent": None,
        "table": [{"type": "VCPU", "value": "32"}, {"type": "MEMORY", "value": "80000"}],
        "propagate_tags": True,
        "n": 1,
    }
    (tmp_path / "main.tf").write_text(f'resource "x" "y" {{\n  {attributes(fields, 2)}\n}}\n', encoding="utf-8")

    terraform(tmp_path, "fmt", "-check", "-diff")

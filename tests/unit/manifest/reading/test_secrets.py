"""Secrets in the places where people put them are refused, without being repeated; honest definitions are accepted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from gen_infra.manifest import load
from gen_infra.manifest.reading.loader import ManifestError
from gen_infra.manifest.reading.reader import read
from gen_infra.manifest.reading.secrets import ADVICE, is_secret, secrets, secrets_in_value
from gen_infra.manifest.reading.text import scanner_switches
from tests.unit.manifest.reading.honest import DEFINITIONS, honest_jobs, honest_texts, published
from tests.unit.manifest.reading.secret_recipes import cases
from tests.unit.manifests import SMALLEST, changed, write

if TYPE_CHECKING:
    from gen_infra.manifest.reading.nodes import Problem

CASES = list(cases())
HEAD = yaml.safe_dump(SMALLEST, sort_keys=False)
JOB = "jobs:\n  a:\n    image: quay.io/lab/a:1\n    vcpus: 1\n    memory_mib: 1024\n"


def refused(folder: Path, job: str) -> ManifestError | None:
    """Return the error of a manifest with such a job; None if it is accepted."""
    try:
        load(write(folder, f"{HEAD}{JOB}{job}\n"))
    except ManifestError as error:
        return error
    return None


def test_the_places_accept_what_is_no_secret(tmp_path: Path) -> None:
    for case in CASES:
        harmless = {"name": "/run/x", "raw properties": "/run/x", "tag": "x"}.get(case.place, "$X")
        error = refused(tmp_path, case.job.replace(case.secret, harmless))
        # AWS Batch accepts neither of these names; properties of ours are refused among the raw ones.
        others = case.kind in ("db-password", "db.password") or case.place == "raw properties"
        assert error is None or (others and ADVICE not in str(error)), (case, error)


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 277
    assert len({case.kind for case in CASES}) >= 200


@pytest.mark.parametrize("place", sorted({case.place for case in CASES}))
def test_every_secret_is_refused_without_being_repeated(tmp_path: Path, place: str) -> None:
    missed = []
    for case in [case for case in CASES if case.place == place]:
        error = refused(tmp_path, case.job)
        if error is None or ADVICE not in str(error):
            missed.append(case.kind)
        else:
            assert case.secret not in f"{error}{error.on_terminal()}", case.kind
    assert missed == []


def test_a_secret_of_a_parent_is_refused_at_its_place(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(f"{JOB}    environment: {{DB_PASS: hunter2}}\n")
    with pytest.raises(ManifestError) as caught:
        load(write(tmp_path, {"extends": "base.yaml", **SMALLEST}))
    (problem,) = caught.value.problems
    assert (Path(problem.file).name, problem.line) == ("base.yaml", 6)
    assert "DB_PASS contains a secret in plain text" in problem.message
    assert "hunter2" not in caught.value.on_terminal()


def test_an_escaped_secret_is_refused(tmp_path: Path) -> None:
    for text in (r"export DB_PASS\x57ORD=hunter2", r"password\x3a hunter2", r"glpat\x2daQ7aQ7aQ7aQ7aQ7aQ7aQ7aQ7"):
        assert ADVICE in str(refused(tmp_path, f'    command: [bash, -c, "{text}"]'))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("DB_PASS", "hunter2"), ("dbPass", "hunter2"), ("REGISTRY_AUTH", "lab:hunter22"), ("MYSQL_PWD", "x"),
        ("PASSWORD", "12345"), ("NCBI_API_KEY", "abc"), ("TOKEN_PROD", "abc"), ("--db-password", "x"),
    ],
)  # fmt: skip
def test_names_of_secrets(key: str, value: str) -> None:
    assert is_secret(key, value)


def test_a_pair_may_refer_to_a_secret(tmp_path: Path) -> None:
    for value in ("Ref::password", "arn:aws:ssm:us-east-1:123456789012:parameter/db", "true", "$PASSWORD"):
        pair = f"    container_properties: {{environment: [{{name: DB_PASSWORD, value: {value}}}]}}"
        assert ADVICE not in str(refused(tmp_path, pair))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("FIRST_PASS", "2"), ("first_pass", "bam2"), ("SECOND_PASS", "true"), ("PASS", "20"), ("QC_PASS", "q30x"),
        ("BYPASS", "hunter2"), ("COMPASS", "north2"), ("MAX_TOKENS", "4096"), ("TOKENIZER", "bert2"), ("PWD", "here"),
        ("PASSWORD_FILE", "x"), ("SECRET_NAME", "x"), ("TOKEN_URL", "x"), ("AUTH_MODE", "iam"), ("db-auth", "IAM"),
        ("DB_PASSWORD", "$DB_PASSWORD"), ("DB_PASSWORD", "${DB_PASSWORD}"), ("TOKEN", "<your token>"),
        ("TOKEN", "Ref::token"), ("PASSWORD", "/run/secrets/db"), ("KMS_KEY", "abc"), ("SORT_KEY", "name"),
        ("DISABLE_TOKEN", "x1"), ("--ask-password", "x1"), ("SECRET_KEY_SECRET", "airflow/web"), ("--secret", "id=aws"),
        ("KEY", "create"), ("PRIMARY_KEY", "id"), ("SAMPLE_KEY", "s1"), ("repository_credentials", "x"),
    ],
)  # fmt: skip
def test_names_of_what_is_no_secret(key: str, value: str) -> None:
    assert not is_secret(key, value)


def test_texts_without_secrets() -> None:
    for text in (
        "bwa mem -t 4 ref.fa reads.fq | samtools sort -o out.bam", "STAR --twopassMode Basic --runThreadN 8",
        "bcftools view -f PASS -i 'FILTER=\"PASS\"' in.vcf", "mysql -u reader -p$PASSWORD genomes",
        "curl -u $USER:$TOKEN x",
        'curl -H "Authorization: Bearer $TOKEN" https://example.com', "docker login -u AWS --password-stdin registry",
        "aws ecr get-login-password | docker login -u AWS --password-stdin x", "PGPASSWORD=$(cat /run/db) psql",
        "export TOKEN=${TOKEN:-}", "password=Ref::password", "the password: see the wiki", "token: one for each run",
        "python -c 'import os; password=os.environ[\"P\"]'", "mkdir -p /data/passwords", "postgres://lab:$PASS@db/x",
        "https://lab:${PASS}@db/x", "http://host:8080/a@b", "s3://bucket/key=a/token=/x",
        "--token-file /x --max-tokens=4096",
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-a1B2c3", "sha256:" + "0123456789abcdef" * 4,
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/lab/pass@sha256:" + "0123456789abcdef" * 4,
        "git clone git@github.com:lab/x.git", "refs/GRCh38/Annotation/Genes/Release110/genes.gtf", "key-value pairs",
    ):  # fmt: skip
        assert [*secrets(text), *secrets_in_value(text)] == [], text


def test_there_are_enough_definitions_without_secrets() -> None:
    sources = re.findall(r"^# https://\S+\n(?=\S)", DEFINITIONS.read_text(), re.MULTILINE)
    assert len(sources) == len(honest_jobs())
    counts = (int(count) for text in published() for count in re.findall(r"^# definitions: (\d+)", text, re.MULTILINE))
    assert len(honest_jobs()) + sum(counts) >= 200


def test_definitions_without_secrets_and_our_own_manifests_pass() -> None:
    root = Path(__file__).parents[4]
    own = [*root.glob("envs/**/*.yaml"), *root.glob("tests/golden/manifests/*.yaml")]
    for text in [*honest_texts(), *(path.read_text() for path in own)]:
        assert [*secrets(text), *secrets_in_value(text), *scanner_switches(text)] == [], text[:60]


def test_jobs_without_secrets_are_accepted_unchanged() -> None:
    problems: list[Problem] = []
    nodes = read(DEFINITIONS, "honest.yaml", problems)
    assert list(map(str, problems)) == []
    assert nodes.entries.keys() == honest_jobs().keys()


SWITCHES = (
    "checkov:skip=CKV_AWS_1:no", "checkov :skip=CKV_AWS_1", "checkov: skip=CKV_AWS_1", "Checkov : Skip",
    "bridgecrew:skip=X",
    "cortex:skip=X", "tfsec:ignore:aws-s3-x", "tfsec :ignore", "trivy:ignore:AVD-AWS-1", "TRIVY: ignore",
    "tflint-ignore: x",
    "kics-scan ignore", "kics-scan ignore-line", "kics-scan  disable=x", "kics-scan: ignore", "terrascan:skip=X",
    "ts:skip=AC_1",
    "snyk:ignore", "deepcode ignore X", "deepcode: ignore", "regula:ignore", "fugue:ignore", "yor:skip", "yor:skipAll",
    "nosec", "#nosec B101", "# NOSEC", "nosemgrep", "nosemgrep: x", "nosem", "NOSONAR", "gitleaks:allow",
    "gitleaks: allow",
    "betterleaks:allow", "ggignore", "trufflehog:ignore", "pragma: allowlist secret", "pragma:whitelist secret",
    "PRAGMA : ALLOWLIST NEXTLINE SECRET", "hadolint ignore=DL3008", "shellcheck disable=SC2086", "lgtm[js/x]",
    "codeql[x]",
    "skipcq: X", "cloudrail:skip", "bearer:disable x", "nohorus", "ignore-check.kube-linter.io/x", "dockle:ignore",
    "# noqa: S603", "# prowler:ignore", "#newtool:skip=X1", "// aqua:suppress", "/* x.y:disable */",
    "# secretlint-disable", "checkov.io/skip1: CKV_AWS_1=x", "cdk_nag", "cfn-guard", "# driftctl:exempt",
    "run; #ts-skip",
)  # fmt: skip


@pytest.mark.parametrize("switch", SWITCHES)
def test_switches_of_scanners_are_refused_in_every_string(tmp_path: Path, switch: str) -> None:
    assert next(scanner_switches(f"see {switch}"), None)
    quoted = yaml.dump(switch, default_style='"', width=1000).strip()
    for text in (
        f"a: {quoted}\n", f"{quoted}: a\n", f"# {switch}\na: b\n", f"tags: {{x: {quoted}}}\n", f"a: [x, {quoted}]\n",
        f"jobs: {{a: {{container_properties: {{user: {quoted}}}}}}}\n", f"a: |\n  x\n  # {switch}\n",
        f'a: "\\x{ord(switch[0]):02x}{quoted[2:]}\n',
    ):  # fmt: skip
        with pytest.raises(ManifestError, match="turns off a security scanner"):
            load(write(tmp_path, text))
    (tmp_path / "base.yaml").write_text(f"tags: {{x: {quoted}}}\n")
    with pytest.raises(ManifestError, match=r"base\.yaml:1:\d+: .*turns off a security scanner"):
        load(write(tmp_path, changed(extends="base.yaml")))


@pytest.mark.parametrize(
    "text",
    [
        "skip: true", "skip the alignment", "ignore duplicates", "--ignore-duplicates", "the analyst ignores reads",
        "nosecond",
        "nanosec", "parts:skip", "sec:ignore me", "allow list of samples", "checkov reads this",
        "trivy scans the image",
        "a SONAR image", "tests:skip", "bearer token", "pragma once", "disable=x", "shellcheck script.sh",
        "opacity: ignore", "# note: skip the first reads", "# skip: two samples", "# --ignore-case", "echo a#b:c",
        "https://x/y:ignored", "# suppress nothing", "# re-run with --no-skip", "noqaline",
    ],
)  # fmt: skip
def test_ordinary_words_are_no_switches(text: str) -> None:
    assert list(scanner_switches(text)) == []

"""Reading the rendered source: what is known of it without terraform."""

from __future__ import annotations

from typing import Any

import pytest

from gen_infra.render.hcl import encode
from gen_infra.terraform.hcl import Conditional, HclError, Opaque, parse
from gen_infra.terraform.source import UNKNOWN, Unknown, read_source


def value(expression: str, more: str = "") -> Any:
    text = f'{more}\nresource "a" "b" {{\n  x = {expression}\n}}\n'
    (resource,) = (each for each in read_source({"main.tf": text.encode()}).resources if each.kind == "a")
    return resource.values["x"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1", 1),
        ("-1", -1),
        ("0.5", 0.5),
        ("true", True),
        ("null", None),
        (r'"a\"\u00e9\n$${b}%%{c}"', 'a"é\n${b}%{c}'),
        ('["a", 1, [],]', ["a", 1, []]),
        ('{ a = 1, "b c" : [2] }', {"a": 1, "b c": [2]}),
        ('jsonencode({ a = "${1}" })', {"a": "1"}),
        ('concat(["a"], ["b"])', ["a", "b"]),
        ("merge({ a = 1 }, { a = 2 })", {"a": 2}),
        ('true ? "yes" : "no"', "yes"),
        ('null == null ? "yes" : "no"', "yes"),
        ('"a" != "a" ? "yes" : "no"', "no"),
        ('"a" == "a"', True),
        ('!strcontains("abc", "b") ? "yes" : "no"', "no"),
        ("length([1, 2]) > 1 ? [3] : []", [3]),
        ("length({}) > 0 ? [3] : []", []),
        ('[for arn in ["a", "b/*"] : arn if !strcontains(arn, "/*")]', ["a"]),
        ('setunion(["a"], ["b"])', ["a", "b"]),
        ('values({ a = 1, b = "c" })', [1, "c"]),
        ('"${"inner } brace"}"', "inner } brace"),
        ('[for x in ["a", "b"] : "${x}/*"]', ["a/*", "b/*"]),
        ('[for x in [{ a = "b" }, {}] : x.a if x.a != null]', ["b"]),
        ('{ for k, v in { a = { b = 1 }, c = { b = 2 } } : "x/${k}" => v.b }', {"x/a": 1, "x/c": 2}),
        ('[for index, x in ["a"] : "${index}${x}"]', ["0a"]),
        ('[for arn in ["a", "b*"] : endswith(arn, "*") ? arn : "${arn}:*"]', ["a:*", "b*"]),
    ],
)
def test_what_is_written_out_is_known(expression: str, expected: object) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "aws_kms_key.this.arn",
        '"${aws_kms_key.this.arn}/x"',
        "1 + 1",
        "1 == 1 && 2 == 2",
        '"a" > 1',
        '!("a" == "b")',
        "length([for x in var.missing : x]) > 0",
        'strcontains(["a"], "a")',
        "var.missing == null ? 1 : 2",
        "[for x in var.missing : x]",
        "{ for k, v in { a = 1 } : v => k... }",
        'file("x")',
        "var.missing",
        "local.missing",
        "a.b[*].c",
        "<<-EOT\n  text\n  EOT\n",
    ],
)  # fmt: skip
def test_what_is_not_is_unknown(expression: str) -> None:
    assert value(expression) is UNKNOWN


def test_what_may_be_a_member_of_a_for_expression_is_unknown() -> None:
    assert value('[for x in ["a", var.missing] : "${x}!"]') == ["a!", UNKNOWN]
    assert value('[for x in ["a"] : x if var.missing]') == [UNKNOWN]
    assert value('{ for x in ["a"] : x => x if var.missing }') == {UNKNOWN: UNKNOWN}


def test_each_instance_of_a_policy_document_has_its_own_values() -> None:
    text = """
        locals {
          all  = { one = {}, many = { bucket = "b" } }
          many = { for key, each_one in local.all : key => each_one if each_one.bucket != null }
        }
        data "aws_iam_policy_document" "samples" {
          for_each = local.many
          statement {
            resources = ["arn:aws:s3:::${each.value.bucket}/*"]
          }
        }
        resource "aws_iam_role_policy" "samples" {
          for_each = local.many
          policy   = data.aws_iam_policy_document.samples[each.key].json
        }"""
    found = {each.address: each.values for each in read_source({"main.tf": text.encode()}).resources}
    policy = found['aws_iam_role_policy.samples["many"]']["policy"]
    assert policy["Statement"][0]["Resource"] == ["arn:aws:s3:::b/*"]
    assert 'aws_iam_role_policy.samples["one"]' not in found


def test_locals_are_followed_and_circles_end() -> None:
    declared = "locals {\n  a = local.b.c\n  b = { c = [1] }\n  d = local.d\n}"

    assert value("local.a", declared) == [1]
    assert value("local.d", declared) is UNKNOWN


def test_a_module_is_evaluated_with_its_variables() -> None:
    source = read_source(
        {
            "main.tf": b'module "m" {\n  source = "./modules/m"\n  name = "n"\n}\n',
            "modules/m/main.tf": b'variable "name" {}\nvariable "size" {\n  default = 3\n}\n'
            b'resource "a" "b" {\n  for_each = toset(["x"])\n  name = "${var.name}-${each.key}"\n  size = var.size\n'
            b'  dynamic "disk" {\n    for_each = { d = 1 }\n    content {\n      n = disk.value\n    }\n  }\n}\n',
        }
    )
    resource = source.resources[-1]

    assert (resource.address, resource.file, resource.line) == ('module.m.a.b["x"]', "modules/m/main.tf", 5)
    assert resource.values == {"name": "n-x", "size": 3, "disk": [{"n": 1}]}


def test_a_policy_document_is_the_policy_that_it_makes() -> None:
    document = (
        'data "aws_iam_policy_document" "d" {\n  statement {\n    actions = ["s3:GetObject"]\n    resources = ["*"]\n'
        '    principals {\n      type = "AWS"\n      identifiers = ["*"]\n    }\n    condition {\n'
        '      test = "StringEquals"\n      variable = "aws:SourceAccount"\n      values = ["1"]\n    }\n  }\n}\n'
    )

    assert value("data.aws_iam_policy_document.d.json", document)["Statement"] == [
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject"],
            "Resource": ["*"],
            "Principal": {"AWS": ["*"]},
            "Condition": {"StringEquals": {"aws:SourceAccount": ["1"]}},
        }
    ]


@pytest.mark.parametrize("text", ["a {", 'a = "b', "a = [1", "= 1", "a = {\n  b\n}", 'a = "${b"', "a = §", "[" * 5000])
def test_what_cannot_be_read_is_reported(text: str) -> None:
    with pytest.raises(HclError):
        parse(text)
    assert read_source({"main.tf": text.encode()}).errors[0].startswith("main.tf: ")


@pytest.mark.parametrize("text", ["${x} %{y}", 'tab\t"quoted"\\', "line\nbreak", "ünï©ode ", "$${", "a}b{"])
def test_every_string_that_is_rendered_comes_back(text: str) -> None:
    assert value(encode(text)) == text


def test_a_dynamic_block_without_content_makes_nothing() -> None:
    (found,) = read_source(
        {"main.tf": b'resource "a" "b" {\n  dynamic "disk" {\n    for_each = []\n  }\n}\n'}
    ).resources
    assert found.values == {}


def test_operators_keep_their_text() -> None:
    assert parse("a = b < 2 ? 1 : 2\n").attributes["a"] == Conditional(Opaque("b < 2"), 1, 2)


def test_unknown_is_something() -> None:
    assert isinstance(UNKNOWN, Unknown)
    assert UNKNOWN


def test_every_block_is_declared_for_any_for_each() -> None:
    files = {
        "main.tf": b"""resource "aws_sqs_queue" "q" {
  for_each = toset([])
  name     = each.value
}

data "aws_region" "r" {}

module "m" {
  source = "./modules/m"
}
""",
        "modules/m/main.tf": b"""# a comment
resource "aws_kms_key" "k" {
  description = "{"
}
""",
    }
    source = read_source(files)
    assert source.declared == {"aws_sqs_queue.q", "module.m.aws_kms_key.k"}
    assert source.places == {
        "data.aws_region.r": ("main.tf", (6, 6)),
        "module.m": ("main.tf", (8, 10)),
        "module.m.aws_kms_key.k": ("modules/m/main.tf", (2, 4)),
    }


def test_references_are_followed_only_if_computed_attributes_are_given() -> None:
    files = {
        "main.tf": b'module "m" {\n  source = "./m"\n}\n'
        b'resource "role" "r" {\n  for_each = { x = "X" }\n  name = "role-${each.value}"\n'
        b'  self = role.r["x"].self\n}\n'
        b'resource "a" "b" {\n  role = role.r["x"].name\n  lost = role.r["y"].name\n  key = module.m.key\n}\n',
        "m/main.tf": b'resource "key" "k" {\n  name = "k"\n}\noutput "key" {\n  value = key.k.arn\n}\n',
    }

    def values(resource: str, **given: Any) -> Any:
        return next(each.values for each in read_source(files, **given).resources if each.kind == resource)

    assert values("a") == {"role": UNKNOWN, "lost": UNKNOWN, "key": UNKNOWN}
    assert values("a", computed=lambda attribute: f"<{attribute}>") == {
        "role": "role-X",
        "lost": UNKNOWN,
        "key": "<module.m.key.k.arn>",
    }
    assert values("role", computed=lambda _: None) == {"name": "role-X", "self": UNKNOWN}

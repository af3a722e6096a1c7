"""Nothing leaves a template that is neither its own text nor encoded."""

from __future__ import annotations

import pytest
from jinja2 import TemplateAssertionError, TemplateNotFound, UndefinedError

from gen_infra.render.templates import UnencodedValueError, packer_environment, terraform_environment

EVIL = '"\n${file("/etc/passwd")}'
ENCODED = r'"\"\n\u0024{file(\"/etc/passwd\")}"'


def rendered(source: str) -> str:
    return terraform_environment().from_string(source).render(evil=EVIL)


@pytest.mark.parametrize(
    "source",
    [
        "a = {{ evil | hcl }}",
        "{% macro attribute(value) %}a = {{ value | hcl }}{% endmacro %}{{ attribute(evil) }}",
        "{% set line %}a = {{ evil | hcl }}{% endset %}{{ line }}",
        "{% block line %}a = {{ evil | hcl }}{% endblock %}",
        "{{ {'a': evil} | attributes }}",
        "{{ 'a' | label }} = {{ evil | hcl }}",
        "{% for value in [evil] %}a = {{ value | hcl }}{% endfor %}",
    ],
)
def test_encoded_values_come_through(source: str) -> None:
    assert rendered(source) == f"a = {ENCODED}"


@pytest.mark.parametrize(
    "source",
    [
        "{{ evil }}",
        "{{ 'constant' }}",
        "{{ 5 }}",
        "{{ none }}",
        "{{ evil | safe }}",
        "{{ evil | hcl ~ evil }}",
        "{{ evil | hcl ~ evil | hcl }}",
        "{{ (evil | hcl) + (evil | hcl) }}",
        "{{ [evil | hcl, evil | hcl] | join(', ') }}",
        "{{ evil | hcl | upper }}",
        "{{ evil | hcl | indent(2) }}",
        "{{ '%s' | format(evil | hcl) }}",
        "{% macro echo(value) %}{{ value }}{% endmacro %}{{ echo(evil) }}",
        "{% set line %}{{ evil }}{% endset %}",
    ],
)
def test_unencoded_values_do_not(source: str) -> None:
    with pytest.raises(UnencodedValueError, match="was not encoded"):
        rendered(source)


@pytest.mark.parametrize(
    "source",
    [
        "{% filter upper %}{{ evil | hcl }}{% endfilter %}",
        "{% call evil.upper() %}{% endcall %}",
        "{{ evil | nothing }}",
    ],
)
def test_tags_with_unchecked_output_do_not_compile(source: str) -> None:
    with pytest.raises(TemplateAssertionError):
        rendered(source)


@pytest.mark.parametrize(
    "source", ["{{ nothing }}", "{{ nothing | hcl }}", "{{ [nothing] | hcl }}", "{{ nothing.more }}"]
)
def test_an_unknown_name_is_named(source: str) -> None:
    with pytest.raises(UndefinedError, match="'nothing' is undefined"):
        rendered(source)


def test_references_can_be_put_inside_values() -> None:
    assert rendered("{{ ['module.network.id' | ref, 'x'] | hcl }}") == '[module.network.id, "x"]'


def test_tags_leave_no_lines_behind() -> None:
    assert rendered("a\n  {% if true %}\n  b\n  {% endif %}\nc\n") == "a\n  b\nc\n"


def test_templates_come_from_the_data_folder() -> None:
    assert terraform_environment().get_template("main.tf.j2").name == "main.tf.j2"
    with pytest.raises(TemplateNotFound):
        terraform_environment().get_template("../envs/prod.yaml")


@pytest.mark.parametrize(
    "source", ["{{ value | hcl }}", "{{ {'a': [value]} | hcl }}", "{{ {'a': value} | attributes }}"]
)
def test_packer_templates_refuse_what_packer_would_evaluate(source: str) -> None:
    template = packer_environment().from_string(source)

    with pytest.raises(ValueError, match="evaluated by Packer"):
        template.render(value="a{{ env `HOME` }}")
    assert '"a{ b }"' in template.render(value="a{ b }")
    assert r'"\u0024{x}"' in template.render(value="${x}")

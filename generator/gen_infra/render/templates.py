"""Make the Jinja2 environments: templates decide the structure, and output only values from the HCL encoder.

Filters:
    ``value | hcl(indent)``           an HCL expression; ``indent`` is the indentation of the line that it starts on
    ``mapping | attributes(indent)``  aligned ``name = value`` lines of a block's body, without those that are None
    ``name | label``                  a checked identifier, for block labels (between quotes) and inside references
    ``text | ref``                    a checked reference, to output or to put inside a value

The result of a macro, a ``{% set %}`` block or ``self.block()`` was output already, and may be output again. Anything
else, such as a raw value, a constant or ``a | hcl ~ b``, raises :class:`UnencodedValueError`.

Compiling the templates takes longer than rendering an environment, so they are compiled when the package is built
(``tasks/compile_templates.py``). Compiled templates are used only while :func:`sources_digest` stays the same.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from jinja2 import (
    BaseLoader,
    Environment,
    FileSystemLoader,
    ModuleLoader,
    StrictUndefined,
    Undefined,
    compiler,
    nodes,
    pass_context,
)

from gen_infra.render.hcl import Hcl, attributes, encode, label, reference
from gen_infra.resources import data_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jinja2.runtime import Context


COMPILED = Path(__file__).parents[1] / "_data" / "compiled"
DIGEST = "sources.sha256"  # in that folder: the digest of the sources of the compiled templates


class UnencodedValueError(TypeError):
    """A template tried to output a value that was not encoded: a bug in that template."""


@cache
def terraform_environment() -> Environment:
    """Make the environment of the ``*.tf`` templates in the ``templates`` data folder."""
    return make_environment(template_loader(COMPILED), encode, attributes)


@cache
def packer_environment() -> Environment:
    """Make the environment of the ``*.pkr.hcl`` templates, which also refuses ``{{``, because Packer evaluates it."""
    return make_environment(
        template_loader(COMPILED), _without_packer_template(encode), _without_packer_template(attributes)
    )


class _Environment(Environment):
    """Returns the output of macros and blocks as Hcl, and refuses the two tags whose output skips ``finalize``."""

    @staticmethod
    def concat(parts: Iterable[str]) -> Hcl:
        return Hcl("".join(parts))


class _CodeGenerator(compiler.CodeGenerator):
    def visit_FilterBlock(self, node: nodes.FilterBlock, frame: compiler.Frame) -> NoReturn:  # noqa: ARG002, N802 # Jinja's names
        self.fail("{% filter %} would change text that is already encoded", node.lineno)

    def visit_CallBlock(self, node: nodes.CallBlock, frame: compiler.Frame) -> NoReturn:  # noqa: ARG002, N802
        self.fail("{% call %} would output an unencoded value", node.lineno)


_Environment.code_generator_class = _CodeGenerator


def template_loader(compiled: Path) -> BaseLoader:
    """Load the compiled templates from a folder if they were compiled from the current sources, else the sources."""
    digest = compiled / DIGEST
    if digest.is_file() and digest.read_text() == sources_digest():
        return ModuleLoader(compiled)
    return FileSystemLoader(data_dir("templates"))


def sources_digest() -> str:
    """Return a digest of what compiled templates depend on: the templates, this module and Jinja2's compiler."""
    files = [*sorted(data_dir("templates").rglob("*.j2")), Path(__file__), Path(compiler.__file__)]
    return sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def make_environment(
    loader: BaseLoader, encode_value: Callable[..., Hcl] = encode, encode_fields: Callable[..., Hcl] = attributes
) -> Environment:
    """Make an environment that outputs only encoded values."""
    environment = _Environment(
        loader=loader,
        undefined=StrictUndefined,
        finalize=_only_hcl,
        autoescape=False,  # escaping is for HTML; finalize refuses everything that is not Hcl
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.filters |= {"hcl": encode_value, "attributes": encode_fields, "label": label, "ref": reference}
    return environment


@pass_context  # which also keeps Jinja from folding constants past this function
def _only_hcl(context: Context, value: object) -> Hcl:
    if type(value) is Hcl:
        return value
    if isinstance(value, Undefined):
        str(value)  # StrictUndefined raises an error with the name
    raise UnencodedValueError(f"{context.name}: {value!r:.80} was not encoded; write {{{{ … | hcl }}}}")


def _without_packer_template(function: Callable[..., Hcl]) -> Callable[..., Hcl]:
    def checked(value: object, indent: int = 0) -> Hcl:
        text = function(value, indent)
        if "{{" in text:
            raise ValueError(f"{{{{ would be evaluated by Packer: {text:.80}")
        return text

    return checked

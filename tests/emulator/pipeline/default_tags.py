"""Give resources the tags of a provider's ``default_tags``, where one provider serves many environments.

The real provider adds these to every resource that can have tags; ``tags`` of a resource wins.
https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/resource-tagging
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tests.provider_schema import provider_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

_RESOURCE = re.compile(r'^resource "(?P<type>aws_\w+)" "[\w-]+" \{\n(?P<body>.*?)^\}$', re.MULTILINE | re.DOTALL)
# The value ends before the next argument, which has the same indentation.
_TAGS = re.compile(r"^  tags +=(?P<value>.*(?:\n {3}.*)*(?:\n  [\])}].*)?)$", re.MULTILINE)


def with_default_tags(text: str, tags: Mapping[str, str]) -> str:
    """Return a formatted Terraform file with these tags on each resource that can have tags."""
    default = json.dumps(tags)

    def tagged(resource: re.Match[str]) -> str:
        if "tags_all" not in provider_schema()["resource"][resource["type"]]["attributes"]:
            return resource[0]
        body, count = _TAGS.subn(lambda own: f"  tags = merge({default},{own['value']})", resource["body"])
        body += "" if count else f"  tags = {default}\n"
        return resource[0].partition("\n")[0] + "\n" + body + "}"

    return _RESOURCE.sub(tagged, text)

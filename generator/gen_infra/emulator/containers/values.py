"""Fetch the secrets of a container, as its execution role.

https://docs.aws.amazon.com/batch/latest/userguide/specifying-sensitive-data.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

_SECRET = re.compile(r"(arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:[^:]+)(?::([^:]*):([^:]*):([^:]*))?")
_PARAMETER = re.compile(r"arn:[^:]*:ssm:[^:]*:[^:]*:parameter(/.+)")


class NoSecretError(Exception):
    """A secret cannot be fetched; the message is ECS's reason."""


def fetch_secrets(
    secrets: Sequence[Mapping[str, str]], credentials: Mapping[str, str], *, endpoint: str, region: str
) -> dict[str, str]:
    """Return the values of a container's ``secrets``, by the names of their environment variables.

    Args:
        secrets: pairs of ``name`` and ``valueFrom``.
        credentials: the environment variables of a session of the execution role.
        endpoint: the emulator's.
        region: the region of secrets that are given without an ARN.

    Raises:
        NoSecretError: one cannot be fetched, or does not have the key.
    """
    if not secrets:
        return {}
    import boto3

    session: Any = boto3.Session(
        credentials["AWS_ACCESS_KEY_ID"],
        credentials["AWS_SECRET_ACCESS_KEY"],
        credentials["AWS_SESSION_TOKEN"],
        region_name=region,
    )
    found = {}
    for each in secrets:
        source = each["valueFrom"]
        try:
            found[each["name"]] = _fetch(lambda name: session.client(name, endpoint_url=endpoint), source)
        except (ClientError, BotoCoreError, KeyError, ValueError) as error:
            kind = "asm" if _SECRET.fullmatch(source) else "ssm"
            raise NoSecretError(
                "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval "
                f"failed: unable to retrieve secret from {kind}: failed to fetch {source}: {error}"
            ) from error
    return found


def _fetch(client: Any, source: str) -> str:
    secret = _SECRET.fullmatch(source)
    if secret is None:
        parameter = _PARAMETER.fullmatch(source)
        name = parameter[1] if parameter else source
        # In the plural, as ECS does: its roles have ssm:GetParameters alone.
        answer = client("ssm").get_parameters(Names=[name], WithDecryption=True)
        if answer["InvalidParameters"]:
            raise ValueError(f"invalid ssm parameters: {name}")
        value: str = answer["Parameters"][0]["Value"]
        return value
    arn, key, stage, version = secret.groups()
    selected = {"VersionStage": stage, "VersionId": version}
    request = {"SecretId": arn} | {name: given for name, given in selected.items() if given}
    text: str = client("secretsmanager").get_secret_value(**request)["SecretString"]
    return str(json.loads(text)[key]) if key else text

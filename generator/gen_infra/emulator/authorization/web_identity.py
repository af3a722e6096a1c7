"""Read the token of an OIDC provider, with which GitHub Actions and GitLab CI assume a role without an access key.

The provider's signature is not verified, because its keys are on the internet: a test writes its own tokens. Issuer,
audience and expiry are. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from gen_infra.emulator.authorization.callers import backend
from gen_infra.emulator.validation.errors import ErrorAnswer
from gen_infra.iam import Principal, PrincipalKind

ACTION = "AssumeRoleWithWebIdentity"


class WebIdentity(NamedTuple):
    """The caller that a token stands for.

    Args:
        principal: the provider, as trust policies name it.
        context: the token's claims as condition keys, such as ``token.actions.githubusercontent.com:sub``.
    """

    principal: Principal
    context: Mapping[str, tuple[str, ...]]


def web_identity(token: str, account: str) -> WebIdentity | ErrorAnswer:
    """Return who a token is from, or AWS's error for it."""
    try:
        claims: Mapping[str, Any] = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        issuer, audience, expiry = str(claims["iss"]), claims["aud"], float(claims["exp"])
    except (IndexError, KeyError, TypeError, ValueError):
        return ErrorAnswer("InvalidIdentityToken", "The ID Token provided is not a valid JWT.")
    host = issuer.removeprefix("https://")
    providers = {each.url: each for each in backend(account, "aws").open_id_providers.values()}
    if host not in providers:
        return ErrorAnswer("InvalidIdentityToken", f"No OpenIDConnect provider found in your account for {issuer}")
    if audience not in providers[host].client_id_list:
        return ErrorAnswer("InvalidIdentityToken", "Incorrect token audience")
    if expiry < time.time():
        return ErrorAnswer("ExpiredTokenException", "Token must be redeemed within 5 minutes of issuance")
    values = {f"{host}:{name}".lower(): (str(claims[name]),) for name in ("aud", "sub") if name in claims}
    return WebIdentity(Principal(PrincipalKind.WEB_IDENTITY, providers[host].arn, ""), values)

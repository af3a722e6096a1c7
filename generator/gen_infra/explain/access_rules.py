"""Effects of changes of the access roles' policies, and of the identity providers that CI authenticates with."""

from __future__ import annotations

from gen_infra.explain.rule import GONE, Action, EffectRule, always

_CHANGES: tuple[Action, ...] = ("update", *GONE)
_ADMINISTRATOR = "the role apply may not change access roles, so that a manifest cannot raise the role that applies it"

ACCESS_RULES = (
    *(
        EffectRule(
            "aws_iam_policy", action, "",
            always("what an access role may do changes; only an administrator of the account can apply it", "access"),
            _ADMINISTRATOR,
        )
        for action in _CHANGES
    ),
    *(
        EffectRule(
            "aws_iam_openid_connect_provider", action, "",
            always("no role of the account can be assumed with its tokens any more", "access"),
            "an account has one provider for each host, and roles of other environments may trust it",
        )
        for action in GONE
    ),
    EffectRule(
        "aws_iam_openid_connect_provider", "update", "",
        always("tokens with other audiences are accepted for every role that trusts it", "access"),
        "AddClientIDToOpenIDConnectProvider and RemoveClientIDFromOpenIDConnectProvider",
    ),
)  # fmt: skip

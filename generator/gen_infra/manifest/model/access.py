"""The model of the roles of people and CI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple, TypeAlias

from msgspec import Meta

from gen_infra.manifest.model.base import Key, KeyPath, Model, about, text

AccessName: TypeAlias = Literal["submit", "operate", "plan", "apply"]
SESSION_HOURS = "session_hours/"  # the item of a grant of longer sessions, before the hours
GITHUB_HOST = "token.actions.githubusercontent.com"

# Also what no role may trust, such as an account's root: a rule refuses that, and says why.
PrincipalArn = Annotated[
    str,
    text(
        r"[^\s\x00-\x1f]+",
        "the ARN of an IAM role or user",
        "arn:aws:iam::123456789012:role/Scientist",
        max_length=2048,
    ),
]
OidcSubject = Annotated[
    str,
    text(
        r"[\x21-\x7e]+",
        "the subject of an OIDC token, without spaces",
        "repo:lab/infra:environment:prod",
        max_length=255,
    ),
]
HostName = Annotated[
    str,
    text(
        r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}",
        "a host name in lower case",
        "gitlab.com",
        max_length=253,
    ),
]
ExternalId = Annotated[
    str,
    text(r"[A-Za-z0-9_+=,.@:/-]{2,1224}", "2 to 1224 letters, digits and any of _ + = , . @ : / -", "lab-partner-4711"),
]


class AccessRole(Model, frozen=True, kw_only=True):
    """Who may assume one of the environment's access roles."""

    principals: Annotated[
        tuple[PrincipalArn, ...],
        about("ARNs of IAM roles and users; for IAM Identity Center the ARN of the role of the permission set."),
    ] = ()
    github: Annotated[
        tuple[OidcSubject, ...],
        about("Subjects of GitHub Actions: a repository, and its branch, tag, environment or pull requests."),
    ] = ()
    gitlab: Annotated[
        tuple[OidcSubject, ...],
        Meta(examples=[["project_path:lab/infra:ref_type:branch:ref:main"]]),
        about("Subjects of GitLab CI/CD: a project, and its branch or tag."),
    ] = ()
    external_id: Annotated[
        ExternalId | None,
        about("What principals of another account must send with AssumeRole; required for them."),
    ] = None
    session_hours: Annotated[
        int, Meta(ge=1, le=12), about("How long a session may last; one hour is what clients request by default.")
    ] = 1


class AccessGrant(NamedTuple):
    """What a change of `access` may widen.

    Args:
        place: the key in the manifest.
        role: the name of the access role.
        item: a principal, the subject of a token, the host that issues tokens, a queue, an external id, or the
            length of sessions.
    """

    place: KeyPath
    role: AccessName
    item: str


class SubmitAccess(AccessRole, frozen=True, kw_only=True):
    """Who may assume the role `submit`, and for which queues."""

    queues: Annotated[tuple[Key, ...], about("The queues that jobs may be submitted to; default: all.")] = ()


class Access(Model, frozen=True, kw_only=True):
    """Roles for people and CI; only an administrator of the account can apply changes of them."""

    submit: Annotated[
        SubmitAccess | None, about("May submit jobs, list them, read their logs, and cancel its own jobs.")
    ] = None
    operate: Annotated[
        AccessRole | None, about("May do what `submit` may, cancel any job, and run drift, doctor and image status.")
    ] = None
    plan: Annotated[AccessRole | None, about("May read the environment and its state, and lock the state.")] = None
    apply: Annotated[
        AccessRole | None,
        about(
            "May change all that the manifest renders, except these roles and what limits them; requires "
            "`iam.permissions_boundary`."
        ),
    ] = None
    oidc_providers: Annotated[
        Literal["lookup", "create"],
        about("Whether the identity providers of GitHub and GitLab exist in the account, which has one of each."),
    ] = "lookup"
    gitlab_host: Annotated[HostName, about("The host of GitLab.")] = "gitlab.com"

    @property
    def roles(self) -> dict[AccessName, AccessRole]:
        """Return the roles that the manifest asks for, by name."""
        given: dict[AccessName, AccessRole | None] = {
            "submit": self.submit,
            "operate": self.operate,
            "plan": self.plan,
            "apply": self.apply,
        }
        return {name: role for name, role in given.items() if role}

    def grants(self) -> Iterator[AccessGrant]:
        """Yield whom each role lets in, with which external id and for how many hours, and the queues of submit.

        ``queues/*`` stands for all queues.
        """
        for name, role in self.roles.items():
            for key, items in (("principals", role.principals), ("github", role.github), ("gitlab", role.gitlab)):
                yield from (AccessGrant(("access", name, key, index), name, item) for index, item in enumerate(items))
            if role.external_id:
                yield AccessGrant(("access", name, "external_id"), name, f"external_id/{role.external_id}")
            if role.session_hours > 1:
                yield AccessGrant(("access", name, "session_hours"), name, f"{SESSION_HOURS}{role.session_hours}")
            if role.gitlab:
                yield AccessGrant(("access", "gitlab_host"), name, self.gitlab_host)
        if self.submit:
            for queue in self.submit.queues or ("*",):
                yield AccessGrant(("access", "submit", "queues"), "submit", f"queues/{queue}")

    @property
    def oidc_hosts(self) -> list[str]:
        """Return the hosts of the identity providers that the roles trust."""
        roles = self.roles.values()
        used = {GITHUB_HOST: any(role.github for role in roles), self.gitlab_host: any(role.gitlab for role in roles)}
        return [host for host, is_used in used.items() if is_used]

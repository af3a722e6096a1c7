"""Check terraform's own configuration: what it can reach, run and fetch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_infra.check.rules.rule import Accepted, Rule, rule, rule_beyond
from gen_infra.terraform.policy_documents import listed
from gen_infra.terraform.source import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_infra.terraform.source import Resource


@rule_beyond(
    "GI_TF_1",
    "provider",
    severity="high",
    title="The provider works in one account, with the caller's credentials",
    remedy="set allowed_account_ids, and leave out keys, endpoints and skip_ arguments",
    source="https://registry.terraform.io/providers/hashicorp/aws/latest/docs#allowed_account_ids",
    privilege=False,
)
def provider_is_bound(resource: Resource, accepted: Accepted) -> Iterator[str]:
    """Require the account, so that an apply with the wrong profile stops before it changes anything."""
    values = resource.values
    if not values.get("allowed_account_ids"):
        yield "it accepts any account"
    others = [each for each in listed(values.get("allowed_account_ids")) if each != accepted.account]
    if accepted.account and any(not isinstance(each, Unknown) for each in others):
        yield f"it accepts account {', '.join(map(str, others))}"
    if values.get("skip_requesting_account_id") is True:
        yield "it does not check the account"
    for name in ("access_key", "secret_key", "token", "endpoints", "insecure", "alias", "assume_role", "profile"):
        if values.get(name):
            yield f"it sets {name}"


@rule(
    "GI_TF_2",
    "*",
    severity="high",
    title="Terraform runs no program and fetches no data",
    remedy="remove the provisioner or data source",
    source="https://developer.hashicorp.com/terraform/language/resources/provisioners/syntax",
)
def nothing_is_run(resource: Resource) -> Iterator[str]:
    """Refuse provisioners and external data: they run with the credentials of the apply."""
    if resource.values.get("provisioner") or resource.kind in {"data.external", "data.http", "null_resource"}:
        yield "it runs programs or fetches unchecked data"


@rule(
    "GI_TF_3",
    "module",
    severity="high",
    title="Modules are beside the configuration",
    remedy="use a copy under ./modules",
    source="https://developer.hashicorp.com/terraform/language/modules/sources",
)
def modules_are_local(resource: Resource) -> Iterator[str]:
    """Refuse remote modules: a module that is fetched later may differ from the checked one."""
    source = resource.values.get("source")
    if not (isinstance(source, str) and source.startswith("./modules/") and ".." not in source):
        yield "its source is not a local module"


@rule(
    "GI_TF_4",
    "terraform",
    severity="high",
    title="State and providers come from known places",
    remedy="use hashicorp/aws, and keep the state local or in S3",
    source="https://developer.hashicorp.com/terraform/language/backend/s3",
)
def origins_are_known(resource: Resource) -> Iterator[str]:
    """Accept known places only: a provider receives every credential, and the state contains every value."""
    if not resource.values.get("required_version") and not resource.values.get("backend"):
        yield "it accepts any version of Terraform"
    for requirements in resource.values.get("required_providers") or []:
        for name, provider in requirements.items():
            if not isinstance(provider, dict) or provider.get("source") != "hashicorp/aws":
                yield f"the provider {name} is not hashicorp/aws"
            elif not re.fullmatch(r"~> [0-9]+\.[0-9]+", str(provider.get("version")), re.ASCII):
                yield f"the provider {name} is not pinned to a major version"
    for backend in resource.values.get("backend") or []:
        if backend.get("encrypt") is False:
            yield "the state is not encrypted"
        if not backend.get("path") and backend.get("use_lockfile") is not True:
            yield "the state is neither local nor in a bucket with a lock"


RULES: tuple[Rule, ...] = (
    provider_is_bound,
    nothing_is_run,
    modules_are_local,
    origins_are_known,
)

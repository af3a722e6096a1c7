"""List the forms of credentials: tokens that their issuers document, hashes of passwords, and secrets in command lines.

Each form has words of which a text with such a credential contains one, because they are fast to search. The prefixes
come from the issuers' documentation, most of them by way of https://docs.github.com/en/code-security/secret-scanning
and https://github.com/gitleaks/gitleaks.
"""

from __future__ import annotations

from typing import NamedTuple


class CredentialForm(NamedTuple):
    """A form of credential: what messages call it, words of which it contains one, and its pattern."""

    name: str
    words: tuple[str, ...]
    pattern: str


SHORTEST_TOKEN = 16
"""No token has fewer characters; none contains white space."""

TOKENS = (
    CredentialForm(
        "an AWS access key",
        ("AKIA", "ASIA", "ABIA", "ACCA"),
        r"(?<![A-Z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Z0-9])",
    ),
    CredentialForm(
        "an AWS session token", ("FwoGZXIvYXdz", "IQoJb3JpZ2lu"), r"(?:FwoGZXIvYXdz|IQoJb3JpZ2lu)[A-Za-z0-9/+=]{20,}"
    ),
    CredentialForm(
        "an AWS API key", ("ABSK", "bedrock-api-key-"), r"ABSK[A-Za-z0-9+/]{100}|bedrock-api-key-[A-Za-z0-9+/=]{20}"
    ),
    CredentialForm("a signed URL", ("X-Amz-Signature=", "sig="), r"X-Amz-Signature=[0-9a-f]{64}|[?&]sig=[\w%+/-]{40}"),
    CredentialForm(
        "a private key",
        ("LS0tLS1CRUdJTi", "AGE-SECRET-KEY-1", "PuTTY-User-Key-File"),
        r"LS0tLS1CRUdJTi[A-Za-z0-9+/=]+|AGE-SECRET-KEY-1[A-Z0-9]{20}|PuTTY-User-Key-File",
    ),
    CredentialForm("a GitHub token", ("gh", "github_pat_"), r"gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{22}"),
    CredentialForm(
        "a GitLab token",
        ("gl", "GR1348941"),
        r"gl(?:pat|dt|rt|ptt|ft|cbt|soat|ffct|imt|agent|oas)-[A-Za-z0-9_-]{20}|GR1348941[A-Za-z0-9_-]{20}",
    ),
    CredentialForm(
        "a Bitbucket or Atlassian token", ("ATATT3", "ATBB", "ATCTT3"), r"AT(?:ATT3|CTT3)[\w=-]{40}|ATBB[A-Za-z0-9]{32}"
    ),
    CredentialForm(
        "a Slack token",
        ("xox", "xapp-", "hooks.slack.com"),
        r"xox[abeoprs][-.][A-Za-z0-9.-]{10}|xapp-\d-[A-Za-z0-9-]{10}"
        r"|hooks\.slack\.com/(?:services/T[A-Z0-9]+/B[A-Z0-9]+|(?:workflows|triggers)/T?[A-Z0-9]+/)",
    ),
    CredentialForm(
        "a webhook's address",
        ("/api/webhooks/", "webhook.office.com/"),
        r"discord(?:app)?\.com/api/webhooks/\d{17,20}/[\w-]{20}|webhook\.office\.com/webhookb2/[0-9a-f-]{36}",
    ),
    CredentialForm(
        "a Discord token",
        (".",),
        r"(?<![\w.-])(?=[\w.-]*[0-9])[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}(?![\w.-])",
    ),
    CredentialForm("a Telegram token", (":AA",), r"(?<![0-9A-Za-z])[0-9]{8,10}:AA[A-Za-z0-9_-]{32,33}(?![\w-])"),
    CredentialForm(
        "a JSON web token",
        ("eyJ",),
        r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}|(?<![A-Za-z0-9_-])eyJ0aWQiO[\w-]{20}",
    ),
    CredentialForm(
        "a Grafana token",
        ("glsa_", "glc_", "eyJrIjoi"),
        r"glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}|glc_[A-Za-z0-9+/=]{32}|eyJrIjoi[A-Za-z0-9+/=]{40}",
    ),
    CredentialForm("a Google API key", ("AIza",), r"AIza[A-Za-z0-9_-]{35}"),
    CredentialForm(
        "a Google credential",
        ("GOCSPX-", "ya29.", "1//0"),
        r"GOCSPX-[\w-]{28}|(?<![\w.])ya29\.[\w-]{20}|(?<![\w/])1//0[\w-]{40}",
    ),
    CredentialForm(
        "an Azure credential",
        ("AccountKey=", "SharedAccessKey=", "Q~", "AZDO"),
        r"(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40}|(?<![\w.~-])[\w.~-]{3}[78]Q~[\w.~-]{31,34}(?![\w.~-])"
        r"|(?<![A-Za-z0-9])[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}",
    ),
    CredentialForm(
        "a Stripe key",
        ("k_live_", "k_test_", "whsec_"),
        r"[sr]k_(?:live|test)_[A-Za-z0-9]{20}|whsec_[A-Za-z0-9+/=]{20}",
    ),
    CredentialForm(
        "an API key",
        ("sk-", "gsk_", "r8_", "xai-", "pplx-", "lsv2_"),
        r"(?<![A-Za-z0-9])(?:sk-[A-Za-z0-9_-]{32}|gsk_[A-Za-z0-9]{40}|r8_[A-Za-z0-9]{37}|xai-[A-Za-z0-9]{40}"
        r"|pplx-[A-Za-z0-9]{40}|lsv2_[a-z]{2}_[0-9a-f]{32})",
    ),
    CredentialForm("a Hugging Face token", ("hf_", "api_org_"), r"(?<!\w)(?:hf|api_org)_[A-Za-z]{34}(?!\w)"),
    CredentialForm(
        "a package registry's token",
        ("npm_", "pypi-", "dckr_", "rubygems_", "AKCp", "cmVmdGtuO", "oy2", "cio", "CLOJARS_"),
        r"npm_[A-Za-z0-9]{36}|pypi-(?:AgEIcHlwaS5vcmc|AgENdGVzdC5weXBpLm9yZw)|dckr_[op]at_[A-Za-z0-9_-]{20}"
        r"|rubygems_[0-9a-f]{48}|(?<!\w)AKCp[A-Za-z0-9]{60}|(?<!\w)cmVmdGtuO[A-Za-z0-9]{40}"
        r"|(?<!\w)oy2[a-z0-9]{43}(?!\w)|(?<!\w)cio[A-Za-z0-9]{32}(?!\w)|CLOJARS_[0-9a-z]{60}",
    ),
    CredentialForm(
        "a mail service's key",
        ("SG.", "key-", "-us", "xkeysib-"),
        r"(?<!\w)SG\.[\w-]{20,24}\.[\w-]{39,50}|(?<!\w)key-[0-9a-f]{32}(?!\w)|(?<!\w)[0-9a-f]{32}-us\d{1,2}(?!\w)"
        r"|xkeysib-[0-9a-f]{64}",
    ),
    CredentialForm("a Twilio key", ("SK", "AC"), r"(?<!\w)(?:SK|AC)[0-9a-f]{32}(?!\w)"),
    CredentialForm(
        "a cloud service's token",
        (
            *("dop_v1_", "doo_v1_", "dor_v1_", "HRKU-", "nfp_", "FlyV1", "fm2_", "fo1_", "sha256~", "tskey-"),
            *("LTAI", "t1.", "dapi", "dt0", "pscale_", "sbp_", "sb_secret_", "npg_"),
        ),
        r"do[opr]_v1_[0-9a-f]{64}|HRKU-[\w-]{36}|nfp_[A-Za-z0-9]{36}|fm2_[\w+/=-]{40}|fo1_[\w-]{43}|sha256~[\w-]{43}"
        r"|tskey-[a-z]+-\w{10}|(?<!\w)LTAI[A-Za-z0-9]{20}(?!\w)|(?<!\w)dapi[0-9a-f]{32}|dt0[a-z]\d\d\.[A-Z0-9]{24}\.\w{20}"
        r"|pscale_(?:tkn|pw|oauth)_[\w=.-]{32}|sbp_[0-9a-f]{40}|sb_secret_[\w-]{20}|(?<!\w)npg_[A-Za-z0-9]{10}"
        r"|(?<![\w.])t1\.[A-Z0-9a-z_-]+=*\.[A-Z0-9a-z_-]{86}",
    ),
    CredentialForm(
        "a token of an infrastructure tool",
        ("hv", ".atlasv1.", "dp.", "pul-", "ops_eyJ", "A3-", "EAAA", "sntry", "NRAK-", "NRII-", "ico-"),
        r"(?<!\w)hv[bs]\.[\w-]{20}|\w{14}\.atlasv1\.[\w=-]{60}|(?<!\w)dp\.(?:pt|st|ct|sa|scim|audit)\.[\w.]{40}"
        r"|(?<!\w)pul-[0-9a-f]{40}|ops_eyJ[\w+/=-]{40}|(?<!\w)A3-[A-Z0-9]{6}-(?:[A-Z0-9]{5,6}-?){4}"
        r"|sntrys_eyJ[\w+/=-]{20}|sntryu_[0-9a-f]{64}|NR(?:AK|II|JS|RA)-[\w-]{19}|(?<!\w)ico-[A-Za-z0-9]{32}",
    ),
    CredentialForm(
        "a token of a build service",
        ("CCIPAT_", "bkua_", "sq", "PMAK-", "pnu_", "pnb_", "figd_", "lin_api_", "ntn_", "secret_", "phx_", "dbt"),
        r"CCIPAT_\w{22}_[0-9a-f]{40}|bkua_[0-9a-f]{40}|(?<!\w)sq[apu]_[0-9a-f]{40}|PMAK-[0-9a-f]{24}-[0-9a-f]{34}"
        r"|(?<!\w)pn[bu]_[A-Za-z0-9]{36}|figd_[\w-]{40}|lin_api_\w{40}|(?<!\w)ntn_\w{40}|(?<!\w)secret_[A-Za-z0-9]{43}"
        r"|(?<!\w)phx_\w{43}|(?<!\w)dbt[cu]_\w{20}",
    ),
    CredentialForm(
        "a shop's or payment service's token",
        ("shp", "sq0", "EAAA", "rzp_live_", "access_token$"),
        r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|sq0(?:atp|csp)-[\w-]{22}|(?<!\w)EAAA[\w-]{60}|rzp_live_\w{14}"
        r"|access_token\$production\$[0-9a-z]{16}\$[0-9a-f]{32}",
    ),
    CredentialForm("a token of Airtable", ("pat",), r"(?<!\w)pat[A-Za-z0-9]{14}\.[0-9a-f]{64}"),
    CredentialForm("a Mapbox token", ("k.eyJ",), r"(?<!\w)[sp]k\.eyJ[\w-]{20,}\.[\w-]{20}"),
    CredentialForm("a Sentry DSN", ("@",), r"https://[0-9a-f]{32}(?::[0-9a-f]{32})?@[\w.-]+/\d+"),
    CredentialForm(
        "a hash of a password",
        ("$2", "$1$", "$5$", "$6$", "$7$", "$y$", "$gy$", "$apr1$", "$argon2", "pbkdf2", "scrypt:", "{S", "{PBKDF2"),
        r"\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53}|\$(?:1|apr1)\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}"
        r"|\$[56]\$(?:rounds=\d+\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{43,86}|\$(?:7|g?y)\$[./A-Za-z0-9$]{30,}"
        r"|\$argon2(?:id|[id])\$v=\d+\$|(?:pbkdf2[:_]sha\d+|scrypt)[$:][\w$:./+=]{30,}"
        r"|\{(?:S?SHA(?:256|512)?|S?MD5|PBKDF2[\w-]*)\}[\w$./+=]{20,}",
    ),
    CredentialForm("a registry's password", ('auth"', "auth\\"), r'"?auth\\?"\s*:\s*\\?"[A-Za-z0-9+/]{12,}={0,2}\\?"'),
    CredentialForm(
        "an AWS secret key",
        ("",),
        r"(?<![A-Za-z0-9/+_.-])(?=[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_-]|\.\w))(?!(?:[A-Za-z0-9+]{0,39}/){4})"
        r"(?=[a-z0-9/+]{0,39}[A-Z])(?=[A-Z0-9/+]{0,39}[a-z])(?=[A-Za-z/+]{0,39}[0-9])[^/].{39}",
    ),
)

_KEYS = (
    *("api", "access", "account", "app", "auth", "client", "consumer", "licence", "license", "master", "private"),
    *("service", "shared", "signing", "storage", "subscription"),
)
# The "key" of `encryption: {key: create}` alone is no secret's name.
SECRET_WORDS = (
    *("pass", "pwd", "kennwort", "secret", "token", "credential"),
    *(f"{kind}{joint}key" for kind in _KEYS for joint in ("", "_", "-")),
)
_NAME = (
    r"(?:passwords?|passwds?|passphrase|passcode|passwort|kennwort|pwd|secret(?:[_-]?access)?(?:[_-]?key)?|token"
    rf"|credentials?|(?:{'|'.join(_KEYS)})[_-]?key)(?:[_-]?(?:value|string|plain|plaintext|hash|base64|b64|prod|production|dev"
    r"|staging|test|old|new|current|\d+))?"
)
# What stands in the place of a secret: a variable, a job's parameter, a path, an ARN, a placeholder, code.
_REFERENCE = (
    r"(?:ref::|x{6}|\$|\.?/|arn:|<|\*\*|%|\{|`|@|(?:ssm|vault|file|env|secretsmanager):|[a-z]+://|[\w.]*[\w\]][(\[]"
    r"|(?:true|false|none|null|yes|no|\d{1,4}|[a-z_]\w*(?:\.[a-z_]\w*)+"
    r"|(?-i:[a-z]+(?:[A-Z][a-z]+)*(?:Token|Password|Secret|Key|Credentials)))(?![^\s\"',;)\]}&|\\]))"
)
_VALUE = rf"(?!{_REFERENCE})[^\s\"',;&|)\]}}<>\\]"
_VALUE_WITH_DIGIT = rf"(?=[^\s\"',;]{{0,200}}\d){_VALUE}"
_REST = r"[^\s\"',\]}]{0,1000}"
_QUOTE = r"\\?[\"']"

BLOCKS_AND_ADDRESSES = (
    CredentialForm("a private key", ("-----begin",), r"-----BEGIN\s+(?:[A-Z0-9]+\s+){0,3}PRIVATE\s+KEY"),
    CredentialForm(
        "a password in a URL",
        ("://",),
        r"://(?!\[)[^\s/:@'\"]{0,64}:(?!\$\{?\w+\}?@|Ref::\w+@|<[^>\s]*>@|\*+@)[^\s/:@'\"][^\s/@'\"]{0,255}@",
    ),
    CredentialForm("a password in a URL", ("@tcp(", "@unix("), r"[\w-]{1,64}:(?!\$)[^\s@'\"]{1,256}@(?:tcp|unix)\("),
    CredentialForm("a password in a URL", ("@//",), r"[\w-]{1,64}/(?!\$)[^\s@/'\"]{1,256}@//[\w.]"),
)
COMMANDS = (
    CredentialForm(
        "a password for a host",
        ("login",),
        r"\blogin[\s,]+(?:-\s+)?\S{1,256}[\s,]+(?:-\s+)?password[\s,]+(?:-\s+)?[\"']?(?![$<])\S{1,256}",
    ),
    CredentialForm(
        "a password for a host",
        (":5432:", ":3306:", ":*:"),
        # Not within an ARN, such as arn:aws:logs:*:*:log-group:x.
        r"(?<![\w.*:}-])[\w.*-]{1,256}:(?:5432|3306|\*):[\w*-]{1,64}:[\w*-]{1,64}:(?!\$)[^\s:'\"]{1,256}",
    ),
    CredentialForm(
        "a password in a header",
        ("authorization",),
        rf"\bauthorization(?:{_QUOTE})?\s*[:=,]\s*(?:{_QUOTE})?(?:bearer|basic|token|apikey|digest)[\s,]+[\"']?"
        r"(?![$<{]|Ref::|auth|token\b)[^\s\"'\\]{2,1000}",
    ),
    CredentialForm(
        "a password on a command line",
        ("login",),
        r"\b(?:docker|podman|oras|helm|singularity|apptainer)\s[^\n|;&]{0,200}?\blogin\b[^\n|;&]{0,200}?\s-p\s*"
        r"(?:\\?[\"'])?(?![-$\\\s]|Ref::)[^\s\"']{1,256}",
    ),
    CredentialForm(
        "a password on a command line",
        ("mysql", "mariadb", "sshpass", "redis-cli", "ldap", "sqlcmd", "htpasswd"),
        r"\b(?:(?:mysql|mysqldump|mysqladmin|mariadb)\s(?:[^\n|;&]{0,200}?\s)?-p|sshpass\s+-p\s*"
        r"|redis-cli\s(?:[^\n|;&]{0,200}?\s)?-a\s+|ldap(?:search|add|modify|whoami)\s(?:[^\n|;&]{0,200}?\s)?-w\s+"
        r"|sqlcmd\s(?:[^\n|;&]{0,200}?\s)?-P\s*|htpasswd\s+-\w*b\w*\s+\S+\s+\S+\s+)"
        r"(?:\\?[\"'])?(?![-$\\\s]|Ref::)[^\s\"']{1,256}",
    ),
    CredentialForm(
        "a password on a command line",
        ("curl", "smbclient"),
        r"\bcurl\s(?:[^\n|;&]{0,300}?\s)?(?:-u\s*|--user[ =])[\"']?[\w.@+-]{1,64}:(?![$\"'\s])[^\s\"']{1,256}"
        r"|\bsmbclient\s(?:[^\n|;&]{0,200}?\s)?-U\s*[\"']?[\w.\\-]{1,64}%(?!\$)[^\s\"']{1,256}",
    ),
    CredentialForm("a password on a command line", ("pass:",), r"-pass(?:in|out)?[\s=]pass:(?![$<])[^\s\"']{1,256}"),
    CredentialForm(
        "an AWS secret key",
        ("aws_secret_access_key", "aws_session_token"),
        r"\bconfigure\s+set\s+[\w.-]{0,200}aws_(?:secret_access_key|session_token)\s+(?![$-])\S{1,1000}",
    ),
    CredentialForm(
        "a password in a statement of SQL",
        ("identified by", "identified with", "with password", "encrypted password"),
        r"\b(?:identified\s+(?:with\s+\S{1,40}\s+)?by|(?:with|encrypted)\s+password)\s+\\?['\"](?![$<:])[^'\"\s]{1,256}",
    ),
)
"""They may be split over the items of a list, such as ``[curl, -u, "me:…"]``."""

PHRASES = (*BLOCKS_AND_ADDRESSES, *COMMANDS)
"""They may contain white space, in any case; their words are in lower case."""

ASSIGNMENTS = (
    CredentialForm(
        "a password on a command line",
        SECRET_WORDS,
        rf"(?<=-)(?:{_NAME}|pass)"
        rf"(?:=(?:{_QUOTE})?{_VALUE}|[ \t]+(?:[\"'](?!-){_VALUE}|(?!-){_VALUE_WITH_DIGIT})){_REST}",
    ),
    CredentialForm(
        "a password in a text",
        SECRET_WORDS,
        rf"(?:(?<!-){_NAME}|(?<=_)pass|(?<=db)pass)(?:{_QUOTE})?"
        rf"(?:=(?:{_QUOTE})?{_VALUE}|[ \t]+=[ \t]*(?:{_QUOTE}{_VALUE}|{_VALUE_WITH_DIGIT})){_REST}",
    ),
)
"""They are in one line, in any case."""

STATEMENTS = CredentialForm(
    "a password in a text",
    SECRET_WORDS,
    rf"(?<![:/])(?:{_NAME}|(?<=_)pass|(?<=db)pass)"
    rf"(?:{_QUOTE}\s*:\s*{_QUOTE}{_VALUE}|:[ \t]*(?:{_QUOTE}{_VALUE}|{_VALUE_WITH_DIGIT})){_REST}",
)
"""The same with a colon, which is a secret in a value or a comment only: elsewhere, YAML writes its own keys so."""

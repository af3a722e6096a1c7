"""Recipes of secrets in the places where people put them: the material is random, so that no scanner finds it here."""

from __future__ import annotations

import base64
import string
from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

import yaml

_LETTERS = string.ascii_letters
_WORDS = string.ascii_letters + string.digits
_SCANNING = "https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns"


class Case(NamedTuple):
    """A secret, what it is, where the format is documented, and the lines of a job that contain it."""

    kind: str
    place: str
    source: str
    secret: str
    job: str


class Material(Random):
    """Random text: never a real credential, and the same in each run."""

    def word(self, length: int, alphabet: str = _WORDS) -> str:
        """Letters and digits; the first three characters are of three kinds, as in almost every long random text."""
        return "".join(["aQ7"[:length], *(self.choice(alphabet) for _ in range(length - 3))])

    def hex(self, length: int) -> str:
        return "".join(self.choice("0123456789abcdef") for _ in range(length))

    def letters(self, length: int) -> str:
        return "".join(self.choice(_LETTERS) for _ in range(length))

    def upper(self, length: int) -> str:
        return "".join(self.choice(string.ascii_uppercase + string.digits) for _ in range(length))

    def digits(self, length: int) -> str:
        return "1" + "".join(self.choice(string.digits) for _ in range(length - 1))

    def base64(self, length: int) -> str:
        return base64.b64encode(self.randbytes(length)).decode()

    def password(self) -> str:
        """As people write them."""
        return self.choice(["hunter", "sommer", "genome", "tiger"]) + self.digits(4) + self.choice("!#x_")


Recipe = Callable[[Material], str]

# What it is, where its format is documented, how to make one.
TOKENS: tuple[tuple[str, str, Recipe], ...] = (
    ("AWS access key", "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html",
     lambda m: "AKIA" + m.upper(16)),
    ("AWS temporary key", "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html",
     lambda m: "ASIA" + m.upper(16)),
    ("AWS secret key", "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",
     lambda m: m.word(40)),
    ("AWS session token", "https://docs.aws.amazon.com/STS/latest/APIReference/API_Credentials.html",
     lambda m: "IQoJb3JpZ2lu" + m.word(80)),
    ("AWS presigned URL", "https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html",
     lambda m: "https://b.s3.amazonaws.com/k?X-Amz-Expires=9&X-Amz-Signature=" + m.hex(64)),
    ("GitHub token", "https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/",
     lambda m: "ghp_" + m.word(36)),
    ("GitHub app token", "https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/",
     lambda m: "ghs_" + m.word(36)),
    ("GitHub fine-grained token", _SCANNING, lambda m: "github_pat_" + m.word(22) + "_" + m.word(59)),
    ("GitLab token", "https://docs.gitlab.com/security/tokens/", lambda m: "glpat-" + m.word(20)),
    ("GitLab runner token", "https://docs.gitlab.com/security/tokens/", lambda m: "glrt-" + m.word(20)),
    ("GitLab deploy token", "https://docs.gitlab.com/security/tokens/", lambda m: "gldt-" + m.word(20)),
    ("Bitbucket token", _SCANNING, lambda m: "ATBB" + m.word(32)),
    ("Atlassian token", _SCANNING, lambda m: "ATATT3" + m.word(180)),
    ("Slack bot token", "https://docs.slack.dev/authentication/tokens", lambda m: f"xoxb-{m.digits(12)}-{m.word(24)}"),
    ("Slack app token", "https://docs.slack.dev/authentication/tokens", lambda m: f"xapp-1-A{m.upper(9)}-{m.hex(64)}"),
    ("Slack webhook", "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks",
     lambda m: f"https://hooks.slack.com/services/T{m.upper(8)}/B{m.upper(8)}/{m.word(24)}"),
    ("Discord webhook", "https://docs.discord.com/developers/resources/webhook",
     lambda m: f"https://discord.com/api/webhooks/{m.digits(18)}/{m.word(68)}"),
    ("Discord bot token", "https://docs.discord.com/developers/reference",
     lambda m: f"M{m.word(23)}.{m.word(6)}.{m.word(27)}"),
    ("Teams webhook", "https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/",
     lambda m: f"https://lab.webhook.office.com/webhookb2/{m.hex(8)}-{m.hex(4)}-{m.hex(4)}-{m.hex(4)}-{m.hex(12)}"),
    ("Telegram bot token", "https://core.telegram.org/bots/api", lambda m: f"{m.digits(10)}:AA{m.word(33)}"),
    ("JSON web token", "https://www.rfc-editor.org/rfc/rfc7519",
     lambda m: f"eyJ{m.word(20)}.eyJ{m.word(40)}.{m.word(43)}"),
    ("Grafana service account token", "https://grafana.com/docs/grafana/latest/administration/service-accounts/",
     lambda m: f"glsa_{m.word(32)}_{m.hex(8)}"),
    ("Grafana Cloud token", "https://grafana.com/docs/grafana-cloud/", lambda m: "glc_" + m.base64(60)),
    ("Google API key", "https://cloud.google.com/docs/authentication/api-keys", lambda m: "AIza" + m.word(35)),
    ("Google OAuth secret", _SCANNING, lambda m: "GOCSPX-" + m.word(28)),
    ("Google access token", "https://cloud.google.com/docs/authentication/token-types", lambda m: "ya29." + m.word(60)),
    ("Azure storage key", "https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string",
     lambda m: f"DefaultEndpointsProtocol=https;AccountName=lab;AccountKey={m.word(86)}=="),
    ("Azure service bus key", "https://learn.microsoft.com/azure/service-bus-messaging/service-bus-sas",
     lambda m: f"Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=k;SharedAccessKey={m.word(43)}="),
    ("Azure client secret", _SCANNING, lambda m: f"{m.word(3)}8Q~{m.word(34)}"),
    ("Azure SAS", "https://learn.microsoft.com/rest/api/storageservices/create-service-sas",
     lambda m: f"https://lab.blob.core.windows.net/c?sv=2022&sp=r&sig={m.word(43)}%3D"),
    ("npm token", "https://github.blog/2021-09-23-announcing-npms-new-access-token-format/",
     lambda m: "npm_" + m.word(36)),
    ("PyPI token", "https://pypi.org/help/#apitoken", lambda m: "pypi-" + "AgEIcHlwaS5vcmc" + m.word(80)),
    ("Docker Hub token", _SCANNING, lambda m: "dckr_pat_" + m.word(27)),
    ("RubyGems key", _SCANNING, lambda m: "rubygems_" + m.hex(48)),
    ("NuGet key", _SCANNING, lambda m: "oy2" + m.word(43).lower()),
    ("Artifactory key", _SCANNING, lambda m: "AKCp" + m.word(69)),
    ("Stripe key", "https://docs.stripe.com/keys", lambda m: "sk_" + "live_" + m.word(24)),
    ("Stripe restricted key", "https://docs.stripe.com/keys", lambda m: "rk_" + "live_" + m.word(24)),
    ("Stripe webhook secret", "https://docs.stripe.com/webhooks", lambda m: "whsec_" + m.word(32)),
    ("OpenAI key", _SCANNING, lambda m: "sk-proj-" + m.word(48)),
    ("Anthropic key", _SCANNING, lambda m: "sk-ant-api03-" + m.word(90)),
    ("Groq key", _SCANNING, lambda m: "gsk_" + m.word(52)),
    ("Replicate token", _SCANNING, lambda m: "r8_" + m.word(37)),
    ("Hugging Face token", "https://huggingface.co/docs/hub/security-tokens", lambda m: "hf_" + m.letters(34)),
    ("SendGrid key", "https://www.twilio.com/docs/sendgrid", lambda m: f"SG.{m.word(22)}.{m.word(43)}"),
    ("Mailgun key", _SCANNING, lambda m: "key-" + m.hex(32)),
    ("Mailchimp key", "https://mailchimp.com/developer/marketing/docs/fundamentals/", lambda m: m.hex(32) + "-us12"),
    ("Twilio key", "https://www.twilio.com/docs/iam/api-keys", lambda m: "SK" + m.hex(32)),
    ("DigitalOcean token", _SCANNING, lambda m: "dop_v1_" + m.hex(64)),
    ("Databricks token", _SCANNING, lambda m: "dapi" + m.hex(32)),
    ("Tailscale key", _SCANNING, lambda m: f"tskey-auth-{m.word(12)}-{m.word(24)}"),
    ("Vault token", "https://developer.hashicorp.com/vault/docs/concepts/tokens", lambda m: "hvs." + m.word(90)),
    ("Terraform Cloud token", _SCANNING, lambda m: f"{m.word(14)}.atlasv1.{m.word(66)}"),
    ("Pulumi token", _SCANNING, lambda m: "pul-" + m.hex(40)),
    ("Doppler token", _SCANNING, lambda m: "dp.pt." + m.word(43)),
    ("Sentry DSN", "https://docs.sentry.io/concepts/key-terms/dsn-explainer/",
     lambda m: f"https://{m.hex(32)}@o1234.ingest.sentry.io/5678"),
    ("New Relic key", "https://docs.newrelic.com/docs/apis/intro-apis/new-relic-api-keys/",
     lambda m: "NRAK-" + m.upper(27)),
    ("Linear key", _SCANNING, lambda m: "lin_api_" + m.word(40)),
    ("Postman key", _SCANNING, lambda m: f"PMAK-{m.hex(24)}-{m.hex(34)}"),
    ("Figma token", _SCANNING, lambda m: "figd_" + m.word(40)),
    ("SonarQube token", "https://docs.sonarsource.com/sonarqube-server/", lambda m: "squ_" + m.hex(40)),
    ("Shopify token", _SCANNING, lambda m: "shpat_" + m.hex(32)),
    ("Square token", _SCANNING, lambda m: "sq0atp-" + m.word(22)),
    ("Airtable token", _SCANNING, lambda m: f"pat{m.word(14)}.{m.hex(64)}"),
    ("Seqera token", "https://docs.seqera.io/platform-cloud/api/overview", lambda m: "eyJ" + "0aWQiO" + m.word(60)),
    ("age key", "https://age-encryption.org/v1", lambda m: "AGE-SECRET-KEY-1" + m.upper(58)),
    ("private key in base64", "https://www.rfc-editor.org/rfc/rfc7468",
     lambda m: "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t" + m.word(60)),
    ("bcrypt hash", "https://man.openbsd.org/crypt.3", lambda m: "$2b$12$" + m.word(53)),
    ("SHA-512 crypt hash", "https://www.akkadia.org/drepper/SHA-crypt.txt",
     lambda m: f"$6${m.word(16)}${m.word(86)}"),
    ("MD5 crypt hash", "https://man7.org/linux/man-pages/man3/crypt.3.html", lambda m: f"$1${m.word(8)}${m.word(22)}"),
    ("htpasswd hash", "https://httpd.apache.org/docs/2.4/misc/password_encryptions.html",
     lambda m: f"admin:$apr1${m.word(8)}${m.word(22)}"),
    ("argon2 hash", "https://www.rfc-editor.org/rfc/rfc9106",
     lambda m: f"$argon2id$v=19$m=65536,t=3,p=4${m.word(22)}${m.word(43)}"),
    ("yescrypt hash", "https://man7.org/linux/man-pages/man5/crypt.5.html",
     lambda m: f"$y$j9T${m.word(22)}${m.word(43)}"),
    ("PBKDF2 hash", "https://docs.djangoproject.com/en/stable/topics/auth/passwords/",
     lambda m: f"pbkdf2_sha256$600000${m.word(22)}${m.word(43)}="),
    ("SSHA hash", "https://www.openldap.org/doc/admin26/security.html", lambda m: "{SSHA}" + m.base64(24)),
)  # fmt: skip

# Addresses with a password.
ADDRESSES = (
    "postgres://lab:{}@db.example.com:5432/genomes", "postgresql+psycopg2://lab:{}@db/genomes",
    "mysql://root:{}@10.0.0.5/x", "redis://:{}@cache:6379/0", "rediss://default:{}@cache:6380",
    "mongodb://lab:{}@m1,m2/x?replicaSet=r", "mongodb+srv://lab:{}@c0.example.net/x", "amqp://lab:{}@mq/v",
    "amqps://lab:{}@mq.example.com", "https://lab:{}@nexus.example.com/simple", "ftp://lab:{}@ftp.example.com/in",
    "sftp://lab:{}@files.example.com", "smtp://lab:{}@mail:587", "ldap://cn=lab:{}@ldap",
    "git+https://lab:{}@git/x.git",
    "clickhouse://lab:{}@ch:9000/x", "snowflake://lab:{}@acme/db", "jdbc:postgresql://db/x?user=lab&password={}",
    "jdbc:mysql://db/x?user=lab&password={}", "jdbc:sqlserver://db;user=lab;password={}",
    "Server=db;Database=x;Uid=lab;Pwd={};", "Driver=ODBC;Server=db;PWD={};", "lab:{}@tcp(db:3306)/x",
    "scott/{}@//db:1521/x", "host=db user=lab password={} dbname=x", "https://api.example.com/v1?api_key={}",
    "https://api.example.com/v1?access_token={}", "db:5432:genomes:lab:{}",
)  # fmt: skip

# Names of environment variables, with a password as the value.
NAMES = (
    "DB_PASS", "DB_PASSWORD", "DBPASS", "DATABASE_PASSWORD", "PASSWORD", "PASSWD", "DB_PASSWD", "MYSQL_PWD",
    "PGPASSWORD",
    "MYSQL_ROOT_PASSWORD", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "SMTP_PASS", "ADMIN_PASS", "LDAP_BIND_PASSWORD",
    "RABBITMQ_DEFAULT_PASS", "MONGO_INITDB_ROOT_PASSWORD", "KEY_PASSPHRASE", "SSH_PASSPHRASE", "API_KEY", "APIKEY",
    "OPENAI_API_KEY", "NCBI_API_KEY", "DD_API_KEY", "DD_APP_KEY", "WANDB_API_KEY", "ACCESS_TOKEN", "AUTH_TOKEN",
    "TOWER_ACCESS_TOKEN", "GITHUB_TOKEN", "CI_JOB_TOKEN", "SLACK_TOKEN", "SECRET", "APP_SECRET", "CLIENT_SECRET",
    "DJANGO_SECRET_KEY", "SECRET_KEY_BASE64", "JWT_SECRET", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PRIVATE_KEY",
    "SIGNING_KEY", "LICENSE_KEY", "AZURE_STORAGE_KEY", "ACCOUNT_KEY", "CREDENTIALS", "BASESPACE_CREDENTIAL", "CREDS",
    "PASSWORD_PROD", "DB_PASSWORD_1", "TOKEN_VALUE", "dbPassword", "db-password", "db.password", "apiKey", "userPass",
    "SNOWFLAKE_PASSWORD", "ORACLE_PWD", "KENNWORT", "REGISTRY_AUTH",
)  # fmt: skip

# Items of a command; `{}` is the password.
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("run", "--password", "{}"), ("run", "--db-password", "{}"), ("run", "--token", "{}"), ("run", "--api-key", "{}"),
    ("run", "--secret", "{}"), ("run", "-password", "{}"), ("run", "--passphrase", "{}"), ("run", "--access-token",
    "{}"),
    ("run", "--client-secret", "{}"), ("run", "--aws-secret-access-key", "{}"), ("run", "--with-tower-token", "{}"),
    ("run", "--password={}"), ("run", "--db-pass={}"), ("run", "--token='{}'"), ("run", "--apikey={}"),
    ("curl", "-H", "Authorization: Bearer {}"), ("curl", "--header", "Authorization: Bearer {}"),
    ("curl", "--header", "Authorization: Basic {}"), ("curl", "-H", "Authorization: token {}"),
    ("curl", "-H", "X-Api-Key: {}"), ("curl", "-H", "PRIVATE-TOKEN: {}"), ("curl", "-H", "X-Auth-Token: {}"),
    ("curl", "-u", "lab:{}", "https://example.com"), ("curl", "--user", "lab:{}", "https://example.com"),
    ("wget", "--http-user=lab", "--http-password={}"), ("docker", "login", "-u", "lab", "-p", "{}"),
    ("helm", "registry", "login", "-u", "lab", "-p", "{}"), ("mysql", "-u", "lab", "-p{}"), ("mysqldump", "-p{}", "x"),
    ("sshpass", "-p", "{}", "ssh", "host"), ("redis-cli", "-h", "cache", "-a", "{}"),
    ("ldapsearch", "-x", "-w", "{}"), ("sqlcmd", "-U", "sa", "-P", "{}"), ("htpasswd", "-bc", "f", "lab", "{}"),
    ("smbclient", "-U", "lab%{}", "//files/x"), ("openssl", "rsa", "-passin", "pass:{}"),
    ("aws", "configure", "set", "aws_secret_access_key", "{}"), ("env", "DB_PASS={}", "run"),
    ("env", "PGPASSWORD={}", "psql"), ("gpg", "--batch", "--passphrase", "{}"), ("run", "password={}"),
)  # fmt: skip

# Texts: of a script, a file that it writes, or a setting; `{}` is the password.
TEXTS = (
    "export DB_PASS={} && run", "export PGPASSWORD='{}'; psql", "PGPASSWORD={} psql -h db", 'MYSQL_PWD="{}" mysql',
    "curl -u lab:{} https://example.com", "curl -sH 'Authorization: Bearer {}' https://example.com",
    'curl -H "X-Api-Key: {}" https://example.com', "echo 'machine example.com login lab password {}' > ~/.netrc",
    "machine example.com\nlogin lab\npassword {}\n", "default login lab password {}",
    "[default]\naws_access_key_id = x\naws_secret_access_key = {}\n", "aws configure set aws_secret_access_key {}",
    "docker login -u lab -p {} registry.example.com", "mysql -ulab -p{} genomes", "sshpass -p {} ssh host",
    "run --password {} --threads 4", "run --api-key '{}'", "run --token {}", "password={}", 'password = "{}"',
    "db.password={}", "[client]\nuser=lab\npassword={}\n", "spring.datasource.password={}", '{{"password": "{}"}}',
    '{{"db": {{"user": "lab", "apiKey": "{}"}}}}', "db:\n  password: {}\n", "token: '{}'",
    "client_secret: {}",
    "//registry.npmjs.org/:_authToken={}", "echo {} | run --secret={}", "python -c 'connect(password=\"{}\")'",
    "CREATE USER lab IDENTIFIED BY '{}'", "ALTER USER lab WITH PASSWORD '{}'", "sed -i s/x/y/ f; export API_TOKEN={}",
    "wget --password={} ftp://x", "redis-cli -a {} ping", "ldapsearch -x -D cn=lab -w {}", "access_key={}",
    "AZURE_CLIENT_SECRET={} az login", "openssl enc -aes256 -pass pass:{}",
)  # fmt: skip


# What only the detector of `check` finds.
DETECTED: tuple[tuple[str, str, Recipe], ...] = (
    ("SoftLayer Credentials", "https://sldn.softlayer.com/article/authenticating-softlayer-api/",
     lambda m: f"https://api.softlayer.com/soap/v3/{m.hex(64)}"),
    ("NPM tokens", "https://docs.npmjs.com/cli/configuring-npm/npmrc",
     lambda m: f"npm config set //npm.example.com/:_authToken {m.word(36).lower()}"),
)  # fmt: skip


def _quoted(text: str) -> str:
    return yaml.dump(text, default_style='"', width=10_000).strip()


def _block(text: str) -> str:
    return "|\n" + "\n".join(f"      {line}" for line in text.splitlines())


# Where a token stands, as lines of a job.
PLACES: dict[str, Callable[[str], str]] = {
    "environment": lambda token: f"    environment: {{SETTING: {_quoted(token)}}}",
    "command": lambda token: f"    command: [run, {_quoted(token)}]",
    "script": lambda token: f"    command:\n    - bash\n    - -c\n    - {_block(f'run --with {token} > out')}",
    "assignment": lambda token: f"    command: [bash, -c, {_quoted(f'export X={token}')}]",
    "json": lambda token: "    environment: {SETTING: " + _quoted('{"x": "' + token + '"}') + "}",
    "parameter": lambda token: f"    parameters: {{with: {_quoted(token)}}}\n    command: [run, 'Ref::with']",
    "tag": lambda token: f"tags: {{note: {_quoted(token)}}}",
    "comment": lambda token: f"    # before: {token}",
}


def cases() -> Iterator[Case]:
    """Yield every recipe in its places; a token in three of them."""
    material = Material(12)
    for index, (kind, source, recipe) in enumerate(TOKENS):
        places = ["environment", *(list(PLACES)[1:][(index + step) % (len(PLACES) - 1)] for step in (0, 3))]
        for place in places:
            secret = recipe(material)
            yield Case(kind, place, source, secret, PLACES[place](secret))
    for address in ADDRESSES:
        secret = material.password()
        yield Case(address, "environment", "RFC 3986", secret, PLACES["environment"](address.format(secret)))
        yield Case(address, "comment", "RFC 3986", secret, PLACES["comment"](address.format(secret)))
    for name in NAMES:
        secret = material.password()
        yield Case(name, "name", "common", secret, f"    environment: {{{name}: {_quoted(secret)}}}")
    for name in NAMES[:12]:
        secret = material.password()
        properties = f"{{environment: [{{name: {name}, value: {_quoted(secret)}}}]}}"
        yield Case(name, "raw properties", "common", secret, f"    container_properties: {properties}")
    for items in COMMANDS:
        secret = material.password()
        written = ", ".join(_quoted(item.format(secret)) for item in items)
        yield Case(" ".join(items), "list", "common", secret, f"    command: [{written}]")
    for text in TEXTS:
        secret = material.password()
        filled = text.format(secret, secret)
        yield Case(text, "script", "common", secret, f"    command:\n    - bash\n    - -c\n    - {_block(filled)}")


def detected_cases() -> Iterator[Case]:
    """Yield the secrets that `render` accepts and `check` does not."""
    material = Material(13)
    for kind, source, recipe in DETECTED:
        for place in ("environment", "script", "comment", "parameter"):
            secret = recipe(material)
            yield Case(kind, place, source, secret, PLACES[place](secret))

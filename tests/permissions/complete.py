"""One environment with every policy that gen-infra renders, and the requests that AWS itself makes with them.

The emulator makes no such request: each row has the page that says that AWS, or a program of AWS's, makes it.
"""

from __future__ import annotations

NAME = "complete"
_BUILD_IMAGE = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/codebuild@sha256:{'0123456789abcdef' * 4}"
MANIFEST = """\
name: complete
account: "123456789012"
region: us-east-1
tags: {Project: genomics}
state: {bucket: genomics-tfstate-123456789012}
iam: {permissions_boundary: "arn:aws:iam::123456789012:policy/developer-boundary"}
network: {create: {cidr: 10.60.0.0/20, nat: one, endpoints: true}}
notifications:
  blocked_queues: [genomics-ops@example.com]
  critical: [genomics-ops@example.com]
  warning: [genomics-ops@example.com]
  failed_jobs: {percent: 20}
  waiting_minutes: 120
  invalid_compute_environments: true
  spot_interruptions: {attempts: 10}
  failed_image_builds: true
  image_age_days: 45
  dead_letters: true
  dashboard: true
  budget: {usd_a_month: 5000, emails: [genomics-ops@example.com], stop_queues_at: 120}
buckets:
  reference: {name: aws-batch-genomics-resources, access: read, kms_key: REFERENCE_KEY}
  results: {name: genomics-results-123456789012, access: write, prefix: results/, kms_key: OWNERS_KEY}
  moved: {name: genomics-results-123456789012, access: delete, prefix: moved/, kms_key: OWNERS_KEY}
  work: {name: genomics-results-123456789012, access: work, prefix: work/, kms_key: OWNERS_KEY}
file_systems: {shared: {efs: create, infrequent_access_days: 30}}
repositories: [caller]
image:
  parameter: /gen-infra/prod/ami
  scratch: {size_gib: 100}
  rebuild:
    schedule: cron(0 3 ? * SUN *)
    bucket: genomics-results-123456789012
    codebuild_image: BUILD_IMAGE
    notify: [genomics-ops@example.com]
compute:
  spot: {type: SPOT, max_vcpus: 64}
  fleet: {type: SPOT, allocation_strategy: BEST_FIT, service_role: create, max_vcpus: 16}
  mpi:
    type: EC2
    max_vcpus: 144
    instance_types: [c5n.18xlarge]
    placement_group: mpi
    capacity_reservation: cr-0123456789abcdef0
queues:
  main: {priority: 10, compute: [spot]}
  slow: {priority: 1, compute: [fleet, mpi], fair_share: {shares: {clinic: 0.5}}}
jobs:
  align: {image: "caller:1.0", vcpus: 1, memory_mib: 512, buckets: [reference, results]}
  given: {image: "caller:1.0", vcpus: 1, memory_mib: 512, role: "arn:aws:iam::123456789012:role/central/batchJob"}
  move: {image: "caller:1.0", vcpus: 1, memory_mib: 512, buckets: [moved]}
  work: {image: "caller:1.0", vcpus: 1, memory_mib: 512, buckets: [work]}
  annotate:
    image: registry.example.org/lab/annotate:2.4
    vcpus: 1
    memory_mib: 512
    repository_credentials: arn:aws:secretsmanager:us-east-1:123456789012:secret:lab/registry-AbCdEf
    efs:
      shared: {file_system: shared, mount: /shared}
  call:
    image: caller:1.0
    vcpus: 1
    memory_mib: 512
    queue: slow
    scheduling_priority: 1
    secrets:
      LICENCE: {arn: "arn:aws:ssm:us-east-1:123456789012:parameter/genomics/licence", kms_key: OWNERS_KEY}
      PASSWORD:
        arn: "arn:aws:secretsmanager:us-east-1:123456789012:secret:genomics/database-AbCdEf"
        kms_key: OWNERS_KEY
    efs:
      reference: {file_system: fs-0123456789abcdef0, access_point: fsap-0123456789abcdef0, mount: /reference}
workflows:
  germline:
    input: {sample: text, fastq1: s3-object, fastq2: s3-object}
    steps:
      align: {job: align}
      work: {job: work, after: [align]}
    many: {bucket: results, max_concurrency: 2}
    on_failure: {notify: [genomics-ops@example.com]}
""".replace("BUILD_IMAGE", _BUILD_IMAGE)

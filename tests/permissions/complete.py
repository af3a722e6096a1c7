"""One environment with every policy that gen-infra renders, and the requests that AWS itself makes with them.

The emulator makes no such request: each row has the page that says that AWS, or a program of AWS's, makes it.
"""

from __future__ import annotations

NAME = "complete"
MANIFEST = """\
name: complete
account: "123456789012"
region: us-east-1
tags: {Project: genomics}
state: {bucket: genomics-tfstate-123456789012}
iam: {permissions_boundary: "arn:aws:iam::123456789012:policy/developer-boundary"}
network: {create: {cidr: 10.60.0.0/20, nat: one}}
notifications: {blocked_queues: [genomics-ops@example.com]}
buckets:
  reference: {name: aws-batch-genomics-resources, access: read, kms_key: REFERENCE_KEY}
  results: {name: genomics-results-123456789012, access: write, prefix: results/, kms_key: OWNERS_KEY}
  moved: {name: genomics-results-123456789012, access: delete, prefix: moved/, kms_key: OWNERS_KEY}
  work: {name: genomics-results-123456789012, access: work, prefix: work/, kms_key: OWNERS_KEY}
repositories: [caller]
image:
  parameter: /gen-infra/prod/ami
  scratch: {size_gib: 100}
  rebuild:
    schedule: cron(0 3 ? * SUN *)
    bucket: genomics-results-123456789012
    notify: [genomics-ops@example.com]
compute:
  spot: {type: SPOT, max_vcpus: 64}
  fleet: {type: SPOT, allocation_strategy: BEST_FIT, service_role: create, max_vcpus: 16}
queues:
  main: {priority: 10, compute: [spot]}
  slow: {priority: 1, compute: [fleet]}
jobs:
  align: {image: "caller:1.0", vcpus: 1, memory_mib: 512, buckets: [reference, results]}
  move: {image: "caller:1.0", vcpus: 1, memory_mib: 512, buckets: [moved]}
  work: {image: "caller:1.0", vcpus: 1, memory_mib: 512, buckets: [work]}
  annotate:
    image: registry.example.org/lab/annotate:2.4
    vcpus: 1
    memory_mib: 512
    repository_credentials: arn:aws:secretsmanager:us-east-1:123456789012:secret:lab/registry-AbCdEf
  call:
    image: caller:1.0
    vcpus: 1
    memory_mib: 512
    queue: slow
    secrets:
      LICENCE: {arn: "arn:aws:ssm:us-east-1:123456789012:parameter/genomics/licence", kms_key: OWNERS_KEY}
      PASSWORD:
        arn: "arn:aws:secretsmanager:us-east-1:123456789012:secret:genomics/database-AbCdEf"
        kms_key: OWNERS_KEY
    efs:
      reference: {file_system: fs-0123456789abcdef0, access_point: fsap-0123456789abcdef0, mount: /reference}
"""

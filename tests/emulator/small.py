"""A small environment with a piece of each usual kind; tests that apply it share one, see `Session.applied`."""

# In the network that each seeded account has.
HEAD = """\
name: small
account: "123456789012"
region: us-east-1
state: local
network:
  lookup: {vpc: {Name: genomics}, subnets: {Tier: private}, security_groups: {Name: genomics-batch}}
"""
SMALL = f"""{HEAD}\
buckets: {{results: {{name: genomics-results-123456789012, access: write, prefix: small/}}}}
compute: {{spot: {{max_vcpus: 64}}}}
queues: {{main: {{priority: 1, compute: [spot]}}}}
jobs:
  tool: {{image: "public.ecr.aws/docker/library/busybox:1", vcpus: 2, memory_mib: 2048, buckets: [results]}}
"""
MANIFESTS = {"small.yaml": SMALL}

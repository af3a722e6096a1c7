"""What each command may call, and the policies of the roles of people and CI; pure functions of a manifest.

    documents(manifest, "apply") -> policy documents, each within IAM's limit

`calls` is the one table of which API calls each command makes, and on what; those of Terraform's provider are in
`provider_calls`, by resource type. `scopes` says which ARNs and conditions that is in an environment. `policies` makes
statements of both, `trust` says who may assume the role.
"""

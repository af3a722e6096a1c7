"""The OCI distribution API: its requests, its error codes, and the passwords of ECR's registry. `registry` answers.

https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
"""

"""boto3: credentials and account, jobs, the state bucket, what a destroyed environment left behind.

Importing any module of this package does not import boto3; the first :func:`gen_infra.aws.session.clients` does.
"""

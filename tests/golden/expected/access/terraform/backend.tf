terraform {
  # The bucket encrypts with KMS by default; `encrypt = true` would request AES256 instead.
  backend "s3" {
    bucket       = "genomics-tfstate-123456789012"
    key          = "gen-infra/shared/terraform.tfstate"
    region       = "us-east-1"
    use_lockfile = true
  }
}

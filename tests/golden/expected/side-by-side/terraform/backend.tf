terraform {
  # The bucket's own default encrypts, with KMS; `encrypt = true` would ask for AES256 in its place.
  backend "s3" {
    bucket       = "genomics-tfstate-123456789012"
    key          = "gen-infra/stable/terraform.tfstate"
    region       = "us-east-1"
    use_lockfile = true
  }
}

# A wrong variable or profile cannot reach another account: the provider stops before it reads anything.
provider "aws" {
  region              = "us-east-1"
  allowed_account_ids = ["123456789012"]

  default_tags {
    tags = {
      "gen-infra:cost"        = "pinned"
      "gen-infra:environment" = "pinned"
    }
  }
}

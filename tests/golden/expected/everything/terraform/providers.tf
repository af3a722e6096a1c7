# A wrong variable or profile cannot reach another account: the provider stops before it reads anything.
provider "aws" {
  region              = "us-gov-west-1"
  allowed_account_ids = ["210987654321"]

  default_tags {
    tags = {
      Project                 = "genomics"
      "Cost Center"           = "47/11"
      "gen-infra:cost"        = "everything"
      "gen-infra:environment" = "everything"
    }
  }
}

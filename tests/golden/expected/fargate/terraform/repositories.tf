# Where the jobs' container images are kept.

module "repository_reporter" {
  source = "./modules/repository"

  name        = "fargate/reporter"
  kms_key_arn = local.kms_key_arn
}

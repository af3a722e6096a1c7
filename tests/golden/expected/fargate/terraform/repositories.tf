# The repositories of the jobs' container images.

module "repository_reporter" {
  source = "./modules/repository"

  name        = "fargate/reporter"
  kms_key_arn = local.kms_key_arn
}

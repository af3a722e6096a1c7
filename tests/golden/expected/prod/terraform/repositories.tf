# The repositories of the jobs' container images.

module "repository_isaac" {
  source = "./modules/repository"

  name        = "prod/isaac"
  kms_key_arn = local.kms_key_arn
}

module "repository_strelka" {
  source = "./modules/repository"

  name        = "prod/strelka"
  kms_key_arn = local.kms_key_arn
}

module "repository_snpeff" {
  source = "./modules/repository"

  name        = "prod/snpeff"
  kms_key_arn = local.kms_key_arn
}

module "repository_samtools_stats" {
  source = "./modules/repository"

  name        = "prod/samtools_stats"
  kms_key_arn = local.kms_key_arn
}

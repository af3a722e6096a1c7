# The repositories of the jobs' container images.

module "repository_isaac" {
  source = "./modules/repository"

  name        = "dev/isaac"
  kms_key_arn = local.kms_key_arn
}

module "repository_strelka" {
  source = "./modules/repository"

  name        = "dev/strelka"
  kms_key_arn = local.kms_key_arn
}

module "repository_snpeff" {
  source = "./modules/repository"

  name        = "dev/snpeff"
  kms_key_arn = local.kms_key_arn
}

module "repository_samtools_stats" {
  source = "./modules/repository"

  name        = "dev/samtools_stats"
  kms_key_arn = local.kms_key_arn
}

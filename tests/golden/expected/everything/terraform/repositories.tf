# The repositories of the jobs' container images.

module "repository_team_aligner_v2" {
  source = "./modules/repository"

  name        = "everything/team/aligner.v2"
  kms_key_arn = local.kms_key_arn
}

# The last applied manifest, for comparison in the next plan. It depends on all other resources, so that it keeps its
# value when an apply fails. It need not name roles, policies and log groups, on which other resources depend.
resource "terraform_data" "manifest" {
  input = jsondecode(file("${path.module}/manifest.json"))

  depends_on = [
    module.encryption,
    module.job_functions,
    module.compute_spot,
    aws_ecr_repository.isaac,
    aws_cloudwatch_log_group.existing,
    aws_iam_role.existing,
    aws_iam_instance_profile.existing,
    aws_batch_job_queue.main,
    aws_batch_job_definition.isaac,
    aws_batch_job_definition.strelka,
  ]
}

# The last applied manifest, for comparison in the next plan. It depends on all other resources, so that it keeps its
# value when an apply fails. It need not name roles, policies and log groups, on which other resources depend.
resource "terraform_data" "manifest" {
  input = jsondecode(file("${path.module}/manifest.json"))

  depends_on = [
    module.encryption,
    module.environment_alarms,
    module.image_builder,
    module.instance_role,
    module.job_functions,
    module.network,
    module.compute_chinaEnv,
    module.repository_isaac,
    aws_batch_job_queue.main,
    aws_batch_job_definition.isaac,
  ]
}

# The manifest as it was applied last, for the next plan to compare with. It waits for all else: where an apply fails
# halfway, it stays as it was. Roles, policies, log groups and scheduling policies stand behind what they are made for.
resource "terraform_data" "manifest" {
  input = jsondecode(file("${path.module}/manifest.json"))

  depends_on = [
    module.encryption,
    module.image_builder,
    module.instance_role,
    module.job_functions,
    module.network,
    module.compute_mpiEnv,
    aws_batch_job_queue.mpi,
    aws_batch_job_definition.assemble,
  ]
}

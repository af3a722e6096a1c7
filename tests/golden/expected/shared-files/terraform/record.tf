# The last applied manifest, for comparison in the next plan. It depends on all other resources, so that it keeps its
# value when an apply fails. It need not name roles, policies and log groups, on which other resources depend.
resource "terraform_data" "manifest" {
  input = jsondecode(file("${path.module}/manifest.json"))

  depends_on = [
    module.encryption,
    module.image_builder,
    module.instance_role,
    module.job_functions,
    module.network,
    module.compute_main,
    module.file_system_refs,
    module.engine_nextflow,
    aws_batch_job_queue.main,
    aws_batch_job_definition.fetch,
    aws_batch_job_definition.align,
  ]
}

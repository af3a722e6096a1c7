# The last applied manifest, for comparison in the next plan. It depends on all other resources, so that it keeps its
# value when an apply fails. It need not name roles, policies and log groups, on which other resources depend.
resource "terraform_data" "manifest" {
  input = jsondecode(file("${path.module}/manifest.json"))

  depends_on = [
    module.encryption,
    module.image_builder,
    module.image_pipeline,
    module.instance_role,
    module.compute_spot,
    aws_batch_job_queue.main,
  ]
}

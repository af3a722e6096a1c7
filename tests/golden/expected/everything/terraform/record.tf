# The manifest as it was applied last, for the next plan to compare with. It waits for all else: where an apply fails
# halfway, it stays as it was. Roles, policies, log groups and scheduling policies stand behind what they are made for.
resource "terraform_data" "manifest" {
  input = jsondecode(file("${path.module}/manifest.json"))

  depends_on = [
    module.image_builder,
    module.instance_role,
    module.job_functions,
    module.queue_notifications,
    module.service_role,
    module.spot_fleet_role,
    module.compute_fleet,
    module.compute_steady,
    module.repository_team_aligner_v2,
    aws_batch_job_queue.fair,
    aws_batch_job_queue.stopped,
    aws_batch_job_definition.align,
    aws_batch_job_definition.elsewhere,
  ]
}

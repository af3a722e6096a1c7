# The last applied manifest, for comparison in the next plan. It depends on all other resources, so that it keeps its
# value when an apply fails. It need not name roles, policies and log groups, on which other resources depend.
resource "terraform_data" "manifest" {
  input = jsondecode(file("${path.module}/manifest.json"))

  depends_on = [
    module.dashboard,
    module.environment_alarms,
    module.image_builder,
    module.instance_role,
    module.job_functions,
    module.queue_notifications,
    module.service_role,
    module.spot_fleet_role,
    module.compute_fleet,
    module.compute_steady,
    module.file_system_shared,
    module.repository_team_aligner_v2,
    aws_batch_job_queue.fair,
    aws_batch_job_queue.stopped,
    aws_batch_job_definition.align,
    aws_batch_job_definition.elsewhere,
    aws_cloudwatch_log_group.batch_default,
  ]
}

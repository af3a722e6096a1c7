output "compute_environments" {
  description = "Names of the compute environments, by the manifest's keys."
  value = {
    fleet  = module.compute_fleet.name
    steady = module.compute_steady.name
  }
}

output "file_systems" {
  description = "Ids of the file systems that this environment creates."
  value = {
    shared = module.file_system_shared.id
  }
}

output "job_definitions" {
  description = "ARNs of the job definitions, without revision: Batch takes the newest."
  value = {
    align     = aws_batch_job_definition.align.arn_prefix
    elsewhere = aws_batch_job_definition.elsewhere.arn_prefix
  }
}

output "job_functions" {
  description = "Names of the functions that submit jobs and return their status."
  value = {
    submit = module.job_functions.submit_function_name
    status = module.job_functions.status_function_name
  }
}

output "job_queues" {
  description = "Names of the job queues."
  value = {
    fair    = aws_batch_job_queue.fair.name
    stopped = aws_batch_job_queue.stopped.name
  }
}

output "kms_key_arn" {
  description = "The key of volumes, logs, images and functions."
  value       = "arn:aws-us-gov:kms:us-gov-west-1:210987654321:key/1234abcd-12ab-34cd-56ef-1234567890ab"
}

output "repositories" {
  description = "URLs to push the container images to."
  value = {
    "team/aligner.v2" = module.repository_team_aligner_v2.url
  }
}

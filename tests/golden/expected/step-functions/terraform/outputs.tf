output "compute_environments" {
  description = "Names of the compute environments, by the manifest's keys."
  value = {
    spot = module.compute_spot.name
  }
}

output "job_definitions" {
  description = "ARNs of the job definitions, without revision: Batch takes the newest."
  value = {
    align    = aws_batch_job_definition.align.arn_prefix
    call     = aws_batch_job_definition.call.arn_prefix
    annotate = aws_batch_job_definition.annotate.arn_prefix
    stats    = aws_batch_job_definition.stats.arn_prefix
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
    urgent  = aws_batch_job_queue.urgent.name
    routine = aws_batch_job_queue.routine.name
  }
}

output "kms_key_arn" {
  description = "The key of volumes, logs, images and functions."
  value       = module.encryption.key_arn
}

output "repositories" {
  description = "URLs to push the container images to."
  value       = {}
}

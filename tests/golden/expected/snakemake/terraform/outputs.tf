output "compute_environments" {
  description = "Names of the compute environments, by the manifest's keys."
  value = {
    spot = module.compute_spot.name
  }
}

output "job_definitions" {
  description = "ARNs of the job definitions, without revision: Batch takes the newest."
  value = {
    rules = aws_batch_job_definition.rules.arn_prefix
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
    rules = aws_batch_job_queue.rules.name
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

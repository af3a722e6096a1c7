output "compute_environments" {
  description = "Names of the compute environments, by the manifest's keys."
  value = {
    genomicsEnv = module.compute_genomicsEnv.name
  }
}

output "job_definitions" {
  description = "ARNs of the job definitions, without revision: Batch takes the newest."
  value = {
    isaac = aws_batch_job_definition.isaac.arn_prefix
    stats = aws_batch_job_definition.stats.arn_prefix
    hello = aws_batch_job_definition.hello.arn_prefix
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
    highPriority = aws_batch_job_queue.highPriority.name
    lowPriority  = aws_batch_job_queue.lowPriority.name
  }
}

output "kms_key_arn" {
  description = "The key of volumes, logs, images and functions."
  value       = module.encryption.key_arn
}

output "repositories" {
  description = "URLs to push the container images to."
  value = {
    isaac = module.repository_isaac.url
  }
}

output "compute_environments" {
  description = "Names of the compute environments, by the manifest's keys."
  value = {
    spot     = module.compute_spot.name
    onDemand = module.compute_onDemand.name
  }
}

output "job_definitions" {
  description = "ARNs of the job definitions, without revision: Batch takes the newest."
  value = {
    nextflow-head = aws_batch_job_definition.nextflow-head.arn_prefix
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
    tasks = aws_batch_job_queue.tasks.name
    heads = aws_batch_job_queue.heads.name
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

output "compute_environments" {
  description = "Names of the compute environments, by the manifest's keys."
  value = {
    wdlSpot = module.compute_wdlSpot.name
  }
}

output "job_definitions" {
  description = "ARNs of the job definitions, without revision: Batch takes the newest."
  value       = {}
}

output "job_functions" {
  description = "Names of the functions that submit jobs and return their status."
  value       = {}
}

output "job_queues" {
  description = "Names of the job queues."
  value = {
    wdl = aws_batch_job_queue.wdl.name
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

output "compute_environments" {
  description = "Names of the compute environments, by the manifest's keys."
  value = {
    spot = module.compute_spot.name
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
    main = aws_batch_job_queue.main.name
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

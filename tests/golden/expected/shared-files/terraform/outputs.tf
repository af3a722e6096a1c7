output "compute_environments" {
  description = "Names of the compute environments, by the manifest's keys."
  value = {
    main = module.compute_main.name
  }
}

output "file_systems" {
  description = "Ids of the file systems that this environment creates."
  value = {
    refs = module.file_system_refs.id
  }
}

output "job_definitions" {
  description = "ARNs of the job definitions, without revision: Batch takes the newest."
  value = {
    fetch = aws_batch_job_definition.fetch.arn_prefix
    align = aws_batch_job_definition.align.arn_prefix
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

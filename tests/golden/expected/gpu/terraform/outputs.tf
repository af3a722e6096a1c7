output "compute_environments" {
  description = "Names of the compute environments, by the manifest's keys."
  value = {
    gpuEnv   = module.compute_gpuEnv.name
    alignEnv = module.compute_alignEnv.name
  }
}

output "job_definitions" {
  description = "ARNs of the job definitions, without revision: Batch takes the newest."
  value = {
    basecall = aws_batch_job_definition.basecall.arn_prefix
    align    = aws_batch_job_definition.align.arn_prefix
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
    gpu   = aws_batch_job_queue.gpu.name
    align = aws_batch_job_queue.align.name
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

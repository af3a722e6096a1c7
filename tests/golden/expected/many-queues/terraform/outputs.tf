output "compute_environments" {
  description = "Names of the compute environments, by the manifest's keys."
  value = {
    memoryEnv   = module.compute_memoryEnv.name
    parallelEnv = module.compute_parallelEnv.name
    steadyEnv   = module.compute_steadyEnv.name
  }
}

output "job_definitions" {
  description = "ARNs of the job definitions, without revision: Batch takes the newest."
  value = {
    assemble = aws_batch_job_definition.assemble.arn_prefix
    call     = aws_batch_job_definition.call.arn_prefix
    report   = aws_batch_job_definition.report.arn_prefix
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
    assembly = aws_batch_job_queue.assembly.name
    calling  = aws_batch_job_queue.calling.name
    reports  = aws_batch_job_queue.reports.name
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

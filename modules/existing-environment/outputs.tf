output "arn" {
  description = "ARN, for the compute_environment_order of a queue."
  value       = aws_batch_compute_environment.this.arn
}

output "name" {
  description = "Name."
  value       = aws_batch_compute_environment.this.compute_environment_name
}

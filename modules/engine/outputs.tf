output "head_role_arn" {
  description = "ARN of the role that the engine itself runs as."
  value       = aws_iam_role.head.arn
}

output "worker_role_arn" {
  description = "ARN of the role that the engine's tasks run as."
  value       = aws_iam_role.worker.arn
}

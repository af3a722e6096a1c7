output "head_role_arn" {
  description = "ARN of the role that the engine itself runs as."
  value       = aws_iam_role.head.arn
}

output "head_role_name" {
  description = "Name of the role that the engine itself runs as."
  value       = aws_iam_role.head.name
}

output "worker_role_arn" {
  description = "ARN of the role that the engine's tasks run as."
  value       = aws_iam_role.worker.arn
}

output "worker_role_name" {
  description = "Name of the role that the engine's tasks run as."
  value       = aws_iam_role.worker.name
}

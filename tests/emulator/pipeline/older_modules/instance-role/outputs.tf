output "instance_profile_arn" {
  description = "ARN of the instance profile, once the role has its policies: what uses it is created after and deleted before them."
  value       = aws_iam_instance_profile.this.arn
  depends_on  = [aws_iam_role_policy_attachment.this]
}

output "role_arn" {
  description = "ARN of the role."
  value       = aws_iam_role.this.arn
}

output "role_name" {
  description = "Name of the role, to attach further policies to."
  value       = aws_iam_role.this.name
}

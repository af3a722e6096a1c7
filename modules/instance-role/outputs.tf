output "instance_profile_arn" {
  description = "ARN of the instance profile, once the role has its policies: what uses it is created after and deleted before them."
  value       = aws_iam_instance_profile.this.arn

  depends_on = [
    aws_iam_role_policy.agent,
    aws_iam_role_policy.images,
    aws_iam_role_policy.logs,
    aws_iam_role_policy.session,
  ]
}

output "role_arn" {
  description = "ARN of the role."
  value       = aws_iam_role.this.arn
}

output "role_name" {
  description = "Name of the role, to attach further policies to."
  value       = aws_iam_role.this.name
}

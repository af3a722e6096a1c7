output "instance_profile_name" {
  description = "Name of the instance profile, once the role has its policy: for Packer's iam_instance_profile."
  value       = aws_iam_instance_profile.this.name
}

output "role_arn" {
  description = "ARN of the role, for the policies of callers that pass it to the builder."
  value       = aws_iam_role.this.arn
}

# A client that uses them can mount: the targets and the policies exist by then.
output "access_point_id" {
  description = "Id of the access point, through which alone roles may mount the file system."
  value       = aws_efs_access_point.this.id

  depends_on = [
    aws_efs_file_system_policy.this,
    aws_efs_mount_target.this,
    aws_iam_role_policy.readers,
    aws_iam_role_policy.writers,
    aws_vpc_security_group_ingress_rule.clients,
  ]
}

output "arn" {
  description = "ARN of the file system."
  value       = aws_efs_file_system.this.arn
}

output "id" {
  description = "Id of the file system."
  value       = aws_efs_file_system.this.id
}

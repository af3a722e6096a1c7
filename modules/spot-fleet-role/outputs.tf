output "arn" {
  description = "ARN of the role, once it has its policy; a literal, so that it is known in the plan."
  value       = "arn:${var.partition}:iam::${var.account_id}:role${var.iam_path}${var.name}"
  depends_on  = [aws_iam_role_policy_attachment.this]
}

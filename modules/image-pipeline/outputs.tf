output "log_group_name" {
  description = "Name of the log group of the builds."
  value       = aws_cloudwatch_log_group.this.name
}

output "project_name" {
  description = "Name of the CodeBuild project; start it with codebuild:StartBuild to build now."
  value       = aws_codebuild_project.this.name
}

output "role_arn" {
  description = "ARN of the role that builds, for key policies that name who may use a key."
  value       = aws_iam_role.build.arn
}

output "topic_arn" {
  description = "ARN of the topic for failures."
  value       = aws_sns_topic.this.arn
}

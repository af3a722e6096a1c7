output "alarm_names" {
  description = "Names of the alarms by severity, for dashboards and composite alarms."

  value = {
    critical = concat(local.alarms.critical, local.of_severity_rules.warning)
    warning  = concat(local.alarms.warning, local.of_severity_rules.critical)
  }
}

output "dead_letter_queue_arn" {
  description = "ARN of the queue that holds the events that the function gave up."
  value       = aws_sqs_queue.dead_letters.arn
}

output "function_name" {
  description = "Name of the function; null if it was deleted outside Terraform."
  value       = try(aws_lambda_function.this.function_name, null)
}

output "topic_arns" {
  description = "ARNs of the topics by severity, for more subscriptions."
  value       = { for severity, topic in aws_sns_topic.this : severity => topic.arn }
}

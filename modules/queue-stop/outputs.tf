output "function_name" {
  description = "Name of the function that disables the queues."
  value       = aws_lambda_function.this.function_name
}

output "topic_arn" {
  description = "ARN of the topic that AWS Budgets notifies; its messages start the function."
  value       = aws_sns_topic.this.arn

  # A message before the subscription would be lost.
  depends_on = [aws_sns_topic_policy.this, aws_sns_topic_subscription.this]
}

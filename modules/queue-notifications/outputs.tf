output "topic_arn" {
  description = "ARN of the topic, for more subscriptions."
  value       = aws_sns_topic.this.arn
}

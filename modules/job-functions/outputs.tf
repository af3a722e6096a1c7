# Null if the function was deleted outside Terraform, so that a refresh-only plan can still show it.

output "dead_letter_queue_arn" {
  description = "ARN of the queue that holds the asynchronous events that failed."
  value       = aws_sqs_queue.dead_letters.arn
}

output "status_function_arn" {
  description = "ARN of batchGetJobStatus."
  value       = try(aws_lambda_function.this["status"].arn, null)
}

output "status_function_name" {
  description = "Name of batchGetJobStatus."
  value       = try(aws_lambda_function.this["status"].function_name, null)
}

output "submit_function_arn" {
  description = "ARN of batchSubmitJob."
  value       = try(aws_lambda_function.this["submit"].arn, null)
}

output "submit_function_name" {
  description = "Name of batchSubmitJob."
  value       = try(aws_lambda_function.this["submit"].function_name, null)
}

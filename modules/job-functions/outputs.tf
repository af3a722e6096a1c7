output "dead_letter_queue_arn" {
  description = "ARN of the queue that holds the asynchronous events that failed."
  value       = aws_sqs_queue.dead_letters.arn
}

output "status_function_arn" {
  description = "ARN of batchGetJobStatus."
  value       = aws_lambda_function.this["status"].arn
}

output "status_function_name" {
  description = "Name of batchGetJobStatus."
  value       = aws_lambda_function.this["status"].function_name
}

output "submit_function_arn" {
  description = "ARN of batchSubmitJob."
  value       = aws_lambda_function.this["submit"].arn
}

output "submit_function_name" {
  description = "Name of batchSubmitJob."
  value       = aws_lambda_function.this["submit"].function_name
}

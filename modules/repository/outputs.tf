output "arn" {
  description = "ARN of the repository."
  value       = aws_ecr_repository.this.arn
}

output "name" {
  description = "Name of the repository."
  value       = aws_ecr_repository.this.name
}

output "url" {
  description = "The URL to push to and pull from, without a tag."
  value       = aws_ecr_repository.this.repository_url
}

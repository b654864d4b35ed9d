output "repository_name" {
  description = "The repository's name."
  value       = aws_ecr_repository.this.id
}

output "repository_url" {
  description = "What to push to and pull from."
  value       = aws_ecr_repository.this.repository_url
}

output "repository_arn" {
  description = "The repository's ARN."
  value       = aws_ecr_repository.this.arn
}

output "registry_id" {
  description = "The account that the repository belongs to."
  value       = aws_ecr_repository.this.registry_id
}

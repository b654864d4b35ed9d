output "role_arn" {
  description = "What a workflow gives to aws-actions/configure-aws-credentials as role-to-assume."
  value       = aws_iam_role.push.arn
}

output "role_name" {
  description = "The role's name."
  value       = aws_iam_role.push.name
}

output "oidc_provider_arn" {
  description = "ARN of the OIDC provider that the role trusts."
  value       = local.provider_arn
}

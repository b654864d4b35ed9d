locals {
  registry_host  = one(distinct([for repository in aws_ecr_repository.this : split("/", repository.repository_url)[0]]))
  password       = "aws ecr get-login-password --region ${local.region}"
  pull_secret_of = "${replace("${var.project_name}-${var.environment}", "_", "-")}-ecr"
}

output "repository_urls" {
  description = "What to push to and pull from, by the names of repository_names."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.repository_url }
}

output "repository_arns" {
  description = "ARNs of the private repositories, by the names of repository_names."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.arn }
}

output "public_repository_urls" {
  description = "What to push to and pull from in ECR Public, by the names of public_repository_names."
  value       = { for name, repository in aws_ecrpublic_repository.this : name => repository.repository_uri }
}

output "docker_login_command" {
  description = "Logs docker in to the registry for twelve hours; null without private repositories."
  value       = local.registry_host == null ? null : "${local.password} | docker login --username AWS --password-stdin ${local.registry_host}"
}

output "docker_commands" {
  description = "For each name of repository_names, the commands that build its image from the current directory, tag it and push it."
  value = {
    for name, repository in aws_ecr_repository.this : name => {
      build = "docker build --tag ${repository.name}:latest ."
      tag   = "docker tag ${repository.name}:latest ${repository.repository_url}:latest"
      push  = "docker push ${repository.repository_url}:latest"
    }
  }
}

output "k8s_image_pull_secret" {
  description = "Creates or renews the secret by which Kubernetes pulls, in the current namespace, for twelve hours; null without private repositories. No password is kept in the state."
  value = local.registry_host == null ? null : join(" ", [
    "kubectl create secret docker-registry ${local.pull_secret_of}",
    "--docker-server=${local.registry_host} --docker-username=AWS",
    "--docker-password=\"$(${local.password})\" --dry-run=client --output=yaml | kubectl apply --filename=-",
  ])
}

resource "aws_ecr_replication_configuration" "this" {
  count = length(var.replication_regions) > 0 ? 1 : 0

  replication_configuration {
    rule {
      dynamic "destination" {
        for_each = var.replication_regions

        content {
          region      = destination.value
          registry_id = data.aws_caller_identity.current[0].account_id
        }
      }

      repository_filter {
        filter      = local.name_prefix
        filter_type = "PREFIX_MATCH"
      }
    }
  }

  lifecycle {
    precondition {
      condition     = !contains(var.replication_regions, local.region)
      error_message = "replication_regions must not name the registry's own region."
    }
  }
}

resource "aws_ecr_registry_scanning_configuration" "this" {
  count = var.registry_scanning_type == null ? 0 : 1

  scan_type = var.registry_scanning_type

  dynamic "rule" {
    for_each = var.scan_on_push ? [var.registry_scanning_type == "ENHANCED" ? "CONTINUOUS_SCAN" : "SCAN_ON_PUSH"] : []

    content {
      scan_frequency = rule.value

      repository_filter {
        filter      = "${local.name_prefix}*"
        filter_type = "WILDCARD"
      }
    }
  }
}

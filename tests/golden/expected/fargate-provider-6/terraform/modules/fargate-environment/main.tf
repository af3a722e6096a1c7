# AWS never changes the type of a Fargate compute environment: a change here replaces the compute environment.
resource "terraform_data" "replacement" {
  input = var.type
}

resource "aws_batch_compute_environment" "this" {
  name_prefix = "${var.name}-"

  type  = "MANAGED"
  state = var.state
  tags  = var.tags

  compute_resources {
    type               = var.type
    max_vcpus          = var.max_vcpus
    subnets            = var.subnet_ids
    security_group_ids = var.security_group_ids
  }

  lifecycle {
    # A queue needs its compute environment: the replacement is created before the old one is destroyed.
    create_before_destroy = true
    replace_triggered_by  = [terraform_data.replacement]
  }
}

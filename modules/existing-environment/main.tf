# Everything but the tags stays as it is in AWS. Another module at the same address, with a name prefix, replaces it: the
# successor is created first, as for every compute environment.
resource "aws_batch_compute_environment" "this" {
  compute_environment_name = var.name

  type = "MANAGED"
  tags = var.tags

  lifecycle {
    create_before_destroy = true
    ignore_changes        = [compute_resources, eks_configuration, service_role, state, type, update_policy]
  }
}

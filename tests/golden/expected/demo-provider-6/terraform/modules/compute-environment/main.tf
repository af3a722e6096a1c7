locals {
  # Only these let Batch change a running compute environment (the infrastructure update).
  updated_in_place = (
    var.service_role_arn == null &&
    contains(["BEST_FIT_PROGRESSIVE", "SPOT_CAPACITY_OPTIMIZED", "SPOT_PRICE_CAPACITY_OPTIMIZED"], var.allocation_strategy)
  )

  volumes = merge({ "/dev/xvda" = var.root_volume }, var.scratch_volume == null ? {} : { "/dev/sdb" = var.scratch_volume })
  tags    = merge(var.tags, { Name = var.name })
}

resource "aws_launch_template" "this" {
  name_prefix            = "${var.name}-"
  description            = "Instances of the compute environment ${var.name}"
  update_default_version = true
  user_data              = var.user_data == null ? null : base64encode(var.user_data)

  # Its only name for IAM: EC2 has no condition key for a launch template's own name.
  tags = { Name = var.name }

  dynamic "block_device_mappings" {
    for_each = local.volumes

    content {
      device_name = block_device_mappings.key

      ebs {
        delete_on_termination = true
        encrypted             = true
        kms_key_id            = var.kms_key_arn
        iops                  = block_device_mappings.value.iops
        throughput            = block_device_mappings.value.throughput
        volume_size           = block_device_mappings.value.size_gib
        volume_type           = block_device_mappings.value.type
      }
    }
  }

  dynamic "capacity_reservation_specification" {
    for_each = var.capacity_reservation == null ? [] : [var.capacity_reservation]

    content {
      capacity_reservation_preference = capacity_reservation_specification.value == "none" ? "none" : null

      dynamic "capacity_reservation_target" {
        for_each = capacity_reservation_specification.value == "none" ? [] : [capacity_reservation_specification.value]

        content {
          capacity_reservation_id                 = startswith(capacity_reservation_target.value, "cr-") ? capacity_reservation_target.value : null
          capacity_reservation_resource_group_arn = startswith(capacity_reservation_target.value, "arn:") ? capacity_reservation_target.value : null
        }
      }
    }
  }

  # With interfaces here, EC2 requires the security groups here as well, and Batch chooses the subnet.
  # https://docs.aws.amazon.com/batch/latest/userguide/efa.html
  dynamic "network_interfaces" {
    for_each = range(var.efa_interfaces)

    content {
      associate_public_ip_address = false
      delete_on_termination       = true
      device_index                = network_interfaces.value == 0 ? 0 : 1
      interface_type              = "efa"
      network_card_index          = network_interfaces.value
      security_groups             = var.security_group_ids
    }
  }

  # One hop: the instance may ask for its credentials, a container on a bridge network may not.
  metadata_options {
    http_endpoint               = "enabled"
    http_put_response_hop_limit = 1
    http_tokens                 = "required"
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume"])

    content {
      resource_type = tag_specifications.value
      tags          = local.tags
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

# Changes when, and only when, the compute environment must be replaced although the provider plans an update in place:
# for a launch template version that is not known yet, where it ends in "Provider produced inconsistent final plan",
# from the service-linked role to a custom one or back, which Batch refuses, and with EFA or without, because then the
# security groups move between the launch template and the compute environment.
resource "terraform_data" "replacement_trigger" {
  input = local.updated_in_place ? (var.efa_interfaces == 0 ? "in place" : "in place, with EFA") : join(" ", [
    var.service_role_arn == null ? "service-linked role," : "custom role,",
    "launch template version", aws_launch_template.this.latest_version,
  ])

  # Not the compute environment's own: with conditions there, terraform (until 1.15.2 at least) crashes when it applies a plan
  # in which a predecessor is gone already, https://github.com/hashicorp/terraform/issues/38586.
  lifecycle {
    precondition {
      condition     = var.min_vcpus <= var.max_vcpus
      error_message = "min_vcpus (${var.min_vcpus}) is more than max_vcpus (${var.max_vcpus})."
    }

    precondition {
      condition     = var.bid_percentage == null || var.type == "SPOT"
      error_message = "bid_percentage is for type SPOT only."
    }

    precondition {
      condition     = !startswith(var.allocation_strategy, "SPOT_") || var.type == "SPOT"
      error_message = "allocation_strategy ${var.allocation_strategy} is for type SPOT only."
    }

    precondition {
      condition     = (var.spot_fleet_role_arn != null) == (var.type == "SPOT" && var.allocation_strategy == "BEST_FIT")
      error_message = "spot_fleet_role_arn is required for type SPOT with BEST_FIT, and only for that."
    }
  }
}

# Batch changes the type of a compute environment only with the service-linked role; the provider plans an update even
# without.
resource "terraform_data" "type_trigger" {
  input = local.updated_in_place ? "in place" : var.type
}

resource "aws_batch_compute_environment" "this" {
  name_prefix = "${var.name}-"

  type         = "MANAGED"
  state        = var.state
  service_role = var.service_role_arn
  tags         = var.compute_environment_tags

  compute_resources {
    type                = var.type
    allocation_strategy = var.allocation_strategy
    bid_percentage      = var.bid_percentage
    min_vcpus           = var.min_vcpus
    max_vcpus           = var.max_vcpus
    instance_type       = var.instance_types
    instance_role       = var.instance_profile_arn
    spot_iam_fleet_role = var.spot_fleet_role_arn
    placement_group     = var.placement_group
    subnets             = var.subnet_ids
    security_group_ids  = var.efa_interfaces == 0 ? var.security_group_ids : null

    # A change of these replaces the compute environment: the name alone, everything else is tagged by the launch template.
    tags = { Name = var.name }

    # image_id is deprecated, and without a type Batch would take Amazon Linux 2.
    ec2_configuration {
      image_type        = var.image_type
      image_id_override = var.image_id
    }

    # Not $Latest: Batch reads that once, when the compute environment is made.
    launch_template {
      launch_template_id = aws_launch_template.this.id
      version            = aws_launch_template.this.latest_version
    }
  }

  dynamic "update_policy" {
    for_each = local.updated_in_place ? [var.job_execution_timeout_minutes] : []

    content {
      job_execution_timeout_minutes = update_policy.value
      terminate_jobs_on_update      = false
    }
  }

  lifecycle {
    # A queue needs its compute environment: the replacement is created before the old one is destroyed.
    create_before_destroy = true

    # Batch changes the number of vCPUs itself, every few minutes.
    ignore_changes       = [compute_resources[0].desired_vcpus]
    replace_triggered_by = [terraform_data.replacement_trigger, terraform_data.type_trigger]
  }
}

mock_provider "aws" {
  mock_resource "aws_launch_template" {
    defaults = { latest_version = 7 }
  }
}

variables {
  name                 = "genomicsEnv-prod"
  type                 = "SPOT"
  allocation_strategy  = "SPOT_CAPACITY_OPTIMIZED"
  bid_percentage       = 50
  max_vcpus            = 1024
  instance_types       = ["optimal"]
  image_id             = "ami-0123456789abcdef0"
  subnet_ids           = ["subnet-0123456789abcdef0"]
  security_group_ids   = ["sg-0123456789abcdef0"]
  instance_profile_arn = "arn:aws:iam::123456789012:instance-profile/batchInstance-prod"
  kms_key_arn          = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
  scratch_volume       = { size_gib = 1000 }
  tags                 = { Project = "genomics" }

  compute_environment_tags = { Team = "rna" }
}

run "compute_environment" {
  assert {
    condition     = aws_batch_compute_environment.this.compute_environment_name_prefix == "genomicsEnv-prod-" && aws_batch_compute_environment.this.type == "MANAGED"
    error_message = "A successor must be able to stand beside it."
  }

  assert {
    condition = alltrue([
      for r in aws_batch_compute_environment.this.compute_resources :
      r.type == "SPOT" && r.bid_percentage == 50 && r.min_vcpus == 0 && r.max_vcpus == 1024
    ])
    error_message = "Type, bid and vCPUs must be as given, with none kept on by default."
  }

  assert {
    condition     = aws_batch_compute_environment.this.tags == tomap({ Team = "rna" })
    error_message = "The compute environment must have its own tags."
  }

  # A change of any of these tags replaces the environment.
  assert {
    condition     = one(aws_batch_compute_environment.this.compute_resources).tags == tomap({ Name = "genomicsEnv-prod" })
    error_message = "compute_resources must carry the name alone."
  }

  assert {
    condition     = one(one(aws_batch_compute_environment.this.compute_resources).ec2_configuration).image_type == "ECS_AL2023"
    error_message = "The image type must always be given: Batch's own default is Amazon Linux 2."
  }

  assert {
    condition     = one(one(aws_batch_compute_environment.this.compute_resources).ec2_configuration).image_id_override == "ami-0123456789abcdef0"
    error_message = "The image must be given as override."
  }

  assert {
    condition     = one(one(aws_batch_compute_environment.this.compute_resources).launch_template).version == "7"
    error_message = "The launch template must be named by version, not as $Latest."
  }
}

run "instances" {
  assert {
    condition     = one(aws_launch_template.this.metadata_options).http_tokens == "required" && one(aws_launch_template.this.metadata_options).http_put_response_hop_limit == 1
    error_message = "IMDSv2 with one hop."
  }

  assert {
    condition     = { for b in aws_launch_template.this.block_device_mappings : b.device_name => [one(b.ebs).volume_size, one(b.ebs).volume_type] } == { "/dev/xvda" = [100, "gp3"], "/dev/sdb" = [1000, "gp3"] }
    error_message = "Root and scratch volume must have their sizes."
  }

  # No scanner looks at the volumes of a launch template.
  assert {
    condition     = alltrue([for b in aws_launch_template.this.block_device_mappings : one(b.ebs).encrypted == "true" && one(b.ebs).kms_key_id == var.kms_key_arn && one(b.ebs).delete_on_termination == "true"])
    error_message = "Every volume must be encrypted with the key, and go with its instance."
  }

  assert {
    condition     = { for t in aws_launch_template.this.tag_specifications : t.resource_type => t.tags } == { for kind in ["instance", "volume"] : kind => tomap({ Name = "genomicsEnv-prod", Project = "genomics" }) }
    error_message = "Instances and volumes must carry the tags."
  }
}

run "without_scratch" {
  variables {
    scratch_volume = null
    root_volume    = { size_gib = 200, iops = 6000, throughput = 250 }
  }

  assert {
    condition     = [for b in aws_launch_template.this.block_device_mappings : [b.device_name, one(b.ebs).volume_size, one(b.ebs).iops, one(b.ebs).throughput]] == [["/dev/xvda", 200, 6000, 250]]
    error_message = "The root volume alone, as given."
  }
}

run "drained" {
  variables {
    state = "DISABLED"
  }

  assert {
    condition     = aws_batch_compute_environment.this.state == "DISABLED"
    error_message = "The state must reach the environment."
  }
}

run "longest_name" {
  command = plan

  variables {
    name = join("", [for _ in range(98) : "n"])
  }
}

run "plain_interfaces" {
  assert {
    condition     = length(aws_launch_template.this.network_interfaces) == 0 && length(aws_launch_template.this.capacity_reservation_specification) == 0 && aws_launch_template.this.user_data == null
    error_message = "By default there is no adapter, reservation or user data."
  }

  assert {
    condition     = one(aws_batch_compute_environment.this.compute_resources).security_group_ids == toset(["sg-0123456789abcdef0"])
    error_message = "The environment has the security groups."
  }
}

run "adapters_reservation_and_user_data" {
  variables {
    efa_interfaces       = 2
    capacity_reservation = "cr-0123456789abcdef0"
    user_data            = "MIME-Version: 1.0\n"
  }

  assert {
    condition     = [for i in aws_launch_template.this.network_interfaces : [i.interface_type, tostring(i.network_card_index), tostring(i.device_index)]] == [["efa", "0", "0"], ["efa", "1", "1"]]
    error_message = "One adapter on each card, the first of them as the instance's first device."
  }

  assert {
    condition     = alltrue([for i in aws_launch_template.this.network_interfaces : i.security_groups == toset(["sg-0123456789abcdef0"]) && i.associate_public_ip_address == "false"])
    error_message = "Every adapter must have the security groups, and no public address."
  }

  assert {
    condition     = one(aws_batch_compute_environment.this.compute_resources).security_group_ids == null
    error_message = "The launch template has the security groups; Batch would use those of the environment instead."
  }

  assert {
    condition     = terraform_data.replacement.input == "in place, with EFA"
    error_message = "With the first adapter, the security groups move: that must replace the environment."
  }

  assert {
    condition     = one(one(aws_launch_template.this.capacity_reservation_specification).capacity_reservation_target).capacity_reservation_id == "cr-0123456789abcdef0"
    error_message = "The reservation must reach the instances."
  }

  assert {
    condition     = base64decode(aws_launch_template.this.user_data) == "MIME-Version: 1.0\n"
    error_message = "The user data must reach the instances."
  }
}

run "a_group_of_reservations" {
  variables {
    capacity_reservation = "arn:aws:resource-groups:us-east-1:123456789012:group/reserved"
  }

  assert {
    condition     = one(one(aws_launch_template.this.capacity_reservation_specification).capacity_reservation_target).capacity_reservation_resource_group_arn == var.capacity_reservation
    error_message = "The group must reach the instances."
  }
}

run "no_reservation" {
  variables {
    capacity_reservation = "none"
  }

  assert {
    condition     = one(aws_launch_template.this.capacity_reservation_specification).capacity_reservation_preference == "none" && length(one(aws_launch_template.this.capacity_reservation_specification).capacity_reservation_target) == 0
    error_message = "No reservation may be used."
  }
}

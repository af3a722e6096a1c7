# The AMI of this environment's Batch hosts: AWS's ECS-optimized image of Amazon Linux 2023, made ready for scratch.
# Rendered from the manifest: change the manifest and render again.
#
#   packer 1.6, with the Amazon builder built in:   packer build genomics.pkr.hcl
#   packer 1.7 and later, in this folder:           packer init . && packer build .
#
# This file works with both. Packer 1.6 supports neither metadata_options nor imds_support, and a source cannot continue
# in a second file: `gen-infra image build` renders them for a later packer, and always requires IMDSv2 on the finished
# image.

variable "base_version" {
  type        = string
  description = "The version of the base image, for a tag; empty: no tag."
  default     = ""
}

variable "build" {
  type        = string
  description = "A unique name of this build, for a tag; empty: no tag."
  default     = ""
}

variable "ec2_endpoint" {
  type        = string
  description = "Another EC2 API than the region's own."
  default     = ""
}

variable "iam_instance_profile" {
  type        = string
  description = "The builder's instance profile, which can only open a session."
  default     = "batchImageBuilder-pinned"
}

variable "kms_key_id" {
  type        = string
  description = "The key of the volumes, and so of the snapshots."
  default     = "arn:aws:kms:us-east-1:123456789012:alias/batch-pinned"
}

variable "manifest_file" {
  type        = string
  description = "The file to write the image's id to after success."
  default     = "packer-manifest.json"
}

variable "recipe" {
  type        = string
  description = "The hash of this folder, for a tag; empty: no tag."
  default     = ""
}

variable "security_group_ids" {
  type        = list(string)
  description = "The builder's security groups; they need no inbound rule."
  default     = ["sg-0123456789abcdef0"]
}

variable "source_ami" {
  type        = string
  description = "The base image, by id; empty: AWS's newest."
  default     = ""
}

variable "ssh_host" {
  type        = string
  description = "Connect to this host; empty: to the builder, through Session Manager."
  default     = ""
}

variable "ssh_port" {
  type        = number
  description = "The port of ssh_host."
  default     = 22
}

variable "ssh_private_key_file" {
  type        = string
  description = "The key for ssh_host; empty: a temporary one."
  default     = ""
}

variable "subnet_id" {
  type        = string
  description = "The builder's subnet, with a route to Session Manager and the package repositories."
  default     = "subnet-0123456789abcdef0"
}

locals {
  name = "gen-infra-pinned"

  build_tags = {
    "gen-infra:cost"        = "pinned"
    "gen-infra:environment" = "pinned"
    Name                    = "gen-infra-pinned"
  }

  run_tags = merge(local.build_tags, var.build == "" ? {} : { "gen-infra:build" = var.build })

  image_tags = merge(local.build_tags, {
    for key, value in {
      "gen-infra:base-image"   = "{{ .SourceAMI }}"
      "gen-infra:base-name"    = "{{ .SourceAMIName }}"
      "gen-infra:base-version" = var.base_version
      "gen-infra:recipe"       = var.recipe
    } : key => value if value != ""
  })
}

source "amazon-ebs" "genomics" {
  region              = "us-east-1"
  custom_endpoint_ec2 = var.ec2_endpoint

  ami_name      = "${local.name}-${formatdate("YYYYMMDD-hhmmss", timestamp())}"
  tags          = local.image_tags
  snapshot_tags = local.image_tags

  source_ami = var.source_ami

  dynamic "source_ami_filter" {
    for_each = var.source_ami == "" ? ["newest"] : []

    content {
      most_recent = true
      owners      = ["amazon"]

      filters = {
        name                = "al2023-ami-ecs-hvm-2023.0.*-x86_64"
        architecture        = "x86_64"
        root-device-type    = "ebs"
        virtualization-type = "hvm"
      }
    }
  }

  instance_type     = "m7i.large"
  ebs_optimized     = true
  shutdown_behavior = "terminate"
  run_tags          = local.run_tags
  run_volume_tags   = local.run_tags

  launch_block_device_mappings {
    device_name           = "/dev/xvda"
    volume_size           = 100
    volume_type           = "gp3"
    iops                  = 3000
    throughput            = 250
    encrypted             = true
    kms_key_id            = var.kms_key_id
    delete_on_termination = true
  }

  # A snapshot of a large volume takes longer than Packer's default of ten minutes.
  aws_polling {
    delay_seconds = 15
    max_attempts  = 240
  }

  associate_public_ip_address = false
  security_group_ids          = var.security_group_ids
  subnet_id                   = var.subnet_id

  communicator         = "ssh"
  ssh_interface        = var.ssh_host == "" ? "session_manager" : "private_ip"
  ssh_host             = var.ssh_host
  ssh_port             = var.ssh_port
  ssh_username         = "ec2-user"
  ssh_private_key_file = var.ssh_private_key_file
  ssh_timeout          = "15m"

  iam_instance_profile = var.iam_instance_profile
}

build {
  sources = ["source.amazon-ebs.genomics"]

  provisioner "shell" {
    inline = ["mkdir -m 0700 /tmp/gen-infra"]
  }

  provisioner "file" {
    source      = "${path.root}/files"
    destination = "/tmp/gen-infra"
  }

  provisioner "shell" {
    execute_command = "sudo env {{ .Vars }} bash {{ .Path }}"
    environment_vars = [
      "FILES=/tmp/gen-infra/files",
      "SCRATCH_CARRIER=launch_template",
      "SCRATCH_FILESYSTEM=xfs",
      "SCRATCH_MOUNT=/docker_scratch",
      "ECS_IMAGE_PULL_BEHAVIOR=once",
      "ECS_MANIFEST_PULL_TIMEOUT=5m",
      "ECS_IMAGE_PULL_TIMEOUT=120m",
      "ECS_CONTAINER_CREATE_TIMEOUT=10m",
      "ECS_CONTAINER_START_TIMEOUT=10m",
      "ECS_CONTAINER_STOP_TIMEOUT=30s",
      "ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION=180m",
      "ECS_IMAGE_CLEANUP_INTERVAL=10m",
      "ECS_IMAGE_MINIMUM_CLEANUP_AGE=60m",
      "ECS_NUM_IMAGES_DELETE_PER_CYCLE=5",
    ]
    scripts = [
      "${path.root}/scripts/update.sh",
      "${path.root}/scripts/scratch.sh",
      "${path.root}/scripts/tuning.sh",
      "${path.root}/scripts/cleanup.sh",
      "${path.root}/scripts/verify.sh",
    ]
  }

  post-processor "manifest" {
    output     = var.manifest_file
    strip_path = true

    custom_data = {
      base_version = var.base_version
      environment  = "pinned"
      recipe       = var.recipe
    }
  }
}

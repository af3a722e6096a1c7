# What existed before this environment, and is taken over by the next apply. Terraform ignores what it has imported.

import {
  to = module.compute_spot.aws_batch_compute_environment.this
  id = "oldSpot"
}

import {
  to = aws_batch_job_queue.main
  id = "arn:aws:batch:us-east-1:123456789012:job-queue/Main_Queue"
}

import {
  to = aws_batch_scheduling_policy.main
  id = "arn:aws:batch:us-east-1:123456789012:scheduling-policy/oldShares"
}

import {
  to = aws_batch_job_definition.isaac
  id = "arn:aws:batch:us-east-1:123456789012:job-definition/IsaacOld:7"
}

import {
  to = aws_ecr_repository.isaac
  id = "legacy/isaac"
}

import {
  to = aws_cloudwatch_log_group.existing["/lab/batch"]
  id = "/lab/batch"
}

import {
  to = aws_iam_role.existing["labTask"]
  id = "labTask"
}

import {
  to = aws_iam_instance_profile.existing["labHosts"]
  id = "labHosts"
}

mock_provider "aws" {}

variables {
  name = "genomicsEnv-myenv"
}

run "keeps_its_name" {
  command = plan

  assert {
    condition     = aws_batch_compute_environment.this.compute_environment_name == "genomicsEnv-myenv"
    error_message = "The name must be the existing one, not a prefix."
  }
}

run "refuses" {
  command = plan

  variables {
    name = "not a name"
  }

  expect_failures = [var.name]
}

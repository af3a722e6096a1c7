output "state_machine_arns" {
  description = "ARNs of the state machines, by the keys of machines."
  value       = { for key, machine in aws_sfn_state_machine.this : key => machine.arn }
}

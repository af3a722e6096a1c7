"""Read state machines as AWS Step Functions does: https://states-language.net and the service's documentation.

definition    validates a definition, with AWS's diagnostics
expressions   evaluates the JSONata expressions of a state
"""

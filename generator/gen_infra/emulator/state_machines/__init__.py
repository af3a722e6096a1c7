"""Run state machines as AWS Step Functions does: https://states-language.net and the service's documentation.

    expressions   evaluates the JSONata expressions of a state
    integrations  calls other services for Task states, with the credentials of the state machine's role
    batch_jobs    runs a Batch job for a Task state
    scope         runs states: those of an execution, of a branch, or of an item of a Map state
    map_run       runs a Distributed Map; map_items reads its list, map_results writes its results
    execution     one execution, its scopes and its Map Runs; history has its events
    runner        runs executions, stops them, and goes on with them in a copy of the emulator
    descriptions  describes executions and Map Runs as the API does

`gen_infra.manifest.states_language` validates definitions. States in the query language JSONPath can be validated, but
do not run.
"""

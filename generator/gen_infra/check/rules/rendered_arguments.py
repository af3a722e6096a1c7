"""List what the rendered files may contain: the types of resources, their arguments, and some arguments' values.

A new argument in a template or a module is added here too, so that a reviewer sees it twice.
"""

from __future__ import annotations

_ARGUMENTS = {
    "aws_batch_compute_environment": """
        compute_environment_name compute_environment_name_prefix compute_resources.allocation_strategy
        compute_resources.bid_percentage compute_resources.ec2_configuration.image_id_override
        compute_resources.ec2_configuration.image_type compute_resources.instance_role
        compute_resources.instance_type compute_resources.launch_template.launch_template_id
        compute_resources.launch_template.version compute_resources.max_vcpus compute_resources.min_vcpus
        compute_resources.placement_group compute_resources.security_group_ids
        compute_resources.spot_iam_fleet_role compute_resources.subnets compute_resources.tags
        compute_resources.type lifecycle.create_before_destroy lifecycle.replace_triggered_by name_prefix
        service_role state tags type update_policy.job_execution_timeout_minutes update_policy.terminate_jobs_on_update
        """,
    "aws_batch_job_definition": """
        container_properties deregister_on_new_revision ecs_properties name node_properties parameters
        platform_capabilities propagate_tags retry_strategy.attempts retry_strategy.evaluate_on_exit.action
        retry_strategy.evaluate_on_exit.on_exit_code retry_strategy.evaluate_on_exit.on_reason
        retry_strategy.evaluate_on_exit.on_status_reason scheduling_priority tags
        timeout.attempt_duration_seconds type
        """,
    "aws_batch_job_queue": """
        compute_environment_order.compute_environment compute_environment_order.order
        job_state_time_limit_action.action job_state_time_limit_action.max_time_seconds
        job_state_time_limit_action.reason job_state_time_limit_action.state lifecycle.replace_triggered_by name
        priority scheduling_policy_arn state tags
        """,
    "aws_batch_scheduling_policy": """
        fair_share_policy.compute_reservation fair_share_policy.share_decay_seconds
        fair_share_policy.share_distribution.share_identifier fair_share_policy.share_distribution.weight_factor
        lifecycle.ignore_changes name
        """,
    "aws_budgets_budget": """
        budget_type cost_filter.name cost_filter.values limit_amount limit_unit name notification.comparison_operator
        notification.notification_type notification.subscriber_email_addresses notification.subscriber_sns_topic_arns
        notification.threshold notification.threshold_type time_unit
        """,
    "aws_cloudwatch_dashboard": "dashboard_body dashboard_name",
    "aws_cloudwatch_event_rule": "description event_pattern name schedule_expression",
    "aws_cloudwatch_event_target": "arn input_transformer.input_paths input_transformer.input_template rule",
    "aws_cloudwatch_log_group": "kms_key_id name retention_in_days",
    "aws_cloudwatch_metric_alarm": """
        alarm_actions alarm_description alarm_name comparison_operator dimensions evaluation_periods metric_name
        metric_query.expression metric_query.id metric_query.label metric_query.metric.dimensions
        metric_query.metric.metric_name metric_query.metric.namespace metric_query.metric.period
        metric_query.metric.stat metric_query.return_data namespace period statistic threshold treat_missing_data
        """,
    "aws_codebuild_project": """
        artifacts.type build_timeout concurrent_build_limit description encryption_key environment.compute_type
        environment.image environment.image_pull_credentials_type environment.privileged_mode environment.type
        logs_config.cloudwatch_logs.group_name name service_role source.location source.type source_version
        vpc_config.security_group_ids vpc_config.subnets vpc_config.vpc_id
        """,
    "aws_default_security_group": "tags vpc_id",
    "aws_ecr_lifecycle_policy": "policy repository",
    "aws_ecr_repository": """
        encryption_configuration.encryption_type encryption_configuration.kms_key force_delete
        image_scanning_configuration.scan_on_push image_tag_mutability name
        """,
    "aws_efs_access_point": """
        file_system_id posix_user.gid posix_user.uid root_directory.creation_info.owner_gid
        root_directory.creation_info.owner_uid root_directory.creation_info.permissions root_directory.path tags
        """,
    "aws_efs_backup_policy": "backup_policy.status file_system_id",
    "aws_efs_file_system": """
        creation_token encrypted kms_key_id lifecycle_policy.transition_to_ia
        lifecycle_policy.transition_to_primary_storage_class performance_mode tags throughput_mode
        """,
    "aws_efs_file_system_policy": "file_system_id policy",
    "aws_efs_mount_target": "file_system_id security_groups subnet_id",
    "aws_eip": "domain tags",
    "aws_flow_log": "iam_role_arn log_destination tags traffic_type vpc_id",
    "aws_iam_instance_profile": "name path role",
    "aws_iam_openid_connect_provider": "client_id_list url",
    "aws_iam_policy": "name path policy",
    "aws_iam_role": "assume_role_policy description max_session_duration name path permissions_boundary",
    "aws_iam_role_policy": "name policy role",
    "aws_iam_role_policy_attachment": "policy_arn role",
    "aws_internet_gateway": "count tags vpc_id",
    "aws_kms_alias": "name target_key_id",
    "aws_kms_key": "deletion_window_in_days description enable_key_rotation policy tags",
    "aws_lambda_function": """
        architectures dead_letter_config.target_arn description environment.variables filename function_name
        handler kms_key_arn memory_size reserved_concurrent_executions role runtime source_code_hash timeout
        tracing_config.mode
        """,
    "aws_lambda_function_event_invoke_config": "function_name maximum_retry_attempts",
    "aws_lambda_permission": "action function_name principal source_account source_arn statement_id_prefix",
    "aws_launch_template": """
        block_device_mappings.device_name block_device_mappings.ebs.delete_on_termination
        block_device_mappings.ebs.encrypted block_device_mappings.ebs.iops block_device_mappings.ebs.kms_key_id
        block_device_mappings.ebs.throughput block_device_mappings.ebs.volume_size
        block_device_mappings.ebs.volume_type capacity_reservation_specification.capacity_reservation_preference
        capacity_reservation_specification.capacity_reservation_target.capacity_reservation_id
        capacity_reservation_specification.capacity_reservation_target.capacity_reservation_resource_group_arn
        description lifecycle.create_before_destroy metadata_options.http_endpoint
        metadata_options.http_put_response_hop_limit metadata_options.http_tokens name_prefix
        network_interfaces.associate_public_ip_address network_interfaces.delete_on_termination
        network_interfaces.device_index network_interfaces.interface_type network_interfaces.network_card_index
        network_interfaces.security_groups tag_specifications.resource_type tag_specifications.tags tags
        update_default_version user_data
        """,
    "aws_nat_gateway": "allocation_id subnet_id tags",
    "aws_route": "count destination_cidr_block gateway_id nat_gateway_id route_table_id",
    "aws_route_table": "count tags vpc_id",
    "aws_route_table_association": "route_table_id subnet_id",
    "aws_s3_object": "bucket key kms_key_id source source_hash",
    "aws_scheduler_schedule": """
        description flexible_time_window.mode group_name kms_key_arn name schedule_expression
        schedule_expression_timezone target.arn target.retry_policy.maximum_event_age_in_seconds
        target.retry_policy.maximum_retry_attempts target.role_arn
        """,
    "aws_scheduler_schedule_group": "name",
    "aws_security_group": "count description name tags vpc_id",
    "aws_sfn_state_machine": """
        definition encryption_configuration.kms_key_id encryption_configuration.type
        logging_configuration.include_execution_data logging_configuration.level
        logging_configuration.log_destination name role_arn tracing_configuration.enabled type
        """,
    "aws_sns_topic": "kms_master_key_id name",
    "aws_sns_topic_policy": "arn policy",
    "aws_sns_topic_subscription": "endpoint protocol topic_arn",
    "aws_sqs_queue": "kms_master_key_id message_retention_seconds name",
    "aws_subnet": "availability_zone cidr_block map_public_ip_on_launch tags vpc_id",
    "aws_vpc": "cidr_block enable_dns_hostnames enable_dns_support tags",
    "aws_vpc_endpoint": """
        private_dns_enabled route_table_ids security_group_ids service_name subnet_ids tags vpc_endpoint_type
        vpc_id
        """,
    "aws_vpc_security_group_egress_rule": """
        cidr_ipv4 count description from_port ip_protocol prefix_list_id referenced_security_group_id
        security_group_id tags to_port
        """,
    "aws_vpc_security_group_ingress_rule": """
        cidr_ipv4 count description from_port ip_protocol referenced_security_group_id security_group_id tags
        to_port
        """,
    "data.aws_availability_zones": """
        count filter.name filter.values lifecycle.postcondition.condition lifecycle.postcondition.error_message
        """,
    "data.aws_iam_instance_profile": "name",
    "data.aws_iam_openid_connect_provider": """
        arn lifecycle.postcondition.condition lifecycle.postcondition.error_message
        """,
    "data.aws_iam_policy_document": """
        statement.actions statement.condition.test statement.condition.values statement.condition.variable
        statement.effect statement.principals.identifiers statement.principals.type statement.resources
        statement.sid
        """,
    "data.aws_security_groups": """
        filter.name filter.values lifecycle.postcondition.condition lifecycle.postcondition.error_message tags
        """,
    "data.aws_ssm_parameter": """
        lifecycle.postcondition.condition lifecycle.postcondition.error_message name with_decryption
        """,
    "data.aws_subnet": "id",
    "data.aws_subnets": """
        filter.name filter.values lifecycle.postcondition.condition lifecycle.postcondition.error_message tags
        """,
    "data.aws_vpcs": "lifecycle.postcondition.condition lifecycle.postcondition.error_message tags",
    "module": """
        account_id alarm_arns alarm_topics allocation_strategy at_percent base_parameter_arn
        bid_percentage bucket budget_topics builder_profile_arn builder_role_arn capacity_reservation
        cidr_block client_security_group_ids clusters codebuild_image compute_environment_tags dashboard
        dead_letter_queues dead_letters definition_actions definition_names
        definitions_path describes_instances efa_interfaces efs_access emails endpoints environment
        event_rules event_topics failed_jobs files_policy gid iam_path image_age_days image_build_alarms
        image_id image_parameter image_type infrequent_access_days instance_profile_arn instance_types
        invalid_compute_environments job_definition_arns job_execution_timeout_minutes job_queue_arns
        kms_key_arn log_group log_group_patterns log_groups log_retention_in_days lustre_access machines
        max_vcpus min_vcpus name nat node_traffic notify package_path partition permissions_boundary
        placement_group principals queues reader_role_names region repository_arns root_volume schedule
        scratch_volume security_group_ids security_group_name security_group_tags service_role_arn
        source source_key source_path spot spot_fleet_role_arn spot_interruptions state state_machines
        stop_queues_at stop_topic_arn subnet_ids subnet_tags tags tags_jobs topic type uid usd_a_month
        user_data vpc_id vpc_tags waiting_minutes workflow writer_role_names zone_count zone_names
        """,
    "provider": "allowed_account_ids default_tags.tags region",
    "terraform": """
        backend.bucket backend.key backend.path backend.region backend.use_lockfile required_providers.aws
        required_version
        """,
    "terraform_data": "input lifecycle.precondition.condition lifecycle.precondition.error_message",
}

ARGUMENTS = {kind: frozenset(paths.split()) for kind, paths in _ARGUMENTS.items()}
"""The arguments of each type of block, those in nested blocks after the blocks' names."""

ANY_KIND = frozenset({"depends_on"})
"""The arguments that every block may have."""

KEEPERS = frozenset(
    {
        "existing.tf",
        "modules/compute-environment/main.tf",
        "modules/existing-environment/main.tf",
        "modules/fargate-environment/main.tf",
    }
)
"""The files whose resources may have ``ignore_changes``: Batch changes them, or they existed before."""

NOTIFIED_BY_RULES = frozenset({"modules/environment-alarms/alarms.tf"})
"""The files whose alarms need no action of their own: EventBridge's rules pass on their changes of state."""

_SET = r".+"
_AWS_KEY_IS_NONE = r"(?!.*alias/aws/).+"

VALUES: dict[str, dict[str, str]] = {
    "aws_batch_compute_environment": {"type": "MANAGED"},
    "aws_batch_job_definition": {"type": "container|multinode", "propagate_tags": "true"},
    "aws_budgets_budget": {
        "budget_type": "COST",
        "cost_filter.name": "TagKeyValue",
        "cost_filter.values": _SET,
        "limit_unit": "USD",
        "notification.comparison_operator": "GREATER_THAN",
        "notification.notification_type": "ACTUAL",
        "notification.threshold_type": "PERCENTAGE",
        "time_unit": "MONTHLY",
    },
    "aws_cloudwatch_metric_alarm": {"alarm_actions": _SET},
    "aws_codebuild_project": {
        "artifacts.type": "NO_ARTIFACTS",
        "encryption_key": _AWS_KEY_IS_NONE,
        "environment.privileged_mode": "false",
        "environment.type": "LINUX_CONTAINER",
        "logs_config.cloudwatch_logs.group_name": _SET,
        "source.type": "S3",
        "source_version": _SET,
        "vpc_config.security_group_ids": _SET,
        "vpc_config.subnets": _SET,
        "vpc_config.vpc_id": _SET,
    },
    "aws_ecr_repository": {
        "force_delete": "false",
        "image_scanning_configuration.scan_on_push": "true",
        "image_tag_mutability": "IMMUTABLE",
    },
    "aws_efs_access_point": {"posix_user.gid": r"\d+", "posix_user.uid": r"\d+", "root_directory.path": "/.+"},
    "aws_efs_backup_policy": {"backup_policy.status": "ENABLED"},
    "aws_efs_file_system": {"encrypted": "true", "kms_key_id": _AWS_KEY_IS_NONE},
    "aws_efs_mount_target": {"security_groups": _SET},
    "aws_flow_log": {"traffic_type": "ALL"},
    "aws_iam_openid_connect_provider": {
        "client_id_list": r"\['(?:sts\.amazonaws\.com(?:\.cn)?|https://[\w.-]+)'\]",
        "url": r"https://[\w.-]+",
    },
    "aws_kms_key": {"enable_key_rotation": "true", "policy": _SET},
    "aws_lambda_function": {
        "dead_letter_config.target_arn": _SET,
        "handler": r"batch_(?:get_job_status|measure|queue_stop|submit_job)\.handler",
        "kms_key_arn": _AWS_KEY_IS_NONE,
        "runtime": r"python3\.\d\d",
        "tracing_config.mode": "Active",
    },
    "aws_lambda_permission": {
        "action": "lambda:InvokeFunction",
        "principal": r"(?:events|sns)\.amazonaws\.com",
        "source_account": r"(?:\d{12})?",
        "source_arn": r"arn:[\w-]+:(?:events:[\w-]+:\d{12}:rule/|sns:[\w-]+:\d{12}:)[\w-]+",
    },
    "aws_route": {"destination_cidr_block": r"0\.0\.0\.0/0"},
    "aws_s3_object": {"kms_key_id": _AWS_KEY_IS_NONE, "key": r"gen-infra/.+", "source_hash": _SET},
    "aws_scheduler_schedule": {"kms_key_arn": _AWS_KEY_IS_NONE},
    "aws_sfn_state_machine": {"tracing_configuration.enabled": "true", "type": "STANDARD"},
    "aws_sns_topic": {"kms_master_key_id": _AWS_KEY_IS_NONE},
    "aws_sns_topic_subscription": {"protocol": "email|lambda"},
    "aws_subnet": {"map_public_ip_on_launch": "false"},
    "aws_vpc_endpoint": {
        "private_dns_enabled": "(?:true)?",
        "service_name": r"com\.amazonaws\.(?!vpce)[\w.-]+",
        "vpc_endpoint_type": "Gateway|Interface",
    },
    "data.aws_ssm_parameter": {"with_decryption": "false"},
}
"""Regular expressions that the values of some arguments match; no value is an empty text."""

REFERENCES = {
    kind: tuple(paths.split())
    for kind, paths in {
        "aws_batch_compute_environment": """
            compute_resources.launch_template.launch_template_id compute_resources.launch_template.version
            """,
        "aws_cloudwatch_event_target": "arn rule",
        "aws_codebuild_project": "service_role source.location source_version logs_config.cloudwatch_logs.group_name",
        "aws_default_security_group": "vpc_id",
        "aws_efs_file_system_policy": "file_system_id",
        "aws_flow_log": "iam_role_arn log_destination vpc_id",
        "aws_iam_role_policy": "role",
        "aws_iam_role_policy_attachment": "role",
        "aws_kms_alias": "target_key_id",
        "aws_lambda_function": "dead_letter_config.target_arn filename role source_code_hash",
        "aws_lambda_permission": "function_name",
        "aws_launch_template": "user_data",
        "aws_nat_gateway": "allocation_id subnet_id",
        "aws_route": "gateway_id nat_gateway_id route_table_id",
        "aws_route_table_association": "route_table_id subnet_id",
        "aws_scheduler_schedule": "target.arn target.role_arn",
        "aws_sfn_state_machine": "definition logging_configuration.log_destination role_arn",
        "aws_sns_topic_policy": "arn",
        "aws_sns_topic_subscription": "topic_arn",
        "aws_vpc_endpoint": "route_table_ids vpc_id",
    }.items()
}
"""Arguments that refer to what the files make or look up, so that no literal stands there."""

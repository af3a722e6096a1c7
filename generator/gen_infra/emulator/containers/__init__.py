"""Run the containers of Batch jobs with runc, where this machine can; see `gen_infra.tools.container_host`.

    spec         pure: the container of a job and its image -> the OCI runtime configuration
    variables    pure: the environment variables that Batch gives a container
    devices      the devices of the host that a container may have
    users        the user of a container, looked up in its image
    values       the secrets of a container, fetched as its execution role
    credentials  the ECS credentials endpoint, for the job role
    logs         the output of a container -> lines of its log stream
    attempt      one attempt of a job: prepares its containers, and starts their supervisor
    supervisor   a process per attempt, in namespaces of its own: disk, network, runc, stop signals

A container sees its image, its volumes and the emulator's port, and nothing else of this machine. The kernel ends all
processes, mounts and networks of an attempt with its supervisor, which ends with the emulator, even after SIGKILL.
"""

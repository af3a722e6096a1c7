#!/usr/bin/env bash
# Run the builder host as process 1 of its own mount and pid namespaces: an overlay of the root file system, in which sshd
# listens on the loopback interface and /dev/sdb is a blank sparse disk. It ends with standard input or this process.
#
#   unshare --mount --pid --fork --kill-child run.sh ROOT WORK PORT DISK_GIB
#
# WORK has key.pub, the key for the login. Prints a line of JSON (process id and disk device, as seen outside), then the
# output of sshd.
set -euo pipefail

readonly ROOT=${1:?} WORK=${2:?} PORT=${3:?} DISK_GIB=${4:?}
readonly IMAGE=$WORK/image

# All writes go to memory, which the kernel frees with the namespace.
mount_image() {
  mkdir -p "$WORK/memory" "$IMAGE" # they exist already when the first port was taken
  mount -t tmpfs -o mode=0755 tmpfs "$WORK/memory"
  mkdir "$WORK/memory"/{upper,work}
  mount -t overlay overlay -o "lowerdir=$ROOT,upperdir=$WORK/memory/upper,workdir=$WORK/memory/work" "$IMAGE"
}

# The device is detached at once, but file descriptor 9 keeps it until the last process ends.
attach_disk() {
  truncate --size="${DISK_GIB}G" "$WORK/disk"
  disk=$(losetup --find --show "$WORK/disk")
  exec 9<>"$disk"
  losetup --detach "$disk"
  rm "$WORK/disk"
}

make_devices() {
  local node name major minor
  mount -t tmpfs -o mode=0755 tmpfs "$IMAGE/dev"
  for node in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
    IFS=: read -r name major minor <<<"$node"
    mknod -m 0666 "$IMAGE/dev/$name" c "$major" "$minor"
  done
  mknod -m 0660 "$IMAGE/dev/sdb" b "$(stat --format=0x%t "$disk")" "$(stat --format=0x%T "$disk")"
  ln -s /proc/self/fd "$IMAGE/dev/fd"
}

mount_kernel() {
  mount -t proc proc "$IMAGE/proc"
  mount -t sysfs -o ro sysfs "$IMAGE/sys"
  mount -t tmpfs -o mode=0755 tmpfs "$IMAGE/run"
  mkdir "$IMAGE/run/sshd"
  echo "127.0.0.1 localhost $HOSTNAME" >"$IMAGE/etc/hosts" # sudo resolves its own host name
}

let_in() {
  install -m 0600 "$WORK/key.pub" "$IMAGE/home/ec2-user/.ssh/authorized_keys"
  chroot "$IMAGE" chown ec2-user: /home/ec2-user/.ssh/authorized_keys
}

read -r outer_pid _ </proc/self/stat # this is still the outer /proc
mount_image
attach_disk
make_devices
mount_kernel
let_in
printf '{"pid": %d, "disk": "%s"}\n' "$outer_pid" "$disk"
# After "Server listening" the output is dropped, so the caller need not read it.
# shellcheck disable=SC2016 # the inner shell expands it
exec chroot "$IMAGE" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin bash -c '
  /usr/sbin/sshd -D -e -o ListenAddress=127.0.0.1 -o Port="$1" -o UsePAM=no -o PasswordAuthentication=no 2>&1 | {
    sed "/^Server listening/q"
    exec cat >/dev/null
  } &
  exec 3<&0
  cat <&3 >/dev/null &
  wait -n # until sshd has failed, or standard input has ended
' builder-host "$PORT"

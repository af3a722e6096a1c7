#!/usr/bin/env bash
# The builder host, as process 1 of mount and pid namespaces of its own: an overlay of the root, in which sshd listens on
# the loopback interface and /dev/sdb is a blank sparse disk. All of it ends with standard input, or with this process.
#
#   unshare --mount --pid --fork --kill-child run.sh ROOT WORK PORT DISK_GIB
#
# WORK holds key.pub, who may log in. Prints a line of JSON: its process id outside, and the disk's device; then sshd's.
set -euo pipefail

readonly ROOT=${1:?} WORK=${2:?} PORT=${3:?} DISK_GIB=${4:?}
readonly IMAGE=$WORK/image

# Everything written goes to memory, and is gone with the namespace.
mount_image() {
  mkdir -p "$WORK/memory" "$IMAGE" # they are there already when the first port was taken
  mount -t tmpfs -o mode=0755 tmpfs "$WORK/memory"
  mkdir "$WORK/memory"/{upper,work}
  mount -t overlay overlay -o "lowerdir=$ROOT,upperdir=$WORK/memory/upper,workdir=$WORK/memory/work" "$IMAGE"
}

# The device goes when its last user does: it is detached at once, but file descriptor 9 still holds it.
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
  echo "127.0.0.1 localhost $HOSTNAME" >"$IMAGE/etc/hosts" # sudo looks itself up
}

let_in() {
  install -m 0600 "$WORK/key.pub" "$IMAGE/home/ec2-user/.ssh/authorized_keys"
  chroot "$IMAGE" chown ec2-user: /home/ec2-user/.ssh/authorized_keys
}

read -r outer_pid _ </proc/self/stat # still the /proc outside
mount_image
attach_disk
make_devices
mount_kernel
let_in
printf '{"pid": %d, "disk": "%s"}\n' "$outer_pid" "$disk"
# After "Server listening" there is no more output, so nobody has to read on.
# shellcheck disable=SC2016 # expanded by the shell inside
exec chroot "$IMAGE" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin bash -c '
  /usr/sbin/sshd -D -e -o ListenAddress=127.0.0.1 -o Port="$1" -o UsePAM=no -o PasswordAuthentication=no 2>&1 | {
    sed "/^Server listening/q"
    exec cat >/dev/null
  } &
  exec 3<&0
  cat <&3 >/dev/null &
  wait -n # until sshd has failed, or standard input has ended
' builder-host "$PORT"

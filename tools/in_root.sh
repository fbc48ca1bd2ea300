#!/bin/sh
# Run a command in a Debian root, with /proc and /dev of its own: tools/in_root.sh ROOT ACCOUNT FOLDER COMMAND...
# Its processes end with it. Run as root.
set -eu
if [ "${IN_NAMESPACE:-}" != yes ]; then
  IN_NAMESPACE=yes exec unshare --mount --pid --fork --kill-child "$0" "$@"
fi
root=$1 account=$2 folder=$3
shift 3
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
exec chroot --userspec="$account" "$root" /bin/sh -c 'cd "$1" && shift && exec "$@"' sh "$folder" "$@"

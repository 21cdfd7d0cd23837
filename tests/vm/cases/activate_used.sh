# shellcheck shell=bash
# A member that something else has is not touched, and by whom is said. The disks are a mirror whose data begins at the
# first sector of each, so that a member can be used as what is on the array. Argument: the NAME of its device.
load_dm
modprobe ext4
array=/dev/mapper/$1
member=$(disk 0)
mapfile -t all < <(disks)

# used TEXT: the array is refused because of the member, with this, and no device is there.
used() {
    local found=0
    raid-table activate "${all[@]}" >said 2>&1 || found=$?
    [ "$found" = 1 ] || fail "$1: status $found: $(cat said)"
    [ "$(cat said)" = "raid-table: $member: is in use by $1; not activated" ] || fail "expected '$1': $(cat said)"
    [ "$(dmsetup ls)" = "No devices found" ] || fail "$1: $(dmsetup ls)"
}

# put COMMAND…: something is put on the array.
put() {
    raid-table activate -o text "${all[@]}" >&2
    "$@" >&2
    raid-table deactivate "${all[@]}" >&2
    blockdev --flushbufs "$member"
}

put mkfs.ext4 -q "$array"
mkdir -p "/mnt/a place"
mount -t ext4 -o ro "$member" "/mnt/a place"
used "a mount at /mnt/a place"
umount "/mnt/a place"

put mkswap "$array"
swapon "$member"
used swap
swapoff "$member"

# A program that has it for itself, and one that only reads it.
mkfifo gate
raid-pattern hold "$member" <gate >held &
exec 8>gate
wait_until 10 grep -q held held
used "raid-pattern (process $!)"
exec 8>&-
wait
exec 8<"$member"
raid-table activate -o text "${all[@]}" >&2
[ -b "$array" ] || fail "a member that is only read is not used"
raid-table deactivate "${all[@]}" >&2
exec 8<&-

# The partition of a member.
put sfdisk -q --no-reread "$array" <<<$'label: dos\n2048,2048,83'
blockdev --rereadpt "$member"
mkfs.ext4 -q "${member}1" >&2
mount -t ext4 "${member}1" /mnt
used "a mount at /mnt"
umount /mnt
echo ok

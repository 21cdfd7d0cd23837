# shellcheck shell=bash
# What salvage does not write to, each in one line, and it stays as it is: the disks are members of a set, and the last one is
# blank and larger than the array. Argument: sectors of the array.
load_dm
modprobe -a loop ext4
mapfile -t all < <(disks)
blank=${all[-1]}
members=("${all[@]:0:${#all[@]}-1}")

# written DEV: how much was written to it, ever.
written() { awk "{ print \$7 }" "/sys/dev/block/$(lsblk -dno MAJ:MIN "$1" | tr -d " ")/stat"; }

# refused DEV TEXT [CODE]: the salvage onto a device is refused with this, and what is there stays.
refused() {
    local before after found=0
    blockdev --flushbufs "$1"
    before=$(written "$1")
    raid-repair salvage -O "$1" --out-map out.map --overwrite "${members[@]}" >said 2>&1 || found=$?
    blockdev --flushbufs "$1"
    after=$(written "$1")
    [ "$found" = "${3:-1}" ] || fail "$1: status $found, expected $2: $(cat said)"
    [ "$(grep -c . said)" = 1 ] || fail "$1: more than a line: $(cat said)"
    grep -qF -- "$2" said || fail "$1: expected '$2': $(cat said)"
    [ "$before" = "$after" ] || fail "$1 was written: $(cat said)"
    [ ! -e out.map ] || fail "$1: a map was made: $(cat said)"
}

refused "${members[0]}" "is a member of the array, not overwritten"

# What is a member, or a part of one, by another name.
size=$(sectors "${members[0]}")
free=$(sectors "$blank")
echo "0 $size linear ${members[0]} 0" | dmsetup create whole
refused /dev/mapper/whole "not overwritten"
dmsetup remove whole
start=$((size / 2))
echo "0 $((size - start)) linear ${members[0]} $start" | dmsetup create part
refused /dev/mapper/part "not overwritten"
echo "0 1024 linear /dev/mapper/part 0" | dmsetup create inside
refused /dev/mapper/inside "not overwritten"
dmsetup remove inside
dmsetup remove part
losetup --offset $((start * 512)) /dev/loop0 "${members[0]}"
refused /dev/loop0 "not overwritten"
losetup -d /dev/loop0

# What somebody uses.
echo "0 $free linear $blank 0" | dmsetup create user
refused "$blank" "in use by dm-0, not written"
dmsetup remove user
mkfs.ext4 -q "$blank" >&2
mkdir -p /mnt/there
mount -t ext4 -o ro "$blank" /mnt/there
refused "$blank" "in use by a mount at /mnt/there, not written"
umount /mnt/there

# What is too small.
echo "0 $(($1 - 8)) linear $blank 0" | dmsetup create small
refused /dev/mapper/small "is $((($1 - 8) * 512)) bytes, expected $(($1 * 512))"
dmsetup remove small

# Not without being told, and not with a map that is gone with the machine's memory.
status 1 "refused without --overwrite" raid-repair salvage -O "$blank" --out-map out.map "${members[@]}"
status 2 "expected --out-map" raid-repair salvage -O "$blank" --overwrite "${members[@]}"
[ ! -e out.map ] && [ ! -e "$blank.map" ]

# As large as the array: it is done, and gone on with, though what the array holds is metadata.
load_md
md_assemble >&2
pvcreate -q /dev/md/* >&2
md_stop >&2
echo "0 $1 linear $blank 0" | dmsetup create right
raid-repair salvage -q -O /dev/mapper/right --out-map out.map --overwrite "${members[@]}" >&2
raid-repair salvage -q -O /dev/mapper/right --out-map out.map --overwrite "${members[@]}" >&2
rm out.map
refused /dev/mapper/right "carries lvm2 metadata, not overwritten"

# shellcheck shell=bash
# The bench itself, with nothing of ours but the pattern: md makes, stops and finds a mirror again,
# and device-mapper maps a piece of it.
#
#   tests/vm/run --disk A --disk B tests/vm/cases/smoke.sh        (two blank disks of 24 MiB)
load_md
load_dm

# The disks were found by serial number, wherever the kernel put them.
[ "$(disk_by_serial DISK0)" = "$(disk 0)" ] || fail "disk 0 is not DISK0"
[ "$(disk_by_serial DISK1)" = "$(disk 1)" ] || fail "disk 1 is not DISK1"

mdadm --create /dev/md0 --run --level=1 --raid-devices=2 --metadata=1.2 --name=mirror "$(disk 0)" "$(disk 1)" >&2
md_settled /dev/md0
size=$(sectors /dev/md0)
write_pattern /dev/md0 "$size"
check_pattern /dev/md0 "$size"
mdadm --stop /dev/md0 >&2

# shellcheck disable=SC2046  # a device a word
mdadm --assemble /dev/md0 $(disks) >&2
check_pattern /dev/md0 "$size"
[ "$(blkid -o value -s TYPE "$(disk 0)")" = linux_raid_member ] || fail "blkid does not see the member"

# Block 16 of the mirror is the first of the piece.
dmsetup create piece --table "0 2048 linear /dev/md0 128"
raid-pattern check /dev/mapper/piece 2048 --first 16
dmsetup remove piece
mdadm --stop /dev/md0 >&2

echo "smoke: mirror of $size sectors, and a piece of it"

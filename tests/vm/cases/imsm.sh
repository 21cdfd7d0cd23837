# shellcheck shell=bash
# mdadm makes an Intel container with one RAID 5 volume, fills it, and finds it again on the same
# disks. Prints what mdadm says of the first disk; the disks keep the array.
#
#   tests/vm/run --disk A,serial=S0 --disk B,serial=S1 --disk C,serial=S2 tests/vm/cases/imsm.sh
#                                                                 (three blank disks of 24 MiB)
export IMSM_NO_PLATFORM=1
load_md

# shellcheck disable=SC2046  # a device a word
mdadm --create /dev/md/imsm --run --metadata=imsm --raid-devices=3 $(disks) >&2
mdadm --create /dev/md/vol --run --level=5 --chunk=64 --raid-devices=3 /dev/md/imsm >&2
md_settled /dev/md/vol
size=$(sectors /dev/md/vol)
write_pattern /dev/md/vol "$size"
md_stop

md_assemble >&2
check_pattern /dev/md/vol "$size"
md_stop

mdadm --examine "$(disk 0)"

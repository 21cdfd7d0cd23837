# shellcheck shell=bash
# What mdadm says of each disk, below a line with the disk's number.
#
#   tests/vm/run --disk IMAGE,snapshot… tests/vm/cases/examine.sh
export IMSM_NO_PLATFORM=1
number=0
for device in $(disks); do
    echo "=== $number"
    mdadm --examine "$device"
    number=$((number + 1))
done

# What a job may call. Sourced before the job, which runs under `sh -eu` in /root.

# disk N: the device of the Nth --disk, from 0.
disk() { readlink "/run/disks/$1"; }

# disks: the devices of all disks, in the order of --disk.
disks() {
    for disk_ in $(cut -f 1 /bench/disks); do disk "$disk_"; done
}

# disk_serial N, disk_file N: the serial number, and the name the file has on the host.
disk_serial() { awk -F '\t' -v n="$1" '$1 == n { print $2 }' /bench/disks; }
disk_file() { awk -F '\t' -v n="$1" '$1 == n { print $3 }' /bench/disks; }

# disk_by_serial TEXT: the device with this hardware serial number.
disk_by_serial() {
    for disk_ in /sys/block/sd*; do
        [ -e "$disk_/device/vpd_pg80" ] || continue
        if [ "$(tail -c +5 "$disk_/device/vpd_pg80" | tr -d '\0')" = "$1" ]; then
            echo "/dev/${disk_##*/}"
            return 0
        fi
    done
    return 1
}

load_md() {
    for module_ in md-mod raid0 raid1 raid10 raid456 linear; do modprobe "$module_"; done
    # Arrays are made when asked for, not by opening a device node.
    echo 0 >/sys/module/md_mod/parameters/create_on_open
}

load_dm() {
    for module_ in dm-mod dm-raid dm-mirror dm-snapshot; do modprobe "$module_"; done
}

# Debian's udev and its rules, without those that assemble arrays by themselves.
start_udev() {
    unset DM_DISABLE_UDEV MDADM_NO_UDEV
    /usr/lib/systemd/systemd-udevd --daemon
    udevadm trigger --action=add
    udevadm settle
}

# md_settled DEV [SECONDS]: waits until no resync, recovery or reshape runs.
md_settled() {
    wait_until "${2:-60}" md_is_idle "$(basename "$(readlink -f "$1")")"
}
md_is_idle() { [ "$(cat "/sys/block/$1/md/sync_action")" = idle ]; }

# md_speed KIB: holds resync and reshape to this rate, to catch them in the middle.
md_speed() {
    echo "$1" >/proc/sys/dev/raid/speed_limit_min
    echo "$1" >/proc/sys/dev/raid/speed_limit_max
}

# wait_until SECONDS COMMAND…: tries until the command says yes.
wait_until() {
    tries_=$(($1 * 10))
    shift
    until "$@"; do
        tries_=$((tries_ - 1))
        [ "$tries_" -gt 0 ] || {
            echo "waited in vain for: $*" >&2
            return 1
        }
        sleep 0.1
    done
}

# sectors DEV: its size in sectors of 512 bytes.
sectors() { blockdev --getsz "$1"; }

# write_pattern DEV SECTORS [start_block]: block n of the device becomes n+1, from start_block on.
write_pattern() { raid-pattern write "$1" "$2" --at "${3:-0}"; }

# check_pattern DEV SECTORS [start_block]: reads the disks, not the page cache.
check_pattern() {
    blockdev --flushbufs "$1"
    raid-pattern check "$1" "$2" --at "${3:-0}"
}

# fail TEXT…: ends the job as failed.
fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# power_cut STATUS: the machine is gone at once, with what it had not yet written, and the bench
# exits with STATUS.
power_cut() {
    echo "exit $1" >&9
    echo b >/proc/sysrq-trigger
    sleep 60
}

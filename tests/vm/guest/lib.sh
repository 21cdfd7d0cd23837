# shellcheck shell=bash
# What a job may call. Sourced before the job, which runs under `bash -eu -o pipefail` in /root.

# disk N: the device of the Nth --disk, from 0.
disk() { readlink "/run/disks/$1"; }

# disks: the devices of all disks, in the order of --disk.
disks() {
    local number
    cut -f 1 /bench/disks | while read -r number; do disk "$number"; done
}

# disk_serial N, disk_file N: the serial number, and the name the file has on the host.
disk_serial() { awk -F '\t' -v n="$1" '$1 == n { print $2 }' /bench/disks; }
disk_file() { awk -F '\t' -v n="$1" '$1 == n { print $3 }' /bench/disks; }

# disk_by_serial TEXT: the device with this hardware serial number.
disk_by_serial() {
    local found
    for found in /sys/block/sd*; do
        [ -e "$found/device/vpd_pg80" ] || continue
        if [ "$(tail -c +5 "$found/device/vpd_pg80" | tr -d '\0')" = "$1" ]; then
            echo "/dev/${found##*/}"
            return 0
        fi
    done
    return 1
}

load_md() {
    modprobe -a md-mod raid0 raid1 raid10 raid456 linear
}

load_dm() {
    modprobe -a dm-mod dm-raid dm-mirror dm-snapshot
}

# Debian's udev and its rules, without those that assemble arrays by themselves.
start_udev() {
    unset DM_DISABLE_UDEV MDADM_NO_UDEV
    /usr/lib/systemd/systemd-udevd --daemon
    udevadm trigger --action=add
    udevadm settle
}

# md_assemble: finds the arrays on all disks again, by the names written in them. (Without the list,
# mdadm takes a container's volumes for another machine's and calls them NAME_0.)
md_assemble() {
    # shellcheck disable=SC2046  # a device a word
    mdadm --examine --scan $(disks) >/etc/mdadm/mdadm.conf
    mdadm --assemble --scan
}

# md_assemble_any: as md_assemble, without the names of sets of version 0.90, which are numbers and may be those of others;
# and not all sets need to start.
md_assemble_any() {
    # shellcheck disable=SC2046  # a device a word
    mdadm --examine --scan $(disks) | sed 's|^ARRAY /dev/md[0-9]\+ |ARRAY |' >/etc/mdadm/mdadm.conf
    cat /etc/mdadm/mdadm.conf >&2
    mdadm --assemble --scan >&2 || echo "not all arrays were started" >&2
}

# md_device NAME|UUID: the device of an array.
md_device() {
    if [ -e "/dev/md/$1" ]; then
        readlink -f "/dev/md/$1"
        return
    fi
    local found
    for found in /dev/md[0-9]*; do
        if mdadm --detail --export "$found" | grep -q "^MD_UUID=$1\$"; then
            echo "$found"
            return
        fi
    done
    return 1
}

# members ARRAY [N]: the disks that a case may make an array of, by their serials ARRAY-0, ARRAY-1, …: all, or those from
# N on.
members() {
    local number
    awk -F '\t' -v prefix="$1-" 'index($2, prefix) == 1 { print $1 }' /bench/disks |
        tail -n +"$((${2:-0} + 1))" | while read -r number; do disk "$number"; done
}

# member ARRAY N: one of them.
member() { members "$1" "$2" | sed -n 1p; }

# md ARRAY FILE: that file of md's in sysfs.
md() { echo "/sys/block/$(basename "$(readlink -f "/dev/md/$1")")/md/$2"; }

# set_to ARRAY FILE VALUE: writes it there.
set_to() { echo "$3" >"$(md "$1" "$2")"; }

# speed ARRAY KIB: holds a resync, recovery or reshape to so much a second.
speed() {
    set_to "$1" sync_speed_max "$2"
    set_to "$1" sync_speed_min "$2"
}

# percent ARRAY: how much of it is done, by the kernel's count: what is recorded on the disks may be less.
percent() {
    awk -v array="$(basename "$(readlink -f "/dev/md/$1")")" '$1 == array { here = 1; next } /^[^ ]/ { here = 0 }
        here && match($0, /[0-9]+\.[0-9]%/) { print int(substr($0, RSTART)) }' /proc/mdstat
}

# is_past ARRAY PERCENT: whether that much is done.
is_past() {
    local moved
    moved=$(percent "$1")
    [ "${moved:-0}" -ge "$2" ]
}

# hold ARRAY PERCENT: when that much is done, next to nothing more is.
hold() {
    wait_until 60 is_past "$1" "$2" || fail "$1 is not under way: $(cat /proc/mdstat)"
    speed "$1" 10
}

# busy ARRAY: is written on and on, until the power goes; a pause does not make it clean.
busy() {
    set_to "$1" safe_mode_delay 100
    while true; do
        raid-pattern write "/dev/md/$1" 8192 --add 10240
        raid-pattern write "/dev/md/$1" 8192
    done &
}

# md_settled DEV [SECONDS]: waits until no resync, recovery or reshape runs.
md_settled() {
    wait_until "${2:-60}" md_is_idle "$(basename "$(readlink -f "$1")")"
}
md_is_idle() { [ "$(cat "/sys/block/$1/md/sync_action")" = idle ]; }

# md_stop: stops all arrays, volumes before their containers. mdmon first notes that the last write
# is done, and until then a volume is busy. The names in /dev/md go too: there is no udev to do it.
md_stop() {
    mdadm --wait-clean --scan || true
    wait_until 20 md_is_stopped
    rm -rf /dev/md
}
md_is_stopped() {
    mdadm --quiet --stop --scan
    ! grep -q '^md' /proc/mdstat
}

# md_speed KIB: holds resync and reshape to this rate, to catch them in the middle.
md_speed() {
    echo "$1" >/proc/sys/dev/raid/speed_limit_min
    echo "$1" >/proc/sys/dev/raid/speed_limit_max
}

# wait_until SECONDS COMMAND…: tries until the command says yes; what it complained of is shown only
# if it never does.
wait_until() {
    local tries=$(($1 * 10))
    shift
    until "$@" 2>/run/complaint; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || {
            cat /run/complaint >&2
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

# sums DEV…: what all of them hold, to be held against what they hold later.
sums() {
    local device
    for device; do raid-pattern sum "$device"; done
}

# fail TEXT…: ends the job as failed.
fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# status CODE TEXT COMMAND…: it ends with this status, and says this; all that it says is in the file `said`.
status() {
    local code=$1 text=$2 found=0
    shift 2
    "$@" >said 2>&1 || found=$?
    [ "$found" = "$code" ] || fail "$*: status $found, expected $code: $(cat said)"
    [ -z "$text" ] || grep -qF -- "$text" said || fail "$*: does not say '$text': $(cat said)"
}

# no_devices WHEN: nothing of device-mapper is left.
no_devices() { [ "$(dmsetup ls)" = "No devices found" ] || fail "$1: $(dmsetup ls)"; }

# reread DEV SECTORS K: every block on the disks is what raid-pattern wrote with --first K.
reread() {
    blockdev --flushbufs "$1"
    raid-pattern check "$1" "$2" --first "$3"
}

# power_cut STATUS: the machine is gone at once, without the writes still in its memory, and the bench
# exits with STATUS. (The last close of a disk writes out its page cache.)
power_cut() {
    echo "exit $1" >&9
    echo b >/proc/sysrq-trigger
    sleep 60
}

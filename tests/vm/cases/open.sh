# shellcheck shell=bash
# What the metadata of an array record while it is active. Arguments:
#
#   NAME SECTORS MDADM PHASE [MISSING]     MDADM: the program's words for a volume that is in use, or - where it says nothing;
#                                          MISSING: which disk is not given, or whose slot is lost
#
# whole     activated, looked at, deactivated; then activated, and the power is cut
# crashed   a whole array after the power was cut
# degraded  activated without a disk, written, deactivated
# returned  the disk is back: only what was written without it is read; then active without it, and the power is cut
# lost      a degraded array after the power was cut
export IMSM_NO_PLATFORM=1
load_dm

name=$1 size=$2 words=$3 phase=$4 missing=${5-}
mapfile -t all < <(disks)
array=/dev/mapper/$name

# of_array FIELD: a field of the array, as the metadata of the disks have it.
of_array() { raid-probe "${all[@]}" | jq -r --arg name "$name" 'select(.type == "array" and .name == $name) | '"$1"; }

# expect FIELD VALUE
expect() { [ "$(of_array "$1")" = "$2" ] || fail "$1 is $(of_array "$1"), expected $2"; }

# in_use 0|1: whether mdadm says on every disk that the volume is in use.
in_use() {
    [ "$words" != - ] || return 0
    local disk count
    for disk in "${all[@]}"; do
        blockdev --flushbufs "$disk"
        count=$(mdadm --examine "$disk" | grep -cF "$words") || true
        [ "$count" = "$1" ] || fail "$disk: '$words' is there $count times, expected $1: $(mdadm --examine "$disk")"
    done
}

# assembled K: the array that mdadm makes of the disks has what was written with K.
assembled() {
    load_md
    for disk in "${all[@]}"; do blockdev --flushbufs "$disk"; done
    md_assemble >&2
    local md found=0
    for md in /sys/block/md*; do
        [ "$(cat "$md/size")" != 0 ] || continue
        reread "/dev/${md##*/}" "$size" "$1"
        found=1
    done
    [ "$found" = 1 ] || fail "mdadm made no array: $(cat /proc/mdstat)"
}

case $phase in
    whole)
        expect .dirty false
        in_use 0
        status 0 "" raid-table activate "${all[@]}"
        expect .dirty true
        in_use 1
        status 0 "was active" raid-table activate -o text "${all[@]}"
        raid-pattern write "$array" "$size" --first 11
        status 0 "" raid-table deactivate "${all[@]}"
        no_devices "$phase"
        expect .dirty false
        expect .health optimal
        in_use 0

        # Only to be read: nothing is recorded.
        status 0 "" raid-table activate --read-only "${all[@]}"
        expect .dirty false
        status 0 "" raid-table deactivate "${all[@]}"
        # An activation that fails takes back what it recorded.
        printf 'label: dos\n64,64,83\n' >label
        status 0 "" raid-table activate "${all[@]}"
        sfdisk -q --no-reread "$array" <label
        status 0 "" raid-table deactivate "${all[@]}"
        before=$(sums "${all[@]}")
        part=$name
        case $name in *[0-9]) part=${name}p ;; esac
        dmsetup create "${part}1" --notable
        status 1 "there is a device of that name" raid-table activate --partitions "${all[@]}"
        dmsetup remove "${part}1"
        no_devices "$phase"
        for disk in "${all[@]}"; do blockdev --flushbufs "$disk"; done
        [ "$(sums "${all[@]}")" = "$before" ] || fail "what an activation that failed recorded is still there"

        # Mounted read-only, as the root at shutdown: closed, and still there.
        modprobe ext4
        mkfs.ext4 -q -F image.ext4 4M >&2
        status 0 "" raid-table activate "${all[@]}"
        dd if=image.ext4 of="$array" bs=64K conv=fsync status=none
        mkdir -p mnt
        mount "$array" mnt
        echo kept >mnt/file
        status 1 "is in use" raid-table deactivate --or-read-only "${all[@]}"
        expect .dirty true
        mount -o remount,ro mnt
        status 0 "mounted read-only" raid-table deactivate --or-read-only "${all[@]}"
        [ "$(cat mnt/file)" = kept ] || fail "the file is gone"
        [ "$(blockdev --getro "$array")" = 1 ] || fail "it can be written"
        expect .dirty false
        in_use 0
        umount mnt
        status 0 "" raid-table deactivate "${all[@]}"
        no_devices "$phase"

        status 0 "" raid-table activate "${all[@]}"
        raid-pattern write "$array" "$size" --first 22
        sync
        echo "ok whole"
        power_cut 9
        ;;
    crashed)
        expect .dirty true
        in_use 1
        # It was not in step when it was found, so it is not recorded as if it were when it goes.
        status 0 "" raid-table activate "${all[@]}"
        dmsetup table | grep -q ' sync ' || fail "found dirty, and mapped as if not: $(dmsetup table)"
        reread "$array" "$size" 22
        status 0 "" raid-table deactivate "${all[@]}"
        expect .dirty true
        in_use 1
        assembled 22
        md_stop
        expect .dirty false
        echo "ok crashed"
        ;;
    degraded)
        status 1 "degraded" raid-table activate "${all[@]}"
        before=$(sums "${all[@]}")
        status 0 "" raid-table activate --degraded --read-only "${all[@]}"
        [ "$(blockdev --getro "$array")" = 1 ] || fail "it can be written"
        status 0 "" raid-table deactivate "${all[@]}"
        [ "$(sums "${all[@]}")" = "$before" ] || fail "reading changed a disk"
        export XDG_STATE_HOME=/root/state
        status 0 "slot $missing is recorded as failed" raid-table activate --degraded "${all[@]}"
        [ -s "$(echo /root/state/raid-tools/undo/*)" ] || fail "there is no undo file"
        [ "$(blockdev --getro "$array")" = 0 ] || fail "it can not be written"
        expect .dirty true
        raid-pattern write "$array" "$size" --first 33
        status 0 "" raid-table deactivate "${all[@]}"
        no_devices "$phase"
        expect .dirty false
        expect .health degraded
        in_use 0
        echo "ok degraded"
        ;;
    returned)
        expect .health degraded
        expect ".members[$missing].state == \"in-sync\"" false
        expect .dirty false
        status 1 "degraded" raid-table activate "${all[@]}"
        raid-probe "${all[@]}" | raid-table read --array "$name" | raid-pattern check - "$size" --first 33
        status 0 "" raid-table activate --degraded "${all[@]}"
        reread "$array" "$size" 33
        status 0 "" raid-table deactivate "${all[@]}"
        # As if killed when it was recorded and the array not yet live: gone on with, though it is dirty and degraded.
        status 0 "" raid-table activate --degraded "${all[@]}"
        table=$(dmsetup table "$name")
        uuid=$(dmsetup info -c --noheadings -o uuid "$name")
        dmsetup remove "$name"
        dmsetup create "$name" --uuid "$uuid" --notable
        dmsetup load "$name" --table "$table"
        expect .dirty true
        status 0 "" raid-table activate --degraded "${all[@]}"
        reread "$array" "$size" 33
        status 0 "" raid-table deactivate "${all[@]}"
        no_devices "$phase"
        expect .dirty false
        if [ "$words" != - ]; then
            assembled 33
            md_stop
        fi
        expect .health degraded
        status 0 "" raid-table activate --degraded "${all[@]}"
        raid-pattern write "$array" "$size" --first 44
        sync
        echo "ok returned"
        power_cut 9
        ;;
    lost)
        expect .dirty true
        expect .health degraded
        if [ "$(of_array .level)" = raid1 ]; then
            status 0 "" raid-table activate --degraded "${all[@]}"
            reread "$array" "$size" 44
        else
            # A stripe may have been half-written, and what is missing would be computed from it.
            status 1 "" raid-table activate --degraded "${all[@]}"
            cat said >&2
        fi
        echo "ok lost"
        ;;
esac

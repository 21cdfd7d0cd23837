# shellcheck shell=bash
# Activates an array and takes it down again, in every way that raid-table has. Arguments:
#
#   NAME UUID SECTORS REDUNDANCY MDADM [ARGUMENT…]     MDADM: whether mdadm can assemble it (1) or not (0); the rest goes
#                                                      to raid-pattern check
export IMSM_NO_PLATFORM=1
load_dm
modprobe loop

name=$1 uuid=$2 size=$3 redundancy=$4 mdadm=$5
shift 5
pattern=("$@")
mapfile -t all < <(disks)
array=/dev/mapper/$name

# data: what is on the disks up to their metadata, where those record that the array is in use.
records() { [[ $uuid == DMRAID-* ]]; }
data() {
    local disk end
    records || { sums "${all[@]}" && return; }
    for disk in "${all[@]}"; do
        end=$(raid-probe "$disk" 2>/dev/null | jq -s '[.[] | select(.type == "member") | .metadata[].offset_bytes] | min')
        raid-pattern sum "$disk" "$((end / 512))"
    done
}

# nothing_left WHEN: nothing of device-mapper or loop is left.
nothing_left() {
    no_devices "$1"
    [ "$(echo /dev/mapper/*)" = /dev/mapper/control ] || fail "$1: nodes are left: $(echo /dev/mapper/*)"
    [ -z "$(losetup -a)" ] || fail "$1: $(losetup -a)"
}

# rewrite K: every block of the array another than before.
rewrite() { raid-pattern write "$array" "$size" --first "$1"; }
check() { raid-pattern check "$array" "$size" "$@"; }

untouched=$(data)

# Whole: as dmraid names it, the content right, twice the same.
status 0 "" raid-table activate "${all[@]}"
[ "$(dmsetup info -c --noheadings -o uuid "$name")" = "$uuid" ] || fail "uuid: $(dmsetup info "$name")"
[ "$(sectors "$array")" = "$size" ] || fail "size"
check "${pattern[@]}"
status 0 "was active" raid-table activate -o text "${all[@]}"
status 1 "is active with another table" raid-table activate --read-only "${all[@]}"
exec 8<"$array"
status 1 "is in use" raid-table deactivate "${all[@]}"
exec 8<&-
status 0 "" raid-table deactivate "${all[@]}"
nothing_left "deactivated"
status 0 "is not active" raid-table deactivate "${all[@]}"
[ "$(data)" = "$untouched" ] || fail "reading through the array changed a disk"
before=$(sums "${all[@]}")
status 0 "" raid-table activate --read-only "${all[@]}"
check "${pattern[@]}"
status 0 "" raid-table deactivate "${all[@]}"
[ "$(sums "${all[@]}")" = "$before" ] || fail "a read-only array changed a disk"

# The whole machine, and by name when the metadata can not be asked.
if [[ $uuid == DMRAID-* ]]; then
    status 0 "" raid-table activate
    check "${pattern[@]}"
    status 0 "" raid-table deactivate
    nothing_left "all deactivated"
fi

# A member that something else has.
dmsetup create hold --table "0 8 linear ${all[0]} 0"
status 1 "is in use by dm-0 (hold); not activated" raid-table activate "${all[@]}"
dmsetup remove hold

# What a killed activation leaves is gone on with.
dmsetup create "$name" --uuid "$uuid" --notable
status 0 "" raid-table activate "${all[@]}"
check "${pattern[@]}"
status 0 "" raid-table deactivate "${all[@]}"
dmsetup create "$name" --uuid "$uuid" --notable
status 0 "" raid-table deactivate "${all[@]}"
nothing_left "a device without table"
dmsetup create "$name" --uuid OTHER-x --notable
status 1 "with uuid OTHER-x" raid-table activate "${all[@]}"
dmsetup remove "$name"

# A table that the kernel refuses leaves nothing: the last member shall begin behind the end of its disk.
raid-probe "${all[@]}" | jq -c 'if .type == "array" then .members[-1] |= (.offset_sectors = 1000000 | .device_length_sectors = 4000000) else . end' >records
readable=()
if records; then
    status 3 "do not say what the records say" raid-table activate - <records
    nothing_left "records that are not those of the disks"
    readable=(--read-only)
fi
status 4 "loading its table" raid-table activate "${readable[@]}" - <records
nothing_left "refused"

# Without members.
if [ "$redundancy" -ge 1 ]; then
    rest=("${all[@]:1}")
    status 1 "degraded" raid-table activate "${rest[@]}"
    nothing_left "degraded"
    status 0 "" raid-table activate --degraded "${readable[@]}" --wait 1 "${rest[@]}"
    [ "$(blockdev --getro "$array")" = 1 ] || fail "degraded and writable"
    check "${pattern[@]}"
    status 0 "" raid-table deactivate "${rest[@]}"
    nothing_left "degraded, deactivated"
fi

# Changes that reach no disk; degraded too, and through partitions.
before=$(sums "${all[@]}")
mkdir changes
status 0 "" raid-table activate --overlay changes "${all[@]}"
check "${pattern[@]}"
rewrite 77777
reread "$array" "$size" 77777
printf 'label: dos\n2048,2048,83\n,,5\n,2048,83\n' | sfdisk -q --no-reread "$array" >&2
status 0 "" raid-table activate --overlay changes --partitions "${all[@]}"
case $name in *[0-9]) part=${name}p ;; *) part=$name ;; esac
[ "$(dmsetup table "${part}1")" = "0 2048 linear $(lsblk -no MAJ:MIN "$array" | head -n 1 | tr -d ' ') 2048" ] || fail "$(dmsetup table)"
[ "$(dmsetup info -c --noheadings -o uuid "${part}5")" = "part5-$uuid" ] || fail "$(dmsetup info)"
status 0 "in use by changes" raid-table deactivate "${all[@]}"
nothing_left "overlays"
[ "$(sums "${all[@]}")" = "$before" ] || fail "an overlay let writes through"
status 4 "changes/overlay" raid-table activate --overlay changes "${all[@]}"
nothing_left "an overlay that is there"
if [ "$redundancy" -ge 1 ]; then
    mkdir without
    status 0 "" raid-table activate --overlay without --degraded "${all[@]:1}"
    rewrite 99999
    reread "$array" "$size" 99999
    status 0 "in use by changes" raid-table deactivate "${all[@]:1}"
    nothing_left "overlays without a member"
    [ "$(sums "${all[@]}")" = "$before" ] || fail "an overlay of a degraded array let writes through"
fi

# What the kernel writes through our tables md reads.
if [ "$mdadm" = 1 ]; then
    load_md
    status 0 "" raid-table activate "${all[@]}"
    rewrite 55555
    blockdev --flushbufs "$array"
    status 0 "" raid-table deactivate "${all[@]}"
    for disk in "${all[@]}"; do blockdev --flushbufs "$disk"; done
    md_assemble >&2
    for md in /sys/block/md*; do
        [ "$(cat "$md/size")" = 0 ] || reread "/dev/${md##*/}" "$size" 55555
    done
    md_stop
    echo "mdadm read what was written"
fi
# A member whose start looks like a table of partitions: they are pieces of the array, and can be hidden.
printf 'label: dos\n2048,2048,83\n' | sfdisk -q "${all[0]}" >&2
blockdev --rereadpt "${all[0]}"
[ -b "${all[0]}1" ] || fail "the kernel sees no partition on the member"
status 0 "" raid-table activate --hide-partitions "${all[@]}"
[ ! -e "${all[0]}1" ] || fail "the partition of the member is not hidden"
status 0 "" raid-table deactivate "${all[@]}"
nothing_left "hidden partitions"

# A partition that can not be made takes its array with it, and no device of somebody else.
half_activated() {
    dmsetup create "${part}2" --uuid OTHER-x --notable
    status 1 "${part}2: there is a device of that name with uuid OTHER-x" raid-table activate --partitions "${all[@]}"
    [ "$(dmsetup ls | cut -f 1)" = "${part}2" ] || fail "a partition failed: $(dmsetup ls)"
    dmsetup remove "${part}2"
}
status 0 "" raid-table activate "${all[@]}"
printf 'label: dos\n2048,2048,83\n4096,2048,83\n' | sfdisk -q --no-reread "$array" >&2
status 0 "" raid-table deactivate "${all[@]}"
half_activated
nothing_left "half activated"
status 0 "" raid-table activate --partitions "${all[@]}"
[ "$(dmsetup info -c --noheadings -o uuid "${part}2")" = "part2-$uuid" ] || fail "$(dmsetup info)"
status 0 "" raid-table deactivate "${all[@]}"
nothing_left "partitions"

# With udev: its links, and no cookie left that nobody waits for.
start_udev >&2
status 0 "" raid-table activate "${all[@]}"
[ -b "$array" ] || fail "udev made no node"
status 0 "" raid-table deactivate "${all[@]}"
half_activated
udevadm settle
nothing_left "with udev"
[ -z "$(dmsetup udevcookies | tail -n +2)" ] || fail "cookies: $(dmsetup udevcookies)"

echo "ok $name"

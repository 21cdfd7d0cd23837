# shellcheck shell=bash
# Activates many arrays, one after another: whole, without members, and then its start written. Argument: a file with a line for each,
#
#   WHAT NAME UUID SECTORS LOSSES MDADM FROM PATTERN DISK…
#
# WHAT names it here, NAME and UUID are those of its device. LOSSES: the members to do without, each alone, with commas, or -;
# or `degraded`, if one is lost already. MDADM: whether mdadm is to assemble what was written (1) or not (0). FROM: the block
# from which on there is data. PATTERN: further arguments of raid-pattern check, with commas, or -. DISK is a number. Prints
# `ok WHAT` and what was done.
export IMSM_NO_PLATFORM=1
load_dm
load_md

# How much of every array is written in the end, as the same pattern from another number on.
part=8192
added=100000

# check ARGUMENT…: the array that is active holds the pattern.
check() {
    [ "$(sectors "$array")" = "$size" ] || fail "$what: $(sectors "$array") sectors, expected $size"
    check_pattern_of "$array" all "$@"
}
check_pattern_of() { raid-pattern check "$@" --at "$from" >&2 || fail "$what: it does not hold what it should"; }

# active ARGUMENT…, inactive: made a device, and taken down again, without a trace.
active() {
    raid-table activate -o text "$@" >&2 || fail "$what: activate $*: status $?"
    [ "$(dmsetup info -c --noheadings -o uuid "$name")" = "$uuid" ] || fail "$what: $(dmsetup info "$name")"
}
inactive() {
    raid-table deactivate "$@" >&2 || fail "$what: deactivate: status $?"
    [ "$(dmsetup ls)" = "No devices found" ] || fail "$what: deactivated: $(dmsetup ls)"
}

# untouched ARGUMENT…: active read-only, it holds the pattern, and none of its disks was written, not by the kernel either.
untouched() {
    local before
    before=$(writes "$@")
    active --degraded --read-only "$@"
    check "${pattern[@]}"
    inactive "$@"
    [ "$(writes "$@")" = "$before" ] || fail "$what: disks were written: $(writes "$@"), before $before"
}
writes() {
    local device
    for device; do awk '{ printf "%s ", $5 }' "/sys/block/${device#/dev/}/stat"; done
}

# refused TEXT ARGUMENT…: not made a device, and why.
refused() {
    local text=$1
    shift
    if raid-table activate "$@" >said 2>&1; then fail "$what: active without --degraded"; fi
    grep -qF -- "$text" said || fail "$what: does not say '$text': $(cat said)"
    [ "$(dmsetup ls)" = "No devices found" ] || fail "$what: refused: $(dmsetup ls)"
}

# without SLOT: the disks of the set but this.
without() {
    local slot
    for slot in "${!all[@]}"; do
        [ "$slot" = "$1" ] || echo "${all[slot]}"
    done
}

# reads SECTORS DISK…: raid-table reads what was written, without the kernel.
reads() {
    local length=$1
    shift
    raid-table read --offset "$((from * 4096))" --length "$((length * 512))" "$@" | check_pattern_of - "$length" "${rewritten[@]}"
}

# mdadm_reads: mdadm assembles these disks, and no others, and the kernel's md reads what was written.
mdadm_reads() {
    local md found=0
    {
        echo "DEVICE ${all[*]} containers"
        mdadm --examine --scan "${all[@]}" | sed 's|^ARRAY /dev/md[0-9]\+ |ARRAY |'
    } >/etc/mdadm/mdadm.conf
    mdadm --assemble --scan >&2 || echo "$what: mdadm --assemble: status $?" >&2
    for md in /sys/block/md*; do
        [ "$(cat "$md/size")" != 0 ] || continue
        check_pattern_of "/dev/${md##*/}" all "${rewritten[@]}"
        found=$((found + 1))
    done
    [ "$found" = 1 ] || fail "$what: mdadm made $found arrays: $(cat /proc/mdstat)"
    md_stop
}

try() {
    what=$1 name=$2 uuid=$3 size=$4 losses=$5 mdadm=$6 from=$7 array=/dev/mapper/$2
    local pattern=() lost=() slot rest said="ok $1"
    [ "$8" = - ] || IFS=, read -ra pattern <<<"$8"
    [ "$losses" = - ] || IFS=, read -ra lost <<<"$losses"
    shift 8
    mapfile -t all < <(for slot; do disk "$slot"; done)

    if [ "$losses" = degraded ]; then
        refused "is not in sync; --degraded maps it without" "${all[@]}"
        untouched "${all[@]}"
        echo "$said degraded"
        return
    fi
    untouched "${all[@]}"
    said+=" whole"
    for slot in "${lost[@]}"; do
        mapfile -t rest < <(without "$slot")
        refused "degraded: slot" "${rest[@]}"
        untouched "${rest[@]}"
        said+=" without-$slot"
    done

    active "${all[@]}"
    check_pattern_of "$array" "$part"
    raid-pattern write "$array" "$part" --at "$from" --add "$added"
    inactive "${all[@]}"
    for slot in "${all[@]}"; do blockdev --flushbufs "$slot"; done
    rewritten=(--rewritten "$((from + part / 8))" --add "$added")
    reads "$([ "$mdadm" = 1 ] && echo "$part" || echo $((size - from * 8)))" "${all[@]}"
    for slot in "${lost[@]}"; do
        mapfile -t rest < <(without "$slot")
        reads "$part" "${rest[@]}"
    done
    said+=" written"
    if [ "$mdadm" = 1 ]; then
        mdadm_reads
        said+=" mdadm"
    fi
    echo "$said"
}

while read -ra line; do
    try "${line[@]}"
    echo "$(cut -d ' ' -f 1 /proc/uptime) after ${line[0]}" >&2
done <"$1"

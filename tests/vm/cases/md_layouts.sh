# shellcheck shell=bash
# Makes the arrays of a plan, each on pieces of disk 0, and fills them with the pattern. A line of the plan:
#
#   NAME START+LENGTH,START+LENGTH… ARGUMENT…     (pieces in sectors; arguments of mdadm --create)
#
# The disk is zero, so parity is right from the start and no resync is needed. Prints for each array
# NAME, its size in sectors, and what the kernel calls it: level, layout, chunk in bytes.
#
#   tests/vm/run --disk IMAGE --file PLAN:plan tests/vm/cases/md_layouts.sh
load_md
load_dm
export MDADM_EXPERIMENTAL=1 # ddf layouts in native metadata

make_array() {
    local number=$1 name=$2 pieces=$3 slot=0 piece members=() md=/dev/md$1 size state
    shift 3
    for piece in ${pieces//,/ }; do
        dmsetup create "p$number-$slot" --table "0 ${piece#*+} linear $(disk 0) ${piece%+*}"
        members+=("/dev/mapper/p$number-$slot")
        slot=$((slot + 1))
    done
    mdadm --create "$md" --run --assume-clean --homehost=none --name="$name" "$@" "${members[@]}" >&2
    size=$(sectors "$md")
    write_pattern "$md" "$size"
    state=/sys/block/md$number/md
    echo "$name $size $(cat "$state/level") $(cat "$state/layout") $(cat "$state/chunk_size")"
    mdadm --quiet --wait-clean "$md" || true
    wait_until 20 mdadm --quiet --stop "$md"
    for piece in "${members[@]}"; do dmsetup remove "$piece"; done
}

number=0
while read -r name pieces arguments; do
    # shellcheck disable=SC2086  # arguments are words
    make_array "$number" "$name" "$pieces" $arguments </dev/null
    number=$((number + 1))
done <plan

# shellcheck shell=bash
# Loads the tables that raid-table prints for a set of disks and reads the array through the kernel: whole, then
# without each member, and without each pair if asked. Arguments:
#
#   SECTORS MISSING [ARGUMENT…]     MISSING: how many may be missing at once (0, 1, 2); the rest goes to
#                                   raid-pattern check
#
# Prints a line for each combination: `ok WHAT` and the array's size and whether it is read-only.
load_dm

size=$1 redundancy=$2
shift 2
pattern=("$@")
mapfile -t all < <(disks)

remove_all() {
    local name
    for name in $(tac names); do wait_until 10 dmsetup remove "$name"; done
}

# try WHAT DEVICE…
try() {
    local what=$1 top
    shift
    raid-probe "$@" >records || true
    raid-table emit --degraded -J <records | jq -r .name >names
    raid-table -o concise --degraded <records | dmsetup create --concise
    top=$(tail -n 1 names)
    raid-pattern check "/dev/mapper/$top" "$size" "${pattern[@]}" >&2
    echo "ok $what: $(sectors "/dev/mapper/$top") read-only=$(blockdev --getro "/dev/mapper/$top")"
    remove_all
}

# kept SLOT…: the disks without these.
kept() {
    local place
    for place in "${!all[@]}"; do
        case " $* " in *" $place "*) ;; *) echo "${all[$place]}" ;; esac
    done
}

before=$(sums "${all[@]}")
try whole "${all[@]}"
if [ "$redundancy" -ge 1 ]; then
    for first in "${!all[@]}"; do
        mapfile -t rest < <(kept "$first")
        try "without $first" "${rest[@]}"
        [ "$redundancy" -ge 2 ] || continue
        for ((second = first + 1; second < ${#all[@]}; second++)); do
            mapfile -t rest < <(kept "$first" "$second")
            try "without $first $second" "${rest[@]}"
        done
    done
fi
[ "$before" = "$(sums "${all[@]}")" ] || fail "the disks were written"

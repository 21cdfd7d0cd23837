# shellcheck shell=bash
# md's own check of the arrays on the disks. Prints `NAME N` for each: the sectors that the kernel finds not to agree.
load_md
md_assemble >&2

for device in /dev/md/*; do
    state=/sys/block/$(basename "$(readlink -f "$device")")/md
    [ "$(cat "$state/degraded")" = 0 ] || fail "$device is degraded: $(cat /proc/mdstat)"
    md_settled "$device"
    echo check >"$state/sync_action"
    md_settled "$device" 120
    [ "$(cat "$state/last_sync_action")" = check ] || fail "$device: $(cat "$state/last_sync_action")"
    echo "$(basename "$device") $(cat "$state/mismatch_cnt")"
done
md_stop

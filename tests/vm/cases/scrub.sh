# shellcheck shell=bash
# Our own comparison of the array on the disks, which reads them past the page cache: prints `ours N`, the sectors that do not
# agree. Then md's own check: prints `NAME N`, the sectors that the kernel finds not to agree.
# shellcheck disable=SC2046  # a device a word
found=$(raid-repair scrub -J $(disks)) || [ $? = 1 ]
echo "ours $(($(sed -n 's/.*"wrong_sectors":\([0-9]*\),"undecidable_sectors":\([0-9]*\).*/\1+\2/p' <<<"$found")))"

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

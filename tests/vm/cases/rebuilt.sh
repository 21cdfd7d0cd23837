# shellcheck shell=bash
# mdadm assembles sets with a rebuilt disk, and the kernel finds nothing to do and nothing wrong. Arguments, for each
# array: WHAT it is, its NAME or UUID, and SECTORS. Prints `ok WHAT LEVEL` for each.
export IMSM_NO_PLATFORM=1
load_md

md_assemble_any

while [ $# -gt 0 ]; do
    device=$(md_device "$2") || fail "no $1: $(cat /proc/mdstat)"
    state=/sys/block/${device#/dev/}/md
    [ "$(sectors "$device")" = "$3" ] || fail "$1 has $(sectors "$device") sectors, expected $3"
    [ "$(cat "$state/sync_action")" = idle ] || fail "$1 is being synchronized: $(cat "$state/sync_action")"
    [ "$(cat "$state/degraded")" = 0 ] || fail "$1 is degraded: $(mdadm --detail "$device")"
    for member in "$state"/dev-*; do
        case $(cat "$member/state") in
            in_sync | in_sync,external_bbl) ;;
            *) fail "$1: $member is $(cat "$member/state")" ;;
        esac
    done
    check_pattern "$device" "$3" >&2 || fail "$1 does not hold what was written"
    echo check >"$state/sync_action"
    md_settled "$device"
    [ "$(cat "$state/mismatch_cnt")" = 0 ] || fail "$1: $(cat "$state/mismatch_cnt") mismatches"
    echo "ok $1 $(cat "$state/level")"
    shift 3
done
md_stop >&2

# shellcheck shell=bash
# mdadm reads the sets on the disks and assembles them, and the kernel reads the pattern from them. Arguments, for each
# array: WHAT it is, its number of DISKS, its NAME or UUID, and SECTORS, or `refused` if mdadm is not to start it. Prints
# what mdadm says of each disk that it is not to refuse, and `ok WHAT LEVEL` or `ok WHAT refused` for each array.
export IMSM_NO_PLATFORM=1
load_md

number=0
examine() {
    local last=$((number + $1))
    while [ "$number" -lt "$last" ]; do
        mdadm --examine "$(disk "$number")" || [ "$2" = refused ] || fail "mdadm --examine $(disk_file "$number")"
        number=$((number + 1))
    done
}
sets=("$@")
for ((at = 0; at < $#; at += 4)); do
    case ${sets[at + 3]} in
        refused) examine "${sets[at + 1]}" refused >&2 ;;
        *) examine "${sets[at + 1]}" '' ;;
    esac
done

md_assemble_any

while [ $# -gt 0 ]; do
    if [ "$4" = refused ]; then
        device=$(md_device "$3") && [ "$(sectors "$device")" != 0 ] && fail "$1 was started"
        echo "ok $1 refused"
        shift 4
        continue
    fi
    device=$(md_device "$3") || fail "no $1: $(ls /dev/md /dev/md[0-9]*) $(cat /proc/mdstat)"
    state=/sys/block/${device#/dev/}/md
    [ "$(sectors "$device")" = "$4" ] || fail "$1 has $(sectors "$device") sectors, expected $4"
    [ "$(cat "$state/sync_action" 2>/dev/null || echo idle)" = idle ] || fail "$1 is being resynced"
    [ "$(cat "$state/degraded" 2>/dev/null || echo 0)" = 0 ] || fail "$1 is degraded"
    check_pattern "$device" "$4" >&2 || fail "$1 does not hold what was written"
    echo "ok $1 $(cat "$state/level")"
    shift 4
done
md_stop >&2

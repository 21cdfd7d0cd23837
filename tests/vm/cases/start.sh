# shellcheck shell=bash
# What a machine does when it starts, beside booting: /usr/lib/raid-tools/start under its settings, and the rules of udev for
# disks that come later. Disks 0 and 1 are an Intel mirror, 2 and 3 an array of md. Arguments:
#
#   NAME     of the Intel array
name=$1
array=/dev/mapper/$name
start=/usr/lib/raid-tools/start
rules=/usr/lib/udev/rules.d
load_dm
export RAID_TABLE_CMDLINE=/root/cmdline RAID_TABLE_CONF=/root/conf RAID_TABLE_WAITED=/root/waited

# started TEXT CMDLINE [CONF]: starts the arrays so, with this on the console.
started() {
    echo "quiet $2" >cmdline
    printf '%s\n' "${3:-}" >conf
    "$start" ${4:+"$4"} >said 2>&1 || echo "status $?" >>said
    [ -z "$1" ] || grep -qF -- "$1" said || fail "$2 ${3:-}: does not say '$1': $(cat said)"
}
stop() { raid-table -q deactivate || fail "$(dmsetup ls --tree)"; }
nothing() { [ "$(dmsetup ls)" = "No devices found" ] || fail "$1: $(dmsetup ls)"; }

# Whole: at once, whatever the wait, and twice the same. md's array is left to mdadm.
SECONDS=0
started "$array" raidtable.wait=99
[ "$SECONDS" -lt 50 ] || fail "it waited for $SECONDS s"
started "was active" ""
[ "$(dmsetup ls | grep -vc "^$name")" = 0 ] || fail "$(dmsetup ls)"
stop

# Not asked for, in every way to say so.
for words in nodmraid rd.dm=0 raidtable=no; do
    started "no array is activated" "$words"
    nothing "$words"
done
started "no array is activated" "" ENABLED=no
nothing ENABLED=no
started "$array" raidtable=yes ENABLED=no
stop

# Where mdadm's rules are there, Intel's arrays are its own, unless it is told otherwise.
touch $rules/64-md-raid-assembly.rules
started "" ""
nothing "left to mdadm"
started "$array" raidtable.mdadm=no
stop
started "$array" "" MDADM=no
stop
rm $rules/64-md-raid-assembly.rules
started "" raidtable.mdadm=yes
nothing "left to mdadm as told"

# What can not be meant is said.
started "WAIT is 'soon', expected seconds; taken as 20" raidtable.wait=soon
stop

# A disk is away.
away=$(raid-probe --arrays | jq -r 'select(.format == "isw").members[] | select(.slot == 1).device')
there=$(raid-probe --arrays | jq -r 'select(.format == "isw").members[] | select(.slot == 0).device')
echo 1 >"/sys/block/${away##*/}/device/delete"
started "$name: slot 1 is missing, after 1s" "raidtable.wait=1 raidtable.degraded=no"
grep -q "$name: degraded" said || fail "$(cat said)"
nothing "degraded=no"
started "$name: slot 1 is missing; waiting for up to 2s" raidtable.wait=2 WAIT=99
grep -q "$name: slot 1 is missing; active without it" said || fail "$(cat said)"
grep -q "^$array" said || fail "$(cat said)"
stop
# What was waited for once is not waited for again, where that is wished: while a root is looked for.
for text in "slot 1 is missing, after 1s" "slot 1 is missing; active without it"; do
    started "$text" raidtable.wait=1 "" --once
    stop
done
! grep -q "after 1s" said || fail "$(cat said)"
started "slot 1 is missing, after 1s" raidtable.wait=1
stop
started "DEGRADED is 'perhaps', expected yes or no; taken as yes" raidtable.wait=0 DEGRADED=perhaps
grep -q "active without it" said || fail "$(cat said)"
stop

# A disk that comes later: udev asks for the service for a member of ours, and for nothing else.
start_udev >&2
wants() { udevadm info --query=property --property=SYSTEMD_WANTS --value "$1"; }
[ "$(wants "$there")" = raid-table-start.service ] || fail "$(udevadm info "$there")"
[ -z "$(wants "$(disk 2)")" ] || fail "$(udevadm info "$(disk 2)")"
echo ok

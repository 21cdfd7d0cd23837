# shellcheck shell=bash
# Arrays that lose power in the middle of something. Each argument names one; its disks are those with the serials
# NAME-0, NAME-1, … (all 24 MiB, blank), the last of them spare where a spare is needed. All hold the pattern; what
# is written while the power goes holds n+1+10240.
#
#   tests/vm/run --disk A,serial=grow-0 --disk B,serial=grow-1 … tests/vm/cases/md_midway.sh grow … (exits with 9)
#
# Prints NAME, the size of the array in sectors, and how many of these were rewritten.
load_md

rewritten() {
    case $1 in dirty* | bitmap | ppl | journal) echo 8192 ;; *) echo 0 ;; esac
}
# create NAME MEMBERS ARGUMENT…: from the first disks; parity is right because they are zero.
create() {
    local name=$1 count=$2
    shift 2
    [[ " $* " == *" --level=1 "* ]] || set -- --chunk=64 "$@"
    # shellcheck disable=SC2046  # a device a word
    mdadm --create "/dev/md/$name" --run --homehost=none --name="$name" --raid-devices="$count" "$@" \
        $(members "$name" | sed -n "1,${count}p") >&2
    write_pattern "/dev/md/$name" "$(sectors "/dev/md/$name")"
    echo "$name $(sectors "/dev/md/$name") $(rewritten "$name")"
}
clean() { create "$@" --assume-clean --bitmap=none; }

spare() { mdadm "/dev/md/$1" --add "$(member "$1" "$2")" >&2; }
grow() {
    local name=$1
    shift
    speed "$name" 2000
    mdadm --grow "/dev/md/$name" "$@" >&2
}
lose() { # ARRAY DISK: fails and removes it
    local device
    device=$(member "$1" "$2")
    mdadm "/dev/md/$1" --fail "$device" >&2
    wait_until 10 mdadm --quiet "/dev/md/$1" --remove "$device"
    speed "$1" 2000
}
begin() {
    local name=$1
    case $name in
        # A reshape: more disks, with and without room to move the data; fewer; another chunk, layout or level.
        grow)
            clean grow 3 --level=5
            spare grow 3
            grow grow --raid-devices=4
            ;;
        offset)
            clean offset 3 --level=5 --data-offset=4M
            spare offset 3
            grow offset --raid-devices=4
            ;;
        ten)
            clean ten 4 --level=10 --data-offset=4M
            spare ten 4
            grow ten --raid-devices=5
            ;;
        shrink)
            clean shrink 5 --level=5
            mdadm --grow /dev/md/shrink --array-size="$(($(sectors /dev/md/shrink) * 3 / 8))" >&2
            grow shrink --raid-devices=4 --backup-file=/root/shrink
            ;;
        chunk)
            clean chunk 5 --level=6
            grow chunk --chunk=32 --backup-file=/root/chunk
            ;;
        layout)
            clean layout 4 --level=5 --data-offset=4M
            grow layout --layout=ra
            ;;
        five2six)
            clean five2six 3 --level=5
            spare five2six 3
            grow five2six --level=6 --raid-devices=4 --backup-file=/root/five2six
            ;;
        # A new member, not all of it written yet.
        recover5)
            clean recover5 3 --level=5
            lose recover5 1
            spare recover5 3
            ;;
        recover6)
            clean recover6 5 --level=6
            lose recover6 1
            lose recover6 3
            spare recover6 5
            spare recover6 6
            ;;
        recover1)
            clean recover1 2 --level=1
            lose recover1 0
            spare recover1 2
            ;;
        recover10)
            clean recover10 4 --level=10
            lose recover10 2
            spare recover10 4
            ;;
        replace)
            clean replace 3 --level=5
            speed replace 2000
            spare replace 3
            mdadm /dev/md/replace --replace "$(member replace 1)" --with "$(member replace 3)" >&2
            ;;
        # Parity that may not be right any more.
        resync)
            clean resync 3 --level=5
            speed resync 2000
            set_to resync sync_action repair
            ;;
        dirty5)
            clean dirty5 3 --level=5
            busy dirty5
            ;;
        dirty1)
            clean dirty1 2 --level=1
            busy dirty1
            ;;
        bitmap)
            create bitmap 3 --level=5 --assume-clean --bitmap=internal --bitmap-chunk=64K
            sleep 6 # until the bits are clear
            busy bitmap
            ;;
        ppl)
            create ppl 3 --level=5 --assume-clean --consistency-policy=ppl
            busy ppl
            ;;
        journal)
            create journal 3 --level=5 --write-journal "$(member journal 3)"
            busy journal
            ;;
        *) fail "no such array: $name" ;;
    esac
}

# How far it has come when it is held.
held() {
    case $1 in
        chunk) hold chunk 60 ;;
        grow | recover5) hold "$1" 40 ;;
        dirty* | bitmap | ppl | journal) ;;
        *) hold "$1" 25 ;;
    esac
}

for name in "$@"; do
    begin "$name"
    held "$name"
done
sleep 1
cat /proc/mdstat >&2
power_cut 9

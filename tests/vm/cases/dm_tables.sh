# shellcheck shell=bash
# Gives the kernel our device-mapper tables of sets of disks, and reads what they map. The file `sets` has a line for each:
#
#   NAME SECTORS REDUNDANCY ARGUMENTS PATH…
#
# PATH is the number of a disk, or NUMBER@OFFSET+LENGTH in bytes; ARGUMENTS are further ones of raid-pattern check, `-`
# for none, with commas for spaces. Each set is tried whole, and if REDUNDANCY is not 0 without each one of its disks. Prints
#
#   NAME MISSING ro|rw            the tables were made, and all bytes are right; MISSING is - or counts from 0
#   NAME MISSING refused          raid-table makes no table
#   NAME MISSING wrong …          what the kernel, or the pattern, said
#
#   tests/vm/run --bin raid-probe --bin raid-table --file sets:sets --disk A,snapshot … tests/vm/cases/dm_tables.sh
load_dm
modprobe -a raid0 raid1 raid10 raid456

device_path() {
    case $1 in
        *@*) echo "$(disk "${1%%@*}")@${1#*@}" ;;
        *) disk "$1" ;;
    esac
}

# try SECTORS ARGUMENTS PATH…: prints how it went.
try() {
    local sectors=$1 arguments=$2 top
    shift 2
    [ "$arguments" != - ] || arguments=''
    raid-probe "$@" | raid-table emit -o concise --degraded >table 2>complaint || true
    if ! [ -s table ]; then
        echo refused
        return
    fi
    if ! dmsetup create --concise "$(cat table)" 2>complaint; then
        echo "wrong: dmsetup: $(tr '\n' ' ' <complaint) $(dmesg | grep device-mapper | tail -n 2 | tr '\n' ' ')"
        return
    fi
    top=$(names | tail -n 1)
    # shellcheck disable=SC2086  # arguments are words
    if [ "$(sectors "/dev/mapper/$top")" != "$sectors" ]; then
        echo "wrong: $(sectors "/dev/mapper/$top") sectors, expected $sectors"
    elif ! raid-pattern check "/dev/mapper/$top" "$sectors" ${arguments//,/ } 2>complaint; then
        echo "wrong: $(tr '\n' ' ' <complaint)"
    elif ! is_locked_if_told "/dev/mapper/$top"; then
        echo "wrong: it can be written"
    else
        access
    fi
}
names() { tr ';' '\n' <table | cut -d , -f 1; }
access() { tr ';' '\n' <table | tail -n 1 | cut -d , -f 4; }
is_locked_if_told() {
    [ "$(access)" = rw ] || ! dd if=/dev/zero of="$1" bs=4096 count=1 conv=notrunc 2>/dev/null
}
while read -r name sectors redundancy arguments paths; do
    all=()
    for path in $paths; do all+=("$(device_path "$path")"); done
    echo "$name - $(try "$sectors" "$arguments" "${all[@]}" </dev/null)"
    dmsetup remove_all
    [ "$redundancy" != 0 ] || continue
    for missing in "${!all[@]}"; do
        some=("${all[@]}")
        unset "some[missing]"
        echo "$name $missing $(try "$sectors" "$arguments" "${some[@]}" </dev/null)"
        dmsetup remove_all
    done
done <sets

# shellcheck shell=bash
# Arrays that are whole but not plain. Each argument names one; its disks are those with the serials NAME-0,
# NAME-1, … (all 24 MiB, blank). All hold the pattern. Prints NAME and the size of the array in sectors.
#
#   tests/vm/run --disk A,serial=badblocks-0 … tests/vm/cases/md_odd.sh badblocks …
load_md

# create NAME MEMBERS ARGUMENT…: from the first disks, and fills it.
create() {
    local name=$1 count=$2
    shift 2
    # shellcheck disable=SC2046  # a device a word
    mdadm --create "/dev/md/$name" --run --homehost=none --name="$name" --raid-devices="$count" "$@" \
        $(members "$name" | sed -n "1,${count}p") >&2
    write_pattern "/dev/md/$name" "$(sectors "/dev/md/$name")"
    echo "$name $(sectors "/dev/md/$name")"
}
stop() {
    mdadm --quiet --wait-clean "/dev/md/$1" || true
    wait_until 20 mdadm --quiet --stop "/dev/md/$1"
}

make() {
    local name=$1 device
    case $name in
        # Sectors of disk 1 are known to be bad; they are then made wrong.
        badblocks)
            create badblocks 3 --level=5 --chunk=64 --assume-clean --bitmap=none
            device=$(member badblocks 1)
            echo "12288 64" >"$(md badblocks "dev-$(basename "$device")/bad_blocks")"
            raid-pattern write /dev/md/badblocks 8 # a superblock is written with the list
            stop badblocks
            dd if=/dev/urandom of="$device" bs=512 seek=12288 count=64 conv=notrunc,fsync 2>/dev/null
            ;;
        # Assembling it writes what is in the log to the members.
        journal)
            create journal 3 --level=5 --chunk=64 --write-journal "$(member journal 3)"
            stop journal
            # shellcheck disable=SC2046  # a device a word
            mdadm --assemble /dev/md/journal $(members journal) >&2
            stop journal
            ;;
        bitmap)
            create bitmap 3 --level=5 --chunk=64 --assume-clean --bitmap=internal
            stop bitmap
            ;;
        ppl)
            create ppl 3 --level=5 --chunk=64 --assume-clean --consistency-policy=ppl
            stop ppl
            ;;
        writemostly)
            create writemostly 2 --level=1 --assume-clean --failfast --write-mostly
            stop writemostly
            ;;
        # To be given the byte order of the other kind of machine.
        swapped)
            create swapped 3 --level=5 --chunk=64 --assume-clean --metadata=0.90
            stop swapped
            ;;
        *) fail "no such array: $name" ;;
    esac
}

for name in "$@"; do make "$name"; done

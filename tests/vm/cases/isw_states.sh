# shellcheck shell=bash
# Intel arrays in the middle of something, when the power goes. Each argument names one; its disks are those with the
# serials NAME-0, NAME-1, … (24 MiB, blank), the last of them spare where a spare is needed. All hold the pattern; what is
# said to be rewritten holds n+1+10240. Exits with 9.
#
# Prints a line for each volume: NAME, its size in sectors and how many of these were rewritten.
#
#   tests/vm/run --disk A,serial=plain-0 … tests/vm/cases/isw_states.sh plain …
export IMSM_NO_PLATFORM=1 MDADM_EXPERIMENTAL=1
load_md

# container NAME MEMBERS: of the first disks.
container() {
    # shellcheck disable=SC2046  # a device a word
    mdadm --create "/dev/md/c-$1" --run --metadata=imsm --raid-devices="$2" $(members "$1" | sed -n "1,$2p") >&2
}
# volume NAME CONTAINER MEMBERS ARGUMENT…
volume() {
    local name=$1 container=$2 count=$3
    shift 3
    mdadm --create "/dev/md/$name" --run --raid-devices="$count" "$@" "/dev/md/c-$container" >&2
}
fill() {
    write_pattern "/dev/md/$1" "$(sectors "/dev/md/$1")"
    settle "$1"
    echo "$1 $(sectors "/dev/md/$1") ${2:-0}"
}
# Until mdmon has written that the array is clean; those of level 0 are always.
settle() {
    if [ -e "$(md "$1" safe_mode_delay)" ]; then
        set_to "$1" safe_mode_delay 0.2
        mdadm --quiet --wait-clean "/dev/md/$1" || true
    fi
}
# raid5 NAME: three disks, clean.
raid5() {
    container "$1" 3
    volume "$1" "$1" 3 --level=5 --chunk=64 --assume-clean
    fill "$1" "${2:-0}"
}
rewrite() {
    raid-pattern write "/dev/md/$1" "$2" --add 10240
    settle "$1"
}
lose() {
    mdadm "/dev/md/$1" --fail "$(member "$1" "$2")" >&2
    wait_until 20 mdadm --quiet "/dev/md/c-$1" --remove "$(member "$1" "$2")"
}

make() {
    local name=$1
    case $name in
        plain | sector4k) raid5 "$name" ;;
        # Disk 1 has failed, and does not have what was written since.
        failed)
            raid5 failed 16384
            lose failed 1
            rewrite failed 16384
            ;;
        rebuild)
            raid5 rebuild 16384
            lose rebuild 1
            rewrite rebuild 16384
            speed rebuild 1000
            mdadm /dev/md/c-rebuild --add "$(member rebuild 3)" >&2
            hold rebuild 30
            ;;
        # Parity is made; what is written meanwhile has it right only where it has come.
        initialize)
            container initialize 3
            for device in $(members initialize); do
                dd if=/dev/urandom of="$device" bs=1M count=20 conv=notrunc 2>/dev/null
            done
            volume initialize initialize 3 --level=5 --chunk=64
            speed initialize 1000
            fill initialize
            hold initialize 30
            ;;
        dirty)
            raid5 dirty 8192
            busy dirty
            ;;
        ppl)
            container ppl 3
            volume ppl ppl 3 --level=5 --chunk=64 --assume-clean --consistency-policy=ppl
            fill ppl 8192
            busy ppl
            ;;
        two)
            container two 2
            volume two-a two 2 --level=1 --assume-clean --size=5M
            fill two-a
            volume two-b two 2 --level=0 --chunk=16
            fill two-b
            ;;
        ten6)
            container ten6 6
            volume ten6 ten6 6 --level=10 --chunk=32 --assume-clean
            fill ten6
            ;;
        # A general migration, at one of several places.
        grow*)
            raid5 "$name"
            mdadm "/dev/md/c-$name" --add "$(member "$name" 3)" >&2
            speed "$name" 2000
            mdadm --grow "/dev/md/c-$name" --raid-devices=4 >&2
            hold "$name" "${name#grow}"
            ;;
        *) fail "no such array: $name" ;;
    esac
}

for name in "$@"; do make "$name"; done
sleep 1
cat /proc/mdstat >&2
power_cut 9

#!/usr/bin/env bash
# Shows the tools at work on two small arrays that the project carries: finds them, draws them, reads
# them whole, and again with a disk missing. Every command is printed before it runs, and the bytes
# that come out are compared with what was once written. `make sample` builds the tools first.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(realpath "${CARGO_TARGET_DIR:-target}")
fixtures=$PWD/tests/fixtures
sample=$target/sample
rm -rf "$sample"
mkdir -p "$sample"
cd "$sample"
PATH=$target/release:$PATH

say() {
    printf '\n'
    printf '# %s\n' "$@"
}

# Runs a command line and expects its exit status, which is 0 unless another is given.
run() {
    local line=$1 expected=${2:-0} status=0
    printf '\n$ %s\n' "$line"
    bash -o pipefail -c "$line" || status=$?
    if [ "$status" -ne "$expected" ]; then
        printf 'sample: the last command ended with status %s, expected %s\n' "$status" "$expected" >&2
        exit 1
    fi
    [ "$status" -eq 0 ] || printf '(exit status %s)\n' "$status"
}

unpack() {
    mkdir "$2"
    for text in "$fixtures/$1"/disk*.img.txt; do
        raid-image unpack "$text" "$2/$(basename "$text" .txt)"
    done
    cp "$fixtures/$1"/*.serial "$2" 2>/dev/null || true
}

unpack isw-raid5-3 intel
unpack md12-raid5-stale-3 stale

say "Three disks of an Intel firmware RAID 5, with their hardware serials beside them." \
    "Block n of the array (4096 bytes, from 0) was once filled with the number n+1."
run "ls -s intel"

say "What is on the disks?"
run "raid-probe -o text intel/*.img"

say "The same as records, and what of it the kernel would be given:"
run "raid-probe intel/*.img | raid-table -o dmsetup"

say "Where is what?"
run "raid-probe intel/*.img | raid-table draw"

say "And without disk1:"
run "raid-table draw intel/disk0.img intel/disk2.img"

say "Array sector 1000 is on this disk, at this sector, with these mates:"
run "raid-table map --sector 1000 -o text intel/*.img"

say "The array, read in userspace. The first two blocks hold 1 and 2, and all blocks what was written:"
run "raid-table read intel/*.img > intel/array.bin"
run "od -A d -t u4 -N 8192 intel/array.bin"
run "raid-pattern check intel/array.bin 73728 && sha256sum intel/array.bin"

say "Without disk1 the same bytes come from the parity:"
run "raid-table read intel/disk0.img intel/disk2.img | sha256sum"
run "raid-table read intel/disk0.img intel/disk2.img | cmp - intel/array.bin && echo the same"

say "With one disk alone nothing can be read, and nothing is invented:"
run "raid-table read intel/disk0.img | wc -c" 1

say "A Linux md RAID 5 that lost disk2, and was written to afterwards. The old disk is back:" \
    "it must not be believed. The first 8 MiB hold n+1+10240 since then."
run "raid-probe -o text stale/*.img"
run "raid-table read stale/*.img > stale/array.bin"
run "raid-pattern check stale/array.bin 94208 --rewritten 2048 --add 10240 && echo all new"

say "Every field of the metadata, with its place and its meaning:"
run "raid-meta dump -o text intel/disk0.img | head -24"
run "raid-meta check -o text intel/*.img"

printf '\nsample: all as expected; the disks are in %s\n' "$(realpath --relative-to="$OLDPWD" .)"

# shellcheck shell=bash
# Salvage onto a block device, from members with sectors that really can not be read: tables/N and mended/N are the tables of
# member N with @ for its disk. Disks by serial: MEMBERN, OUT, KILLED, and CONTENT, which is what the array holds.
# Argument: bytes that are lost until members are mended, in whole blocks of 4 KiB.
# Leaves the maps on standard output, each behind a line `map NAME`.
lost=$1
out=$(disk_by_serial OUT)
killed=$(disk_by_serial KILLED)
content=$(disk_by_serial CONTENT)
load_dm

# table N FOLDER [FILTER]: the table of a member.
table() { sed "s|@|$(disk_by_serial "MEMBER$1")|" "$2/$1"; }

members=()
for file in tables/*; do
    number=${file#*/}
    table "$number" tables | dmsetup create "member$number"
    members+=("/dev/mapper/member$number")
done

salvage() { raid-repair salvage -J --overwrite -O "$@" "${members[@]}"; }
show() {
    echo "map $1"
    cat "$1"
}
written() { awk '{ print $7 }' "/sys/block/${1#/dev/}/stat"; }

# is_covered DEV MAP: what the map has as read is on the disk.
is_covered() {
    local start length status
    blockdev --flushbufs "$1"
    while read -r start length status; do
        [ "$status" = + ] || continue
        cmp -i "$((start))" -n "$((length))" "$1" "$content" || fail "$2 has $start $length as read, and it is not"
    done < <(grep -v '^#' "$2" | tail -n +2)
}

# Nothing but what was lost is written again. What is in the image already is not even looked at.
status 5 "" salvage "$out" --out-map first.map
is_covered "$out" first.map
show first.map
good=$(grep -v '^#' first.map | awk 'NR > 1 && $3 == "+" { print $1; exit }')
printf mine | dd of="$out" bs=1 seek="$((good + 100))" conv=notrunc status=none
blockdev --flushbufs "$out"
cp first.map mended.map
for file in mended/*; do
    number=${file#*/}
    dmsetup suspend "member$number"
    table "$number" mended | dmsetup load "member$number"
    dmsetup resume "member$number"
done
before=$(written "$out")
salvage "$out" --out-map mended.map >record || [ $? = 5 ]
blockdev --flushbufs "$out"
after=$(written "$out")
show mended.map
[ $(((after - before) * 512)) -le "$lost" ] ||
    fail "$(((after - before) * 512)) bytes were written, and $lost had been lost"
[ "$(dd if="$out" bs=1 skip="$((good + 100))" count=4 status=none)" = mine ] || fail "what was good was written"
cmp -n 100 -i "$((good))" "$out" "$content"
dd if="$content" of="$out" bs=1 skip="$((good + 100))" seek="$((good + 100))" count=4 conv=notrunc status=none

# Killed as soon as more is in the image than before, again and again: every request to the first member takes its time.
dmsetup remove member0
table 0 tables | dmsetup create slow0
modprobe dm-delay
echo "0 $(sectors /dev/mapper/slow0) delay /dev/mapper/slow0 0 15" | dmsetup create member0
obtained() { grep -v '^#' "$1" | awk '$3 == "+"' | wc -c; }
is_further() { ! kill -0 "$job" || [ "$(obtained killed.map)" != "$1" ]; }
kills=0
middle=0
while true; do
    was=0
    [ ! -e killed.map ] || was=$(obtained killed.map)
    # No function: what is killed is the program, and not a shell that waits for it.
    raid-repair salvage -q --overwrite -O "$killed" --out-map killed.map --map-interval 0 "${members[@]}" >record &
    job=$!
    wait_until 60 is_further "$was"
    kill -9 "$job" 2>/run/complaint || true
    code=0
    wait "$job" || code=$?
    is_covered "$killed" killed.map
    [ "$code" = 137 ] || break
    kills=$((kills + 1))
    ! grep -q '?$' killed.map || middle=$((middle + 1))
    [ "$kills" -lt 100 ] || fail "it does not come to an end"
done
[ "$code" = 5 ] || fail "status $code after $kills kills"
show killed.map
[ "$middle" -gt 1 ] || fail "of $kills kills $middle were in the middle"

# shellcheck shell=bash
# dmraid finds sets with a rebuilt disk whole, and what is read through the tables that it makes is what was written.
# Arguments, for each set: WHAT it is, its NAME, and SECTORS. Prints `ok WHAT DISKS` for each.
load_dm
mkdir -p /run/lock

dmraid -r -cdevpath,format,raidname,type,status >/run/members 2>/run/complaints || true
dmraid -s -craidname,type,status >/run/sets 2>>/run/complaints || true
dmraid -tay >/run/tables 2>>/run/complaints || true

for name in $(cut -d : -f 1 /run/tables | uniq); do
    sed -n "s|^$name: ||p" /run/tables | dmsetup create "$name" --readonly ||
        fail "the table of $name can not be loaded: $(grep "^$name:" /run/tables; dmesg | tail -n 3)"
done

while [ $# -gt 0 ]; do
    grep -q "^$2,.*,ok\$" /run/sets || fail "dmraid -s does not say that $1 is ok: $(cat /run/sets /run/complaints)"
    members=$(grep -c ",$2\(-[0-9]*\)\?,.*,ok\$" /run/members) || fail "dmraid -r: $(cat /run/members)"
    device=/dev/mapper/$2
    [ -e "$device" ] || fail "dmraid -tay has no table for $1: $(cat /run/tables /run/complaints)"
    # Of some formats dmraid maps a little less, see tests/dmraid-differences.md.
    size=$(sectors "$device")
    # Of hpt37x the first two blocks hold the metadata of the first disk.
    case $2 in hpt37x_*) first=2 ;; *) first=0 ;; esac
    check_pattern "$device" "$(((size < $3 ? size : $3) - first * 8))" "$first" >&2 || fail "$1 does not hold what was written"
    echo "ok $1, $members disks"
    shift 3
done
dmsetup remove_all

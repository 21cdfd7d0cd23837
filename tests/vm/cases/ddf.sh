# shellcheck shell=bash
# What the programs that own the format make of DDF sets that were written to the disks elsewhere: blkid and dmraid name
# them, md assembles them and reads the pattern, and writes to them. Arguments: NAME SECTORS for each volume.
#
# Prints what blkid and dmraid say, then `md NAME SECTORS` for each volume.
load_md
load_dm
blkid -p -o value -s TYPE "$(disk 0)" | sed 's/^/blkid /'
blkid -p -o value -s VERSION "$(disk 0)" | sed 's/^/blkid /'
dmraid -r -cpath,format,raidname,type,status 2>&1 | sed 's/^/dmraid-r /' || true
dmraid -s -s -craidname,type,status,stride,size,devices 2>&1 | sed 's/^/dmraid-s /' || true
dmraid -tay -f ddf1 2>&1 | sed 's/^/dmraid-t /' || true

md_assemble >&2
while [ $# -gt 0 ]; do
    name=$1 size=$2
    shift 2
    [ "$(sectors "/dev/md/$name")" = "$size" ] || fail "$name has $(sectors "/dev/md/$name") sectors, expected $size"
    check_pattern "/dev/md/$name" "$size" >&2
    echo "md $name $(cat "/sys/block/$(basename "$(readlink -f "/dev/md/$name")")/md/level") $size"
    # What is written through md is found again, and recorded by mdadm on all disks.
    write_pattern "/dev/md/$name" 2048 >&2
done
md_stop
md_assemble >&2
md_stop

# shellcheck shell=bash
# What is not activated, and why: sets of LVM when the whole machine is meant, and one in the middle of a reshape. Arguments:
# the NUMBER of logical volumes, the NAME of the set that is being reshaped, and its DISKs.
load_dm
volumes=$1 name=$2
shift 2
mapfile -t reshaping < <(for number; do disk "$number"; done)

# refused STATUS TEXT COMMAND…: it ends so, says this, and no device is there.
refused() {
    status "$@"
    no_devices "${*:3}"
}

why="$name: reshaping: no device-mapper table can say it"
refused 3 "$why" raid-table activate -v
found=$(grep -c "^raid-table: vg-lv.*: an array of lvm2 is left to its own tools$" said) || true
[ "$found" = "$volumes" ] || fail "$found of $volumes logical volumes are left to LVM: $(cat said)"
refused 3 "$why" raid-table activate "${reshaping[@]}"
refused 3 "$why" raid-table activate --degraded "${reshaping[@]:1}"
refused 3 "$why" raid-table activate --overlay . "${reshaping[@]}"
echo "ok"

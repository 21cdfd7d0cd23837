# shellcheck shell=bash
# What blkid, wipefs and dmraid say of the disks, in sections that begin with `=== NAME`; what dmraid complains of comes in
# a section of its own. Device names become the names of the files that the disks are.
load_dm
mkdir -p /run/lock

# shellcheck disable=SC2046  # a link a word
mapfile -t devices < <(realpath $(cut -f 1 /bench/disks | sed 's|^|/run/disks/|'))
mapfile -t files < <(cut -f 3 /bench/disks)
names=()
for number in "${!devices[@]}"; do
    names+=(-e "s|${devices[number]}\\b|${files[number]}|g")
done
section() {
    echo "=== $1"
    shift
    "$@" 2>>/run/complaints | sed "${names[@]}" || true
}

all_signatures() {
    wipefs --parsable --output DEVICE,TYPE "${devices[@]}" | sed 's|^|/dev/|'
}

section blkid blkid -p -s TYPE "${devices[@]}"
section wipefs all_signatures
section devices dmraid -r -cdevpath,format,raidname,type,status,sectors,dataoffset
section sets dmraid -s -craidname,type,status,stride,size,subsets,devices,spares
section tables dmraid -tay
section complaints cat /run/complaints

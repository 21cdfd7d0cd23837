#!/bin/bash
# Arrays activated by raid-table in dracut's initramfs: see /usr/lib/raid-tools/start.

check() {
    [ -x "${dracutsysrootdir-}/usr/lib/raid-tools/raid-table" ] || return 1
    # Only where the root is on an array, unless asked for.
    # shellcheck disable=SC2154  # dracut sets them
    if [[ $hostonly ]] || [[ $mount_needs ]]; then
        local type
        for type in "${host_fs_types[@]}"; do
            case $type in
                linux_raid_member) ;;
                *_raid_member) return 0 ;;
            esac
        done
        return 255
    fi
    return 0
}

depends() {
    echo dm rootfs-block
}

installkernel() {
    instmods dm-mod dm-raid dm-mirror dm-snapshot dm-unstripe raid0 raid1 raid10 raid456
}

install() {
    inst_binary /usr/lib/raid-tools/raid-table /usr/sbin/raid-table
    ln_r /usr/sbin/raid-table /usr/sbin/raid-probe
    inst_script /usr/lib/raid-tools/start /usr/lib/raid-tools/start
    inst_multiple -o /etc/raid-tools/boot.conf
    inst_multiple modprobe
    # shellcheck disable=SC2154  # dracut sets it
    inst_hook initqueue/settled 20 "$moddir/settled.sh"
}

#!/bin/sh
# Whenever udev has settled, until the root is there. A disk of a mirror looks like the root itself, so the first time
# comes before anything is mounted.
# Undo files of what is recorded in metadata: /run is what the system keeps of the initramfs.
XDG_STATE_HOME=/run /usr/lib/raid-tools/start --once

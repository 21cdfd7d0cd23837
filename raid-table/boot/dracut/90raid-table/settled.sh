#!/bin/sh
# Whenever udev has settled, until the root is there. A disk of a mirror looks like the root itself, so the first time
# comes before anything is mounted.
/usr/lib/raid-tools/start

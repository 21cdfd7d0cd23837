complete -c raid-probe -s o -l output -d 'How to print' -r -f -a "text\t'Readable text; the default on a terminal'
json\t'JSON Lines; the default elsewhere'"
complete -c raid-probe -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-probe -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-probe -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-probe -l format -d 'Formats to look for, separated by commas; all unless told' -r -f -a "md\t''
isw\t''
hpt45x\t''
lsi\t''
nvidia\t''
sil\t''
via\t''
ddf\t''
hpt37x\t''
pdc\t''
jmicron\t''
asr\t''
lvm2\t''
dm-raid\t''"
complete -c raid-probe -l progress -d 'How to show on standard error how far the work is' -r -f -a "auto\t'A bar, where standard error is a terminal'
json\t'JSON Lines, one record a second'
never\t'Not at all'"
complete -c raid-probe -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-probe -l members -d 'Print the members'
complete -c raid-probe -l arrays -d 'Print the arrays'
complete -c raid-probe -l deep -d 'Read the devices through and find metadata anywhere: disk images inside of bigger files, disks that were grown, lost partition tables, the remains of earlier arrays'
complete -c raid-probe -l list-formats -d 'Print the formats that are known, and look at no device'
complete -c raid-probe -l strict -d 'Exit with status 3 when anything that was found is damaged'
complete -c raid-probe -s J -l json -d 'Print JSON Lines: the same as -o json'
complete -c raid-probe -l export -d 'Print RAID_FIELD=\'value\' lines for a shell'
complete -c raid-probe -l assume-order -d 'The order of the arguments is the order of the slots, where the metadata can not say'
complete -c raid-probe -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-probe -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-probe -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-probe -s V -l version -d 'Print version'

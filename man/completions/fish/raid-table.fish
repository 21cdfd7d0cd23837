# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_raid_table_global_optspecs
    string join \n color= v/verbose q/quiet h/help V/version
end

function __fish_raid_table_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_raid_table_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_raid_table_using_subcommand
    set -l cmd (__fish_raid_table_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c raid-table -n "__fish_raid_table_needs_command" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-table -n "__fish_raid_table_needs_command" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-table -n "__fish_raid_table_needs_command" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-table -n "__fish_raid_table_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-table -n "__fish_raid_table_needs_command" -s V -l version -d 'Print version'
complete -c raid-table -n "__fish_raid_table_needs_command" -f -a "emit" -d 'Print the device-mapper tables of arrays'
complete -c raid-table -n "__fish_raid_table_needs_command" -f -a "map" -d 'Say where a sector of an array is, or what a sector of a device holds'
complete -c raid-table -n "__fish_raid_table_needs_command" -f -a "draw" -d 'Draw which chunk of an array is on which member'
complete -c raid-table -n "__fish_raid_table_needs_command" -f -a "read" -d 'Write the bytes of an array to standard output'
complete -c raid-table -n "__fish_raid_table_needs_command" -f -a "serve" -d 'Serve an array as a network block device on a unix socket'
complete -c raid-table -n "__fish_raid_table_needs_command" -f -a "activate" -d 'Make arrays into devices of the kernel'
complete -c raid-table -n "__fish_raid_table_needs_command" -f -a "deactivate" -d 'Take arrays out of the kernel'
complete -c raid-table -n "__fish_raid_table_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c raid-table -n "__fish_raid_table_using_subcommand emit" -l array -d 'Only this array: a name, a uuid, or a volume; all unless told' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand emit" -s o -l output -d 'How to print' -r -f -a "dmsetup\t'NAME: START LENGTH TARGET PARAMETERS, as `dmsetup table` prints; the default on a terminal'
json\t'JSON Lines; the default elsewhere'
concise\t'One line for `dmsetup create --concise`'"
complete -c raid-table -n "__fish_raid_table_using_subcommand emit" -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand emit" -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand emit" -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-table -n "__fish_raid_table_using_subcommand emit" -l format -d 'Formats to look for, separated by commas; all unless told' -r -f -a "md\t''
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
complete -c raid-table -n "__fish_raid_table_using_subcommand emit" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-table -n "__fish_raid_table_using_subcommand emit" -l degraded -d 'Map arrays that miss members too, read-only'
complete -c raid-table -n "__fish_raid_table_using_subcommand emit" -l read-only -d 'Map everything read-only'
complete -c raid-table -n "__fish_raid_table_using_subcommand emit" -s J -l json -d 'Print JSON Lines: the same as -o json'
complete -c raid-table -n "__fish_raid_table_using_subcommand emit" -l export -d 'Print RAID_FIELD=\'value\' lines for a shell'
complete -c raid-table -n "__fish_raid_table_using_subcommand emit" -l assume-order -d 'The order of the arguments is the order of the slots, where the metadata can not say'
complete -c raid-table -n "__fish_raid_table_using_subcommand emit" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-table -n "__fish_raid_table_using_subcommand emit" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-table -n "__fish_raid_table_using_subcommand emit" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-table -n "__fish_raid_table_using_subcommand map" -l array -d 'The array: a name, a uuid, or a volume; may be left out where there is only one' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand map" -l device -d 'The sectors are those of this device, as its path was given; all its arrays unless --array' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand map" -l sector -d 'Sector numbers' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand map" -s o -l output -d 'How to print' -r -f -a "text\t'Readable text; the default on a terminal'
json\t'JSON Lines; the default elsewhere'"
complete -c raid-table -n "__fish_raid_table_using_subcommand map" -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand map" -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand map" -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-table -n "__fish_raid_table_using_subcommand map" -l format -d 'Formats to look for, separated by commas; all unless told' -r -f -a "md\t''
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
complete -c raid-table -n "__fish_raid_table_using_subcommand map" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-table -n "__fish_raid_table_using_subcommand map" -l degraded -d 'Accepted; this command needs no permission to do without missing members'
complete -c raid-table -n "__fish_raid_table_using_subcommand map" -s J -l json -d 'Print JSON Lines: the same as -o json'
complete -c raid-table -n "__fish_raid_table_using_subcommand map" -l export -d 'Print RAID_FIELD=\'value\' lines for a shell'
complete -c raid-table -n "__fish_raid_table_using_subcommand map" -l assume-order -d 'The order of the arguments is the order of the slots, where the metadata can not say'
complete -c raid-table -n "__fish_raid_table_using_subcommand map" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-table -n "__fish_raid_table_using_subcommand map" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-table -n "__fish_raid_table_using_subcommand map" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-table -n "__fish_raid_table_using_subcommand draw" -l array -d 'The array: a name, a uuid, or a volume; may be left out where there is only one' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand draw" -s o -l output -d 'The kind of picture' -r -f -a "text\t'Text'
svg\t'An SVG document'"
complete -c raid-table -n "__fish_raid_table_using_subcommand draw" -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand draw" -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand draw" -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-table -n "__fish_raid_table_using_subcommand draw" -l format -d 'Formats to look for, separated by commas; all unless told' -r -f -a "md\t''
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
complete -c raid-table -n "__fish_raid_table_using_subcommand draw" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-table -n "__fish_raid_table_using_subcommand draw" -l degraded -d 'Accepted; this command needs no permission to do without missing members'
complete -c raid-table -n "__fish_raid_table_using_subcommand draw" -l assume-order -d 'The order of the arguments is the order of the slots, where the metadata can not say'
complete -c raid-table -n "__fish_raid_table_using_subcommand draw" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-table -n "__fish_raid_table_using_subcommand draw" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-table -n "__fish_raid_table_using_subcommand draw" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-table -n "__fish_raid_table_using_subcommand read" -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand read" -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand read" -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-table -n "__fish_raid_table_using_subcommand read" -l format -d 'Formats to look for, separated by commas; all unless told' -r -f -a "md\t''
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
complete -c raid-table -n "__fish_raid_table_using_subcommand read" -l array -d 'Array to read: its name, uuid, or volume' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand read" -l offset -d 'First byte; a number may end in K, M, G or T' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand read" -l length -d 'Number of bytes; to the end of the array unless told' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand read" -l layout -d 'Layout of a raid0 whose members differ in size, where the metadata does not record it' -r -f -a "original\t''
alternate\t''"
complete -c raid-table -n "__fish_raid_table_using_subcommand read" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-table -n "__fish_raid_table_using_subcommand read" -l assume-order -d 'The order of the arguments is the order of the slots, where the metadata can not say'
complete -c raid-table -n "__fish_raid_table_using_subcommand read" -l degraded -d 'Accepted for symmetry: read needs no permission for a degraded array'
complete -c raid-table -n "__fish_raid_table_using_subcommand read" -l force -d 'Read what would be refused: stale members and sectors that are not trusted, where nothing better is there'
complete -c raid-table -n "__fish_raid_table_using_subcommand read" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-table -n "__fish_raid_table_using_subcommand read" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-table -n "__fish_raid_table_using_subcommand read" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-table -n "__fish_raid_table_using_subcommand serve" -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand serve" -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand serve" -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-table -n "__fish_raid_table_using_subcommand serve" -l format -d 'Formats to look for, separated by commas; all unless told' -r -f -a "md\t''
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
complete -c raid-table -n "__fish_raid_table_using_subcommand serve" -l array -d 'Array to serve: its name, uuid, or volume' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand serve" -l socket -d 'Where to listen: a path that is not there, or a socket that nobody listens on any more' -r -F
complete -c raid-table -n "__fish_raid_table_using_subcommand serve" -l overlay -d 'Let clients write, into this file: made if it is not there, used again by the same array' -r -F
complete -c raid-table -n "__fish_raid_table_using_subcommand serve" -l layout -d 'Layout of a raid0 whose members differ in size, where the metadata does not record it' -r -f -a "original\t''
alternate\t''"
complete -c raid-table -n "__fish_raid_table_using_subcommand serve" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-table -n "__fish_raid_table_using_subcommand serve" -l assume-order -d 'The order of the arguments is the order of the slots, where the metadata can not say'
complete -c raid-table -n "__fish_raid_table_using_subcommand serve" -l degraded -d 'Accepted; this command needs no permission to do without missing members'
complete -c raid-table -n "__fish_raid_table_using_subcommand serve" -l once -d 'End when the last client has left'
complete -c raid-table -n "__fish_raid_table_using_subcommand serve" -l force -d 'Serve what would be refused: stale members and sectors that are not trusted, where nothing better is there'
complete -c raid-table -n "__fish_raid_table_using_subcommand serve" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-table -n "__fish_raid_table_using_subcommand serve" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-table -n "__fish_raid_table_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-table -n "__fish_raid_table_using_subcommand activate" -l array -d 'Only this array: a name, a uuid, or a volume; all unless told' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand activate" -l overlay -d 'Write changes to new sparse files in this directory, never to the members' -r -F
complete -c raid-table -n "__fish_raid_table_using_subcommand activate" -l wait -d 'Wait so long for members that are missing' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand activate" -l leave -d 'Leave arrays of these formats to other tools too, separated by commas, unless --array names them' -r -f -a "md\t''
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
complete -c raid-table -n "__fish_raid_table_using_subcommand activate" -s o -l output -d 'How to print' -r -f -a "text\t'Readable text; the default on a terminal'
json\t'JSON Lines; the default elsewhere'"
complete -c raid-table -n "__fish_raid_table_using_subcommand activate" -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand activate" -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand activate" -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-table -n "__fish_raid_table_using_subcommand activate" -l format -d 'Formats to look for, separated by commas; all unless told' -r -f -a "md\t''
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
complete -c raid-table -n "__fish_raid_table_using_subcommand activate" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-table -n "__fish_raid_table_using_subcommand activate" -l degraded -d 'Activate arrays that miss members too: read-only, unless their metadata can record what those miss'
complete -c raid-table -n "__fish_raid_table_using_subcommand activate" -l read-only -d 'Activate everything read-only'
complete -c raid-table -n "__fish_raid_table_using_subcommand activate" -l read-write-anyway -d 'Activate degraded arrays for writing, though nothing records what the missing members miss'
complete -c raid-table -n "__fish_raid_table_using_subcommand activate" -l partitions -d 'Activate the partitions of the arrays too, named as kpartx names them'
complete -c raid-table -n "__fish_raid_table_using_subcommand activate" -l hide-partitions -d 'Take away the partitions that the kernel found on the members'
complete -c raid-table -n "__fish_raid_table_using_subcommand activate" -s n -l dry-run -d 'Only show what would be activated'
complete -c raid-table -n "__fish_raid_table_using_subcommand activate" -s J -l json -d 'Print JSON Lines: the same as -o json'
complete -c raid-table -n "__fish_raid_table_using_subcommand activate" -l export -d 'Print RAID_FIELD=\'value\' lines for a shell'
complete -c raid-table -n "__fish_raid_table_using_subcommand activate" -l assume-order -d 'The order of the arguments is the order of the slots, where the metadata can not say'
complete -c raid-table -n "__fish_raid_table_using_subcommand activate" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-table -n "__fish_raid_table_using_subcommand activate" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-table -n "__fish_raid_table_using_subcommand activate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-table -n "__fish_raid_table_using_subcommand deactivate" -l array -d 'Only this array: a name, a uuid, or a volume; all unless told' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand deactivate" -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand deactivate" -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-table -n "__fish_raid_table_using_subcommand deactivate" -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-table -n "__fish_raid_table_using_subcommand deactivate" -l format -d 'Formats to look for, separated by commas; all unless told' -r -f -a "md\t''
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
complete -c raid-table -n "__fish_raid_table_using_subcommand deactivate" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-table -n "__fish_raid_table_using_subcommand deactivate" -l or-read-only -d 'Make an array read-only that can not be removed because it is mounted read-only: the root, at shutdown'
complete -c raid-table -n "__fish_raid_table_using_subcommand deactivate" -s n -l dry-run -d 'Only show what would be removed'
complete -c raid-table -n "__fish_raid_table_using_subcommand deactivate" -l assume-order -d 'The order of the arguments is the order of the slots, where the metadata can not say'
complete -c raid-table -n "__fish_raid_table_using_subcommand deactivate" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-table -n "__fish_raid_table_using_subcommand deactivate" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-table -n "__fish_raid_table_using_subcommand deactivate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-table -n "__fish_raid_table_using_subcommand help; and not __fish_seen_subcommand_from emit map draw read serve activate deactivate help" -f -a "emit" -d 'Print the device-mapper tables of arrays'
complete -c raid-table -n "__fish_raid_table_using_subcommand help; and not __fish_seen_subcommand_from emit map draw read serve activate deactivate help" -f -a "map" -d 'Say where a sector of an array is, or what a sector of a device holds'
complete -c raid-table -n "__fish_raid_table_using_subcommand help; and not __fish_seen_subcommand_from emit map draw read serve activate deactivate help" -f -a "draw" -d 'Draw which chunk of an array is on which member'
complete -c raid-table -n "__fish_raid_table_using_subcommand help; and not __fish_seen_subcommand_from emit map draw read serve activate deactivate help" -f -a "read" -d 'Write the bytes of an array to standard output'
complete -c raid-table -n "__fish_raid_table_using_subcommand help; and not __fish_seen_subcommand_from emit map draw read serve activate deactivate help" -f -a "serve" -d 'Serve an array as a network block device on a unix socket'
complete -c raid-table -n "__fish_raid_table_using_subcommand help; and not __fish_seen_subcommand_from emit map draw read serve activate deactivate help" -f -a "activate" -d 'Make arrays into devices of the kernel'
complete -c raid-table -n "__fish_raid_table_using_subcommand help; and not __fish_seen_subcommand_from emit map draw read serve activate deactivate help" -f -a "deactivate" -d 'Take arrays out of the kernel'
complete -c raid-table -n "__fish_raid_table_using_subcommand help; and not __fish_seen_subcommand_from emit map draw read serve activate deactivate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'

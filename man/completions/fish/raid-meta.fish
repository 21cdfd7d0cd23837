# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_raid_meta_global_optspecs
    string join \n color= v/verbose q/quiet h/help V/version
end

function __fish_raid_meta_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_raid_meta_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_raid_meta_using_subcommand
    set -l cmd (__fish_raid_meta_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c raid-meta -n "__fish_raid_meta_needs_command" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-meta -n "__fish_raid_meta_needs_command" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-meta -n "__fish_raid_meta_needs_command" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-meta -n "__fish_raid_meta_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-meta -n "__fish_raid_meta_needs_command" -s V -l version -d 'Print version'
complete -c raid-meta -n "__fish_raid_meta_needs_command" -f -a "dump" -d 'Print every field of the metadata'
complete -c raid-meta -n "__fish_raid_meta_needs_command" -f -a "get" -d 'Print the values of fields'
complete -c raid-meta -n "__fish_raid_meta_needs_command" -f -a "check" -d 'Check checksums, bounds, and whether the members agree'
complete -c raid-meta -n "__fish_raid_meta_needs_command" -f -a "diff" -d 'Compare the metadata of two devices field by field'
complete -c raid-meta -n "__fish_raid_meta_needs_command" -f -a "set" -d 'Set fields to values'
complete -c raid-meta -n "__fish_raid_meta_needs_command" -f -a "encode" -d 'Turn a dump back into the bytes it was made from'
complete -c raid-meta -n "__fish_raid_meta_needs_command" -f -a "backup" -d 'Save all metadata'
complete -c raid-meta -n "__fish_raid_meta_needs_command" -f -a "restore" -d 'Put saved regions back: a backup, or an undo file'
complete -c raid-meta -n "__fish_raid_meta_needs_command" -f -a "erase" -d 'Overwrite metadata with zeros, every copy of it'
complete -c raid-meta -n "__fish_raid_meta_needs_command" -f -a "history" -d 'Show older generations of the metadata that are still on the devices'
complete -c raid-meta -n "__fish_raid_meta_needs_command" -f -a "create" -d 'Create a new set on disks or images'
complete -c raid-meta -n "__fish_raid_meta_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand dump" -s o -l output -d 'How to print' -r -f -a "text\t'A table; the default on a terminal'
json\t'JSON Lines, one field record a line; the default elsewhere'
hex\t'A hexdump in which each byte stands beside the name of its field'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand dump" -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand dump" -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand dump" -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-meta -n "__fish_raid_meta_using_subcommand dump" -l format -d 'Formats to look for, separated by commas; all unless told' -r -f -a "md\t''
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
complete -c raid-meta -n "__fish_raid_meta_using_subcommand dump" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand dump" -s J -l json -d 'Print JSON Lines: the same as -o json'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand dump" -l export -d 'Print RAID_FIELD=\'value\' lines for a shell'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand dump" -l assume-order -d 'The order of the arguments is the order of the slots, where the metadata can not say'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand dump" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand dump" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand dump" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand get" -s o -l output -d 'How to print' -r -f -a "text\t'Readable text; the default on a terminal'
json\t'JSON Lines; the default elsewhere'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand get" -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand get" -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand get" -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-meta -n "__fish_raid_meta_using_subcommand get" -l format -d 'Formats to look for, separated by commas; all unless told' -r -f -a "md\t''
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
complete -c raid-meta -n "__fish_raid_meta_using_subcommand get" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand get" -s J -l json -d 'Print JSON Lines: the same as -o json'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand get" -l export -d 'Print RAID_FIELD=\'value\' lines for a shell'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand get" -l assume-order -d 'The order of the arguments is the order of the slots, where the metadata can not say'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand get" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand get" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand check" -s o -l output -d 'How to print' -r -f -a "text\t'Readable text; the default on a terminal'
json\t'JSON Lines; the default elsewhere'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand check" -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand check" -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand check" -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-meta -n "__fish_raid_meta_using_subcommand check" -l format -d 'Formats to look for, separated by commas; all unless told' -r -f -a "md\t''
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
complete -c raid-meta -n "__fish_raid_meta_using_subcommand check" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand check" -s J -l json -d 'Print JSON Lines: the same as -o json'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand check" -l export -d 'Print RAID_FIELD=\'value\' lines for a shell'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand check" -l assume-order -d 'The order of the arguments is the order of the slots, where the metadata can not say'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand check" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand check" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand diff" -s o -l output -d 'How to print' -r -f -a "text\t'Readable text; the default on a terminal'
json\t'JSON Lines; the default elsewhere'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand diff" -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand diff" -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand diff" -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-meta -n "__fish_raid_meta_using_subcommand diff" -l format -d 'Formats to look for, separated by commas; all unless told' -r -f -a "md\t''
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
complete -c raid-meta -n "__fish_raid_meta_using_subcommand diff" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand diff" -s J -l json -d 'Print JSON Lines: the same as -o json'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand diff" -l export -d 'Print RAID_FIELD=\'value\' lines for a shell'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand diff" -l assume-order -d 'The order of the arguments is the order of the slots, where the metadata can not say'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand diff" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand diff" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand set" -l undo -d 'New file for what undoes it; one in the state directory unless told' -r -F
complete -c raid-meta -n "__fish_raid_meta_using_subcommand set" -s o -l output -d 'How to print' -r -f -a "text\t'Readable text; the default on a terminal'
json\t'JSON Lines; the default elsewhere'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand set" -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand set" -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand set" -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-meta -n "__fish_raid_meta_using_subcommand set" -l format -d 'Formats to look for, separated by commas; all unless told' -r -f -a "md\t''
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
complete -c raid-meta -n "__fish_raid_meta_using_subcommand set" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand set" -l force -d 'Set values that make the metadata damaged, or unrecognisable'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand set" -l write -d 'Write; without this, only show what would be written'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand set" -s J -l json -d 'Print JSON Lines: the same as -o json'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand set" -l export -d 'Print RAID_FIELD=\'value\' lines for a shell'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand set" -l assume-order -d 'The order of the arguments is the order of the slots, where the metadata can not say'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand set" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand set" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand set" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand encode" -l onto -d 'Device or image to write to, or a window of it; without a window, that of the dump' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand encode" -l undo -d 'New file for what undoes it; one in the state directory unless told' -r -F
complete -c raid-meta -n "__fish_raid_meta_using_subcommand encode" -s o -l output -d 'How to print' -r -f -a "text\t'Readable text; the default on a terminal'
json\t'JSON Lines; the default elsewhere'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand encode" -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand encode" -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand encode" -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-meta -n "__fish_raid_meta_using_subcommand encode" -l format -d 'Formats to look for, separated by commas; all unless told' -r -f -a "md\t''
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
complete -c raid-meta -n "__fish_raid_meta_using_subcommand encode" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand encode" -l seal -d 'Make the checksums right, for a dump that was edited'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand encode" -l force -d 'Write what would not be recognised, or is not complete'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand encode" -l write -d 'Write; without this, only show what would be written'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand encode" -s J -l json -d 'Print JSON Lines: the same as -o json'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand encode" -l export -d 'Print RAID_FIELD=\'value\' lines for a shell'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand encode" -l assume-order -d 'The order of the arguments is the order of the slots, where the metadata can not say'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand encode" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand encode" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand encode" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand backup" -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand backup" -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand backup" -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-meta -n "__fish_raid_meta_using_subcommand backup" -l format -d 'Formats to look for, separated by commas; all unless told' -r -f -a "md\t''
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
complete -c raid-meta -n "__fish_raid_meta_using_subcommand backup" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand backup" -l assume-order -d 'The order of the arguments is the order of the slots, where the metadata can not say'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand backup" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand backup" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand backup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand restore" -l onto -d 'Device or image to write to, for regions of one device' -r -F
complete -c raid-meta -n "__fish_raid_meta_using_subcommand restore" -l map -d 'Write to PATH what was saved from DEVICE' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand restore" -l undo -d 'New file for what undoes it; one in the state directory unless told' -r -F
complete -c raid-meta -n "__fish_raid_meta_using_subcommand restore" -s o -l output -d 'How to print' -r -f -a "text\t'Readable text; the default on a terminal'
json\t'JSON Lines; the default elsewhere'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand restore" -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand restore" -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand restore" -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-meta -n "__fish_raid_meta_using_subcommand restore" -l format -d 'Formats to look for, separated by commas; all unless told' -r -f -a "md\t''
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
complete -c raid-meta -n "__fish_raid_meta_using_subcommand restore" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand restore" -l force -d 'Write to a device of another size, or with another serial number'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand restore" -l write -d 'Write; without this, only show what would be written'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand restore" -s J -l json -d 'Print JSON Lines: the same as -o json'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand restore" -l export -d 'Print RAID_FIELD=\'value\' lines for a shell'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand restore" -l assume-order -d 'The order of the arguments is the order of the slots, where the metadata can not say'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand restore" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand restore" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand restore" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand erase" -l undo -d 'New file for what undoes it; one in the state directory unless told' -r -F
complete -c raid-meta -n "__fish_raid_meta_using_subcommand erase" -s o -l output -d 'How to print' -r -f -a "text\t'Readable text; the default on a terminal'
json\t'JSON Lines; the default elsewhere'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand erase" -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand erase" -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand erase" -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-meta -n "__fish_raid_meta_using_subcommand erase" -l format -d 'Formats to look for, separated by commas; all unless told' -r -f -a "md\t''
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
complete -c raid-meta -n "__fish_raid_meta_using_subcommand erase" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand erase" -l write -d 'Write; without this, only show what would be written'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand erase" -s J -l json -d 'Print JSON Lines: the same as -o json'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand erase" -l export -d 'Print RAID_FIELD=\'value\' lines for a shell'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand erase" -l assume-order -d 'The order of the arguments is the order of the slots, where the metadata can not say'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand erase" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand erase" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand erase" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand history" -l content -d 'Print the bytes of this generation: as text or a hexdump, or as region records' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand history" -s o -l output -d 'How to print' -r -f -a "text\t'Readable text; the default on a terminal'
json\t'JSON Lines; the default elsewhere'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand history" -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand history" -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand history" -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-meta -n "__fish_raid_meta_using_subcommand history" -l format -d 'Formats to look for, separated by commas; all unless told' -r -f -a "md\t''
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
complete -c raid-meta -n "__fish_raid_meta_using_subcommand history" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand history" -s J -l json -d 'Print JSON Lines: the same as -o json'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand history" -l export -d 'Print RAID_FIELD=\'value\' lines for a shell'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand history" -l assume-order -d 'The order of the arguments is the order of the slots, where the metadata can not say'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand history" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand history" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -l format -d 'Format of the metadata' -r -f -a "md\t''
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
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -l metadata-version -d 'Version of the metadata, for a format that has several' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -l level -d 'Level' -r -f -a "linear\t''
raid0\t''
raid1\t''
raid4\t''
raid5\t''
raid6\t''
raid10\t''"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -l name -d 'Name of the volume, where the format records one' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -l layout -d 'Layout, as raid-probe prints it; the format\'s usual one unless told' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -l chunk -d 'Chunk in KiB, or with a unit: 64, 64K, 1M; the format\'s usual one unless told' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -l size -d 'Size of the array in KiB, or with a unit: 100M, 2G, 800s (sectors); all that fits unless told' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -l spare -d 'A disk that is to be a spare; can be given several times' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -l bitmap -d 'Write-intent bitmap, for a format that can have one' -r -f -a "none\t'There is none'
internal\t'On the disks'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -l uuid -d 'Identity of the set, 32 hexadecimal digits; random unless told' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -l seed -d 'Text that all identities follow from: the same text, the same metadata (with SOURCE_DATE_EPOCH)' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -s o -l output -d 'How to print' -r -f -a "text\t'Readable text; the default on a terminal'
json\t'JSON Lines; the default elsewhere'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -l undo -d 'New file for what undoes it; one in the state directory unless told' -r -F
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -l assume-clean -d 'The redundancy on the disks is valid already: equal mirrors, right parity'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -s J -l json -d 'Print JSON Lines: the same as -o json'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -l export -d 'Print RAID_FIELD=\'value\' lines for a shell'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -l write -d 'Write; without this, only show what would be written'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -l force -d 'Overwrite what is on the disks'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand help; and not __fish_seen_subcommand_from dump get check diff set encode backup restore erase history create help" -f -a "dump" -d 'Print every field of the metadata'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand help; and not __fish_seen_subcommand_from dump get check diff set encode backup restore erase history create help" -f -a "get" -d 'Print the values of fields'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand help; and not __fish_seen_subcommand_from dump get check diff set encode backup restore erase history create help" -f -a "check" -d 'Check checksums, bounds, and whether the members agree'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand help; and not __fish_seen_subcommand_from dump get check diff set encode backup restore erase history create help" -f -a "diff" -d 'Compare the metadata of two devices field by field'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand help; and not __fish_seen_subcommand_from dump get check diff set encode backup restore erase history create help" -f -a "set" -d 'Set fields to values'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand help; and not __fish_seen_subcommand_from dump get check diff set encode backup restore erase history create help" -f -a "encode" -d 'Turn a dump back into the bytes it was made from'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand help; and not __fish_seen_subcommand_from dump get check diff set encode backup restore erase history create help" -f -a "backup" -d 'Save all metadata'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand help; and not __fish_seen_subcommand_from dump get check diff set encode backup restore erase history create help" -f -a "restore" -d 'Put saved regions back: a backup, or an undo file'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand help; and not __fish_seen_subcommand_from dump get check diff set encode backup restore erase history create help" -f -a "erase" -d 'Overwrite metadata with zeros, every copy of it'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand help; and not __fish_seen_subcommand_from dump get check diff set encode backup restore erase history create help" -f -a "history" -d 'Show older generations of the metadata that are still on the devices'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand help; and not __fish_seen_subcommand_from dump get check diff set encode backup restore erase history create help" -f -a "create" -d 'Create a new set on disks or images'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand help; and not __fish_seen_subcommand_from dump get check diff set encode backup restore erase history create help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'

# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_raid_repair_global_optspecs
    string join \n color= v/verbose q/quiet h/help V/version
end

function __fish_raid_repair_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_raid_repair_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_raid_repair_using_subcommand
    set -l cmd (__fish_raid_repair_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c raid-repair -n "__fish_raid_repair_needs_command" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-repair -n "__fish_raid_repair_needs_command" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-repair -n "__fish_raid_repair_needs_command" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-repair -n "__fish_raid_repair_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-repair -n "__fish_raid_repair_needs_command" -s V -l version -d 'Print version'
complete -c raid-repair -n "__fish_raid_repair_needs_command" -f -a "scrub" -d 'Compare parity with the data, and copies with each other'
complete -c raid-repair -n "__fish_raid_repair_needs_command" -f -a "salvage" -d 'Save what is left of an array whose members can not all be read'
complete -c raid-repair -n "__fish_raid_repair_needs_command" -f -a "rebuild" -d 'Rebuild a member of an array onto a new disk'
complete -c raid-repair -n "__fish_raid_repair_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand scrub" -l array -d 'Array to compare: its name, uuid, or volume' -r
complete -c raid-repair -n "__fish_raid_repair_using_subcommand scrub" -l trust-slot -d 'Where copies do not agree, and there is no majority, the one in this slot is right' -r
complete -c raid-repair -n "__fish_raid_repair_using_subcommand scrub" -l undo -d 'New file for what undoes it, and FILE.2 and so on when it is much; in the state directory unless told' -r -F
complete -c raid-repair -n "__fish_raid_repair_using_subcommand scrub" -l position -d 'Keep how far it is in this file, go on from there, and remove it at the end' -r -F
complete -c raid-repair -n "__fish_raid_repair_using_subcommand scrub" -l threads -d 'Threads that read and compare; as many as the machine has processors, at most 4, unless told' -r
complete -c raid-repair -n "__fish_raid_repair_using_subcommand scrub" -l progress -d 'How to show on standard error how far the work is' -r -f -a "auto\t'A bar, where standard error is a terminal'
json\t'JSON Lines, one record a second'
never\t'Not at all'"
complete -c raid-repair -n "__fish_raid_repair_using_subcommand scrub" -s o -l output -d 'How to print' -r -f -a "text\t'Readable text; the default on a terminal'
json\t'JSON Lines; the default elsewhere'"
complete -c raid-repair -n "__fish_raid_repair_using_subcommand scrub" -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-repair -n "__fish_raid_repair_using_subcommand scrub" -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-repair -n "__fish_raid_repair_using_subcommand scrub" -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-repair -n "__fish_raid_repair_using_subcommand scrub" -l format -d 'Formats to look for, separated by commas; all unless told' -r -f -a "md\t''
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
complete -c raid-repair -n "__fish_raid_repair_using_subcommand scrub" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-repair -n "__fish_raid_repair_using_subcommand scrub" -l fix -d 'Write what is known to be right over what is wrong; what was there is saved in undo files first'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand scrub" -l trust-data -d 'Where parity does not agree, and nothing says which member is wrong, the data is right. Compares also what was never synchronised'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand scrub" -l force -d 'Fix even where more than half of what was compared does not agree'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand scrub" -l direct -d 'Read images past the system\'s memory, as block devices are read anyway'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand scrub" -s J -l json -d 'Print JSON Lines: the same as -o json'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand scrub" -l export -d 'Print RAID_FIELD=\'value\' lines for a shell'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand scrub" -l assume-order -d 'The order of the arguments is the order of the slots, where the metadata can not say'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand scrub" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand scrub" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand scrub" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -s O -l out -d 'Image to make, or to go on with; a block device with --overwrite and --out-map' -r -F
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -l out-map -d 'Map of OUT, in the format of GNU ddrescue; of a file OUT.map unless told' -r -F
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -l map-interval -d 'How often the map of OUT is saved, when OUT is on the disk' -r
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -l map -d 'What was read of a member: its PATH or slot, and the map that GNU ddrescue made' -r
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -l also -d 'Another image of a member: its PATH or slot, and the image; its map is --map IMAGE=MAPFILE' -r
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -l array -d 'Array to save: its name, uuid, or volume' -r
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -l layout -d 'Layout of a raid0 whose members differ in size, where the metadata does not record it' -r -f -a "original\t''
alternate\t''"
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -l progress -d 'How to show on standard error how far the work is' -r -f -a "auto\t'A bar, where standard error is a terminal'
json\t'JSON Lines, one record a second'
never\t'Not at all'"
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -s o -l output -d 'How to print' -r -f -a "text\t'Readable text; the default on a terminal'
json\t'JSON Lines; the default elsewhere'"
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -l format -d 'Formats to look for, separated by commas; all unless told' -r -f -a "md\t''
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
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -l stale -d 'Where nothing else is left, use members that are older than the others, or were marked as failed'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -l force -d 'Where nothing else is left, use parity that may be out of step; read arrays whose contents are in doubt as a whole'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -l overwrite -d 'OUT may be a block device, of which everything is overwritten'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -s J -l json -d 'Print JSON Lines: the same as -o json'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -l export -d 'Print RAID_FIELD=\'value\' lines for a shell'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -l assume-order -d 'The order of the arguments is the order of the slots, where the metadata can not say'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand salvage" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand rebuild" -l slot -d 'Slot of the array that the new disk is for' -r
complete -c raid-repair -n "__fish_raid_repair_using_subcommand rebuild" -l onto -d 'New disk or image, or a window of it; at least as large as what the array uses of a member' -r
complete -c raid-repair -n "__fish_raid_repair_using_subcommand rebuild" -l array -d 'Array: its name, uuid, or volume' -r
complete -c raid-repair -n "__fish_raid_repair_using_subcommand rebuild" -l position -d 'Keep how far it is in this file, go on from there, and remove it at the end' -r -F
complete -c raid-repair -n "__fish_raid_repair_using_subcommand rebuild" -l undo -d 'New file for what undoes the change of the metadata; one in the state directory unless told' -r -F
complete -c raid-repair -n "__fish_raid_repair_using_subcommand rebuild" -l threads -d 'Threads: with two, one computes while the other writes' -r
complete -c raid-repair -n "__fish_raid_repair_using_subcommand rebuild" -l progress -d 'How to show on standard error how far the work is' -r -f -a "auto\t'A bar, where standard error is a terminal'
json\t'JSON Lines, one record a second'
never\t'Not at all'"
complete -c raid-repair -n "__fish_raid_repair_using_subcommand rebuild" -s o -l output -d 'How to print' -r -f -a "text\t'Readable text; the default on a terminal'
json\t'JSON Lines; the default elsewhere'"
complete -c raid-repair -n "__fish_raid_repair_using_subcommand rebuild" -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-repair -n "__fish_raid_repair_using_subcommand rebuild" -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-repair -n "__fish_raid_repair_using_subcommand rebuild" -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-repair -n "__fish_raid_repair_using_subcommand rebuild" -l format -d 'Formats to look for, separated by commas; all unless told' -r -f -a "md\t''
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
complete -c raid-repair -n "__fish_raid_repair_using_subcommand rebuild" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-repair -n "__fish_raid_repair_using_subcommand rebuild" -l write -d 'Write; without this, only show what would be written'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand rebuild" -l force -d 'Overwrite what is on the new disk; rebuild a slot whose member is in step'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand rebuild" -s J -l json -d 'Print JSON Lines: the same as -o json'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand rebuild" -l export -d 'Print RAID_FIELD=\'value\' lines for a shell'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand rebuild" -l assume-order -d 'The order of the arguments is the order of the slots, where the metadata can not say'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand rebuild" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand rebuild" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand rebuild" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand help; and not __fish_seen_subcommand_from scrub salvage rebuild help" -f -a "scrub" -d 'Compare parity with the data, and copies with each other'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand help; and not __fish_seen_subcommand_from scrub salvage rebuild help" -f -a "salvage" -d 'Save what is left of an array whose members can not all be read'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand help; and not __fish_seen_subcommand_from scrub salvage rebuild help" -f -a "rebuild" -d 'Rebuild a member of an array onto a new disk'
complete -c raid-repair -n "__fish_raid_repair_using_subcommand help; and not __fish_seen_subcommand_from scrub salvage rebuild help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'

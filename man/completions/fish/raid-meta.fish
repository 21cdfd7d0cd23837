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
complete -c raid-meta -n "__fish_raid_meta_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand dump" -s o -l output -d 'How to print' -r -f -a "text\t'A table; the default on a terminal'
json\t'JSON Lines, one field record a line; the default elsewhere'
hex\t'A hexdump in which each byte stands beside the name of its field'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand dump" -l serial -d 'Serial number of a disk image; else the line in the file PATH.serial' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand dump" -l sector-size -d 'Logical sector size in bytes of the images: 512, or 4096 for 4Kn disks' -r
complete -c raid-meta -n "__fish_raid_meta_using_subcommand dump" -l sysroot -d 'Use DIR/sys and DIR/dev in place of /sys and /dev' -r -F
complete -c raid-meta -n "__fish_raid_meta_using_subcommand dump" -l format -d 'Formats to look for, separated by commas; all unless told' -r -f -a "md\t''
isw\t''
nvidia\t''"
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
nvidia\t''"
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
nvidia\t''"
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
nvidia\t''"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand diff" -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-meta -n "__fish_raid_meta_using_subcommand diff" -s J -l json -d 'Print JSON Lines: the same as -o json'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand diff" -l export -d 'Print RAID_FIELD=\'value\' lines for a shell'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand diff" -l assume-order -d 'The order of the arguments is the order of the slots, where the metadata can not say'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand diff" -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand diff" -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand help; and not __fish_seen_subcommand_from dump get check diff help" -f -a "dump" -d 'Print every field of the metadata'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand help; and not __fish_seen_subcommand_from dump get check diff help" -f -a "get" -d 'Print the values of fields'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand help; and not __fish_seen_subcommand_from dump get check diff help" -f -a "check" -d 'Check checksums, bounds, and whether the members agree'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand help; and not __fish_seen_subcommand_from dump get check diff help" -f -a "diff" -d 'Compare the metadata of two devices field by field'
complete -c raid-meta -n "__fish_raid_meta_using_subcommand help; and not __fish_seen_subcommand_from dump get check diff help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'

complete -c raid-sync -l color -d 'When to colour text' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c raid-sync -s v -l verbose -d 'More detail, and warnings and notes on standard error'
complete -c raid-sync -s q -l quiet -d 'Say only what failed; the exit status says the rest'
complete -c raid-sync -s h -l help -d 'Print help (see more with \'--help\')'
complete -c raid-sync -s V -l version -d 'Print version'

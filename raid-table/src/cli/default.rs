//! A command that need not be named.

use clap::{ArgAction, Command};
use std::ffi::OsString;

/// The arguments, with the default command put in where another or a request for help would be. Only options
/// that come before every command are looked over.
pub(super) fn with_default(
    command: &Command,
    default: &str,
    arguments: impl IntoIterator<Item = OsString>,
) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let mut place = 1;
    while let Some(words) = arguments.get(place).and_then(|argument| words_of_global(command, argument)) {
        place += words;
    }
    let first = arguments.get(place).and_then(|argument| argument.to_str());
    if !first.is_some_and(|first| is_own(command, first)) {
        arguments.insert(place.min(arguments.len()), default.into());
    }
    arguments
}

/// How many words an option takes that all commands have; none if it is not one.
fn words_of_global(command: &Command, argument: &OsString) -> Option<usize> {
    let text = argument.to_str()?;
    let (name, has_value) = match text.split_once('=') {
        Some((name, _)) => (name, true),
        None => (text, false),
    };
    let is_named = |option: &&clap::Arg| match name.strip_prefix("--") {
        Some(long) => option.get_long() == Some(long),
        None => {
            let short = name.strip_prefix('-').and_then(|rest| rest.chars().next());
            short.is_some() && name.chars().count() == 2 && option.get_short() == short
        }
    };
    let option = command.get_arguments().filter(|option| option.is_global_set()).find(is_named)?;
    let takes_value = matches!(option.get_action(), ArgAction::Set | ArgAction::Append);
    Some(if takes_value && !has_value { 2 } else { 1 })
}

/// Whether the word is a command, or asks for help or the version.
fn is_own(command: &Command, word: &str) -> bool {
    ["-h", "--help", "-V", "--version", "help"].contains(&word) || command.find_subcommand(word).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::Table;
    use super::*;
    use clap::CommandFactory;

    fn completed(line: &str) -> String {
        let arguments = line.split_whitespace().map(OsString::from);
        let words = with_default(&Table::command(), "emit", arguments);
        words.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_line_without_a_command_is_for_emit() {
        for (line, expected) in [
            ("raid-table", "raid-table emit"),
            ("raid-table a.img", "raid-table emit a.img"),
            ("raid-table -o concise", "raid-table emit -o concise"),
            ("raid-table -v --color never a.img", "raid-table -v --color never emit a.img"),
            ("raid-table --color=never -J", "raid-table --color=never emit -J"),
            ("raid-table -q", "raid-table -q emit"),
        ] {
            assert_eq!(completed(line), expected);
        }
    }

    #[test]
    fn a_line_with_a_command_stays_as_it_is() {
        for line in [
            "raid-table emit a.img",
            "raid-table map --sector 1",
            "raid-table -v map a.img",
            "raid-table --color never map a.img",
            "raid-table --help",
            "raid-table -V",
            "raid-table help map",
        ] {
            assert_eq!(completed(line), line);
        }
    }
}

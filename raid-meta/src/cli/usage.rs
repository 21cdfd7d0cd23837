//! What clap has to say: help and version as they are, a mistake as one line.

use super::console::message_line;
use super::exit::Exit;
use clap::error::ErrorKind;

/// Prints it; the exit status.
pub(super) fn report(name: &str, error: &clap::Error) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match error.print() {
            Err(failure) if failure.kind() != std::io::ErrorKind::BrokenPipe => {
                message_line(name, &format!("standard output: {failure}"));
                Exit::System
            }
            _ => Exit::Done,
        },
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            message_line(name, "no command given; try --help");
            Exit::Usage
        }
        _ => {
            message_line(name, &one_line(&error.render().to_string()));
            Exit::Usage
        }
    }
}

/// The first paragraph and the tips of a message, without the usage.
fn one_line(message: &str) -> String {
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let mut paragraphs = message.split("\n\n");
    let first = paragraphs.next().unwrap_or_default();
    // How to give something that looks like an option as a value is hardly ever what was meant.
    let is_tip = |text: &str| text.starts_with("tip: ") && !text.starts_with("tip: to pass ");
    let tips = paragraphs.filter(|paragraph| is_tip(paragraph.trim_start()));
    let lines =
        std::iter::once(first).chain(tips).map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    format!("{}; try --help", lines.collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_told_in_one_line_with_its_tip() {
        let message = "error: unexpected argument '--jsn' found\n\n  tip: a similar argument exists: \
                       '--json'\n\nUsage: raid-probe [PATH]...\n\nFor more information, try '--help'.\n";
        let line = "unexpected argument '--jsn' found; tip: a similar argument exists: '--json'; try --help";
        assert_eq!(one_line(message), line);
        let message = "error: the following required arguments were not provided:\n  <PATH>\n  <FIELD>...\n";
        let line = "the following required arguments were not provided: <PATH> <FIELD>...; try --help";
        assert_eq!(one_line(message), line);
    }
}

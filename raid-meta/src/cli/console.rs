//! Where a program prints: results to standard output, messages to standard error, a line each.

use super::args::CommonArgs;
use super::exit::{Exit, Failure};
use super::output::{Output, Style};
use super::text::clean;
use crate::record::{Problem, Record, Severity};
use std::cell::RefCell;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

/// The two standard outputs of a program, and how much it is to say.
pub struct Console {
    name: &'static str,
    output: Output,
    verbose: bool,
    quiet: bool,
    held: Option<RefCell<Vec<String>>>,
}

/// Says what goes wrong from other threads than the one that has the console.
#[derive(Clone, Copy, Debug)]
pub struct Messenger {
    name: &'static str,
}

impl Messenger {
    /// Says what failed. Even with `-q`.
    pub fn error(&self, message: impl Display) {
        message_line(self.name, &message.to_string());
    }
}

impl Console {
    /// The console of a program.
    #[must_use]
    pub fn new(name: &'static str, common: &CommonArgs) -> Self {
        let color = common.colors(io::stdout().is_terminal());
        let sink = Box::new(io::BufWriter::new(io::stdout()));
        let output = Output::new(sink, color, common.is_verbose());
        Self { name, output, verbose: common.is_verbose(), quiet: common.is_quiet(), held: None }
    }

    /// A console that prints nothing, and holds its messages back until [`Console::release`]: for a look that may not be the
    /// last one.
    #[must_use]
    pub fn holding(&self) -> Self {
        let output = Output::new(Box::new(io::sink()), false, false);
        Self {
            name: self.name,
            output,
            verbose: self.verbose,
            quiet: self.quiet,
            held: Some(RefCell::default()),
        }
    }

    /// Says what was held back.
    pub fn release(self) {
        for message in self.held.into_iter().flat_map(RefCell::into_inner) {
            message_line(self.name, &message);
        }
    }

    /// How records are printed from here on. JSON Lines until told.
    pub fn set_style(&mut self, style: Style) {
        self.output.set_style(style);
    }

    /// How records are printed.
    #[must_use]
    pub fn style(&self) -> Style {
        self.output.style()
    }

    /// Whether more detail was asked for.
    #[must_use]
    pub fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Whether text is coloured.
    #[must_use]
    pub fn has_color(&self) -> bool {
        self.output.has_color()
    }

    /// Prints a record.
    ///
    /// # Errors
    /// Standard output can not be written. That its reader went away is no error: see
    /// [`Console::is_closed`].
    pub fn print(&mut self, record: &Record) -> io::Result<()> {
        self.output.record(record)
    }

    /// Prints text as it is; the caller has escaped what comes from disks.
    ///
    /// # Errors
    /// As [`Console::print`].
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.bytes(text.as_bytes())
    }

    /// Prints bytes.
    ///
    /// # Errors
    /// As [`Console::print`].
    pub fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.bytes(bytes)
    }

    /// Prints what is held back: the rows of a table, the buffer.
    ///
    /// # Errors
    /// As [`Console::print`].
    pub fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    /// Whether the reader of standard output went away. What is printed after that is dropped; a program that
    /// still has much to read may stop.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.output.is_closed()
    }

    /// Says what failed. Even with `-q`.
    pub fn error(&self, message: impl Display) {
        match &self.held {
            Some(held) => held.borrow_mut().push(message.to_string()),
            None => message_line(self.name, &message.to_string()),
        }
    }

    /// What other threads say errors with.
    #[must_use]
    pub fn messenger(&self) -> Messenger {
        Messenger { name: self.name }
    }

    /// Says why the answer is no. Not with `-q`.
    pub fn no(&self, message: impl Display) {
        if !self.quiet {
            self.error(message);
        }
    }

    /// Says what was done, or not done, beside the results. Not with `-q`.
    pub fn say(&self, message: impl Display) {
        self.no(message);
    }

    /// Says what a reader may want to know. Only with `-v`.
    pub fn note(&self, message: impl Display) {
        if self.verbose {
            self.error(message);
        }
    }

    /// Says what is wrong with the metadata of a device: errors, and with `-v` warnings and notes as well.
    pub fn problem(&self, device: &str, format: &str, problem: &Problem) {
        if self.shows(problem.severity) {
            let text = problem_text(device, problem);
            self.error(format_args!("{device}: {format}: {text}"));
        }
    }

    fn shows(&self, severity: Severity) -> bool {
        !self.quiet && (severity == Severity::Error || self.verbose)
    }

    /// Prints what is left to print, the error if there is one, and says the exit status.
    pub(super) fn end(mut self, outcome: anyhow::Result<Exit>) -> Exit {
        let flushed = self.output.flush();
        let exit = match outcome {
            Ok(exit) => exit,
            Err(error) => self.fail(&error),
        };
        match flushed {
            Ok(()) => exit,
            Err(error) => {
                self.error(error);
                Exit::System
            }
        }
    }

    /// Says what stopped a piece of work, unless that was said; its exit status.
    pub fn fail(&self, error: &anyhow::Error) -> Exit {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return Exit::Done;
        }
        let message = format!("{error:#}");
        if !message.is_empty() {
            match Exit::of(error) {
                Exit::No => self.no(message),
                _ => self.error(message),
            }
        }
        Exit::of(error)
    }
}

impl Failure {
    /// The failure of a usage that clap can not see to be wrong.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }
}

/// Codes that the manual names, so that people look for them in the messages.
const NAMED_CODES: [&str; 2] = ["slot-unknown", "ambiguous-format"];

/// What is wrong with a device in words, without its name, and with the code where the manual names it.
pub(super) fn problem_text(device: &str, problem: &Problem) -> String {
    let Problem { code, message, .. } = problem;
    let named = message.strip_prefix(device).and_then(|rest| rest.strip_prefix(": "));
    let message = named.unwrap_or(message);
    if NAMED_CODES.contains(&code.as_str()) && !message.contains(code.as_str()) {
        format!("{code}: {message}")
    } else {
        message.to_owned()
    }
}

/// Writes one message line. Where standard error is gone, there is nobody to tell.
pub(super) fn message_line(name: &str, message: &str) {
    let line = format!("{name}: {}\n", clean(message));
    let _ = io::stderr().write_all(line.as_bytes());
}

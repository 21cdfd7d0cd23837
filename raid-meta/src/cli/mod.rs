//! What the five programs share: the exit status, output modes, device arguments, records on standard input,
//! messages.
//!
//! A program is a clap definition that implements [`Program`]; its `main.rs` calls [`main`], which does the rest:
//!
//! ```no_run
//! use raid_meta::cli::{CommonArgs, Console, Exit, Program};
//!
//! /// Says hello.
//! #[derive(clap::Parser)]
//! struct Hello {
//!     #[command(flatten)]
//!     common: CommonArgs,
//! }
//!
//! impl Program for Hello {
//!     const NAME: &'static str = "hello";
//!
//!     fn common(&self) -> &CommonArgs {
//!         &self.common
//!     }
//!
//!     fn run(self, console: &mut Console) -> anyhow::Result<Exit> {
//!         console.text("hello\n")?;
//!         Ok(Exit::Done)
//!     }
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     raid_meta::cli::main::<Hello>()
//! }
//! ```

mod args;
mod console;
mod exit;
mod export;
pub mod human;
mod input;
pub mod meta;
mod output;
mod progress;
mod select;
mod serial;
mod source;
mod text;
mod usage;
mod write;

pub use args::{
    Chosen, ColorWhen, CommonArgs, DeviceArgs, OutputArgs, OutputFormat, RecordFormat, SourceArgs,
    format_parser,
};
pub use console::{Console, Messenger};
pub use exit::{EXIT_STATUS_HELP, Exit, ExitContext, Failure, Tally};
pub use input::{InputError, Spec};
pub use output::Style;
pub use progress::{Progress, ProgressArgs, ProgressWhen};
pub use select::{select_array, top_level};
pub use source::{Inputs, Source};
pub use write::{WriteArgs, random_bytes};

use std::process::ExitCode;

/// A program, or what remains to be done once its arguments are parsed.
pub trait Program: clap::Parser {
    /// Name of the program, in front of each message.
    const NAME: &'static str;

    /// The arguments that all programs have.
    fn common(&self) -> &CommonArgs;

    /// Does the work.
    ///
    /// # Errors
    /// What ends the program early. It is printed as one line, and [`Exit::of`] says the exit status.
    fn run(self, console: &mut Console) -> anyhow::Result<Exit>;
}

/// Runs a program from the arguments of the process to its exit status.
#[must_use]
pub fn main<P: Program>() -> ExitCode {
    report_panics(P::NAME);
    let program = match P::try_parse() {
        Ok(program) => program,
        Err(error) => return usage::report(P::NAME, &error).into(),
    };
    let mut console = Console::new(P::NAME, program.common());
    let outcome = program.run(&mut console);
    console.end(outcome).into()
}

/// A bug is reported as one line as well, and ends the program as a failure of the system.
fn report_panics(name: &'static str) {
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let text = panic.payload().downcast_ref::<String>().map(String::as_str);
        let what = text.or(panic.payload().downcast_ref::<&str>().copied()).unwrap_or_default();
        console::message_line(name, &format!("bug: {place}: {what}"));
        std::process::exit(Exit::System.code().into());
    }));
}

//! `raid-meta get`.

use super::{probed, soundness};
use crate::cli::{Console, DeviceArgs, EXIT_STATUS_HELP, Exit, ExitContext, Inputs, OutputArgs, Style};
use crate::inspect;
use crate::record::{FieldRecord, Record};
use clap::Args;
use std::ffi::OsString;

/// Print the values of fields
///
/// As text the values alone, a line each; else the field records. raid-meta dump shows the names.
#[derive(Args)]
#[command(after_help = EXIT_STATUS_HELP)]
pub(super) struct Get {
    /// Device or image, or a window of it
    #[arg(value_name = "PATH[@OFFSET[+LENGTH]]")]
    path: OsString,

    /// Names of fields, as raid-meta dump prints them
    #[arg(value_name = "FIELD", required = true)]
    fields: Vec<String>,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    devices: DeviceArgs,
}

impl Get {
    pub(super) fn run(&self, console: &mut Console) -> anyhow::Result<Exit> {
        let inputs = Inputs::from_paths(std::slice::from_ref(&self.path), &self.devices, console)?;
        let (found, tally) = probed(inputs, &self.devices, console)?;
        let style = self.output.style();
        console.set_style(style);
        let mut exit = Exit::Done;
        for member in &found.members {
            console.problems(member);
            for field in inspect::select(member, &self.fields).or_exit(Exit::Usage)? {
                match style {
                    Style::Text => console.text(&line(&field))?,
                    Style::Json | Style::Export => console.print(&Record::Field(field))?,
                }
            }
            exit = exit.and(soundness(member));
        }
        Ok(tally.exit(exit))
    }
}

fn line(field: &FieldRecord) -> String {
    match &field.value {
        serde_json::Value::String(text) => format!("{text}\n"),
        other => format!("{other}\n"),
    }
}

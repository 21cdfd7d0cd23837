//! What the commands that write metadata share: shown first, written with `--write`, and an undo file before.

use super::args::DeviceArgs;
use super::console::Console;
use super::exit::Exit;
use super::output::Style;
use crate::commit::{Machine, Plan, UndoFile, commit};
use crate::record::Record;
use clap::Args;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

/// Whether to write, and where the way back is kept.
#[derive(Clone, Debug, Default, Args)]
pub struct WriteArgs {
    /// Write; without this, only show what would be written
    #[arg(long, help_heading = "Writing")]
    pub write: bool,

    /// New file for what undoes it; one in the state directory unless told
    #[arg(long, value_name = "FILE", help_heading = "Writing")]
    pub undo: Option<PathBuf>,
}

impl WriteArgs {
    /// Carries out a plan with `--write`, and says how it is undone; else says that nothing was written.
    ///
    /// # Errors
    /// See [`commit`].
    pub fn carry_out(&self, plan: &Plan, devices: &DeviceArgs, console: &Console) -> anyhow::Result<()> {
        if plan.is_empty() {
            console.say("nothing to write: it is there already");
        } else if !self.write {
            // A program sees it in the records.
            if console.style() == Style::Text {
                console.say("nothing was written; --write writes it");
            }
        } else {
            let mut undo = UndoFile::new(self.undo.as_deref())?;
            let machine = Machine::new(devices.sysroot());
            if let Some(undo) = commit(plan, &machine, &mut undo)? {
                console.say(format_args!("raid-meta restore --write {undo}   puts back what was there"));
            }
        }
        Ok(())
    }

    /// [`WriteArgs::carry_out`], then prints what was or would be written.
    ///
    /// # Errors
    /// See [`commit`]; or standard output can not be written.
    pub fn carry_out_and_print(
        &self,
        plan: &Plan,
        devices: &DeviceArgs,
        console: &mut Console,
    ) -> anyhow::Result<Exit> {
        self.carry_out(plan, devices, console)?;
        for record in plan.records(self.write) {
            console.print(&Record::Write(record))?;
        }
        Ok(Exit::Done)
    }
}

/// Bytes for a new identity.
///
/// # Errors
/// The system has none.
pub fn random_bytes() -> io::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

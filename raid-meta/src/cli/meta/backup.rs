//! `raid-meta backup`.

use super::{Opened, soundness};
use crate::cli::{Console, EXIT_STATUS_HELP, Exit, Failure, SourceArgs, Style};
use crate::edit::regions;
use crate::record::{Record, RegionRecord};
use clap::Args;
use std::io::{self, IsTerminal};

const EXAMPLES: &str = "\
Examples:
  raid-meta backup /dev/sd? > saved         every byte of metadata on these disks
  raid-meta restore saved                   what would be put back; --write puts it back
  raid-meta restore --onto copy.img saved";

/// Save all metadata
///
/// Prints the metadata of every format on the devices, region by region with hashes, for raid-meta restore. Damaged
/// metadata is saved as it is.
#[derive(Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_STATUS_HELP}"))]
pub(super) struct Backup {
    #[command(flatten)]
    source: SourceArgs,
}

impl Backup {
    pub(super) fn run(&self, console: &mut Console) -> anyhow::Result<Exit> {
        if io::stdout().is_terminal() {
            return Err(
                Failure::usage("standard output is a terminal: a backup goes to a file or a pipe").into()
            );
        }
        console.set_style(Style::Json);
        // All formats are saved, so that two on one device are no question.
        let inputs = self.source.inputs(console)?;
        let (devices, found, tally) = inputs.probe_open();
        if found.members.is_empty() {
            return Err(match tally.exit(Exit::No) {
                Exit::System => Failure::reported(Exit::System),
                exit => Failure::new(exit, "no RAID metadata found"),
            }
            .into());
        }
        let opened = Opened { devices, found, tally };
        let mut known: Vec<RegionRecord> = Vec::new();
        let mut exit = Exit::Done;
        for member in &opened.found.members {
            console.problems(member);
            exit = exit.and(soundness(member));
            for region in regions(&opened.window(member)?, member)? {
                let is_known = |other: &RegionRecord| {
                    (&other.device, other.offset_bytes, other.length_bytes)
                        == (&region.device, region.offset_bytes, region.length_bytes)
                };
                if !known.iter().any(is_known) {
                    console.print(&Record::Region(region.clone()))?;
                    known.push(RegionRecord { hex: String::new(), ..region });
                }
            }
        }
        Ok(opened.tally.exit(exit))
    }
}

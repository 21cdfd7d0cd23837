//! `raid-meta diff`.

use super::{probed, soundness};
use crate::cli::{Console, DeviceArgs, EXIT_STATUS_HELP, Exit, Failure, Inputs, OutputArgs};
use crate::identify::Member;
use crate::inspect;
use crate::record::Record;
use clap::Args;
use std::ffi::{OsStr, OsString};

/// Compare the metadata of two devices field by field
///
/// Prints the fields that differ. The exit status is 0 when none does and 1 when some do.
#[derive(Args)]
#[command(after_help = EXIT_STATUS_HELP)]
pub(super) struct Diff {
    /// The first device or image
    #[arg(value_name = "PATH[@OFFSET[+LENGTH]]")]
    from: OsString,

    /// The second
    #[arg(value_name = "PATH[@OFFSET[+LENGTH]]")]
    to: OsString,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    devices: DeviceArgs,
}

impl Diff {
    pub(super) fn run(&self, console: &mut Console) -> anyhow::Result<Exit> {
        console.set_style(self.output.style());
        self.devices.check_serials(&[self.from.clone(), self.to.clone()])?;
        let (from, to) = (self.members(&self.from, console)?, self.members(&self.to, console)?);
        let mut exit = comparable(&from, &to)?;
        for (from, to) in from.iter().zip(&to) {
            exit = exit.and(soundness(from)).and(soundness(to));
            for difference in inspect::differences(from, to) {
                exit = exit.and(Exit::No);
                console.print(&Record::Difference(difference))?;
            }
        }
        Ok(exit)
    }

    /// The metadata on one device. Half a comparison is none, so a path that can not be read fails all of it.
    fn members(&self, path: &OsStr, console: &Console) -> Result<Vec<Member>, Failure> {
        let inputs = Inputs::from_path(path, &self.devices, console);
        let (found, tally) = probed(inputs, &self.devices, console)?;
        if tally.failed > 0 {
            return Err(Failure::reported(Exit::System));
        }
        found.members.iter().for_each(|member| console.problems(member));
        Ok(found.members)
    }
}

/// Metadata of the same formats, instance by instance.
fn comparable(from: &[Member], to: &[Member]) -> Result<Exit, Failure> {
    let kinds = |members: &[Member]| members.iter().map(|member| member.format.name()).collect::<Vec<_>>();
    let (ours, theirs) = (kinds(from), kinds(to));
    if ours == theirs {
        return Ok(Exit::Done);
    }
    let message =
        format!("nothing to compare: {} on one, {} on the other", ours.join(", "), theirs.join(", "));
    Err(Failure::new(Exit::No, message))
}

//! The command line of raid-probe.

use crate::report::{Report, Wanted};
use clap::Parser;
use raid_meta::cli::{
    CommonArgs, Console, DeviceArgs, EXIT_STATUS_HELP, Exit, Inputs, OutputArgs, Program, Progress,
    ProgressArgs, Tally,
};
use raid_meta::format::FORMATS;
use raid_meta::record::{FormatRecord, Record};
use std::ffi::OsString;

const EXAMPLES: &str = "\
Examples:
  raid-probe                            all disks of this machine
  raid-probe disk0.img disk1.img        two images, each searched through its partitions
  raid-probe --serial disk0.img=S1 disk0.img
                                        an Intel disk is known by its serial number only
  raid-probe dump.bin@1048576+65536     a window of a file, in bytes
  raid-probe --deep backup.tar          disks anywhere in a file, and what an earlier life left
  raid-probe *.img | jq -c 'select(.type==\"array\" and .health!=\"optimal\")'";

/// Find RAID metadata on disks and images and group it into arrays
///
/// Prints a record for each member found, then one for each array. Every format is asked on every device, and on
/// its partitions (MBR and GPT). Nothing is written to any device.
#[derive(Parser)]
#[command(name = "raid-probe", version, max_term_width = 100)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_STATUS_HELP}"))]
pub struct Probe {
    /// Devices or images, or windows of them; without any, all disks of the machine
    #[arg(value_name = "PATH[@OFFSET[+LENGTH]]")]
    paths: Vec<OsString>,

    /// Print the members
    #[arg(long, help_heading = "Output")]
    members: bool,

    /// Print the arrays
    #[arg(long, help_heading = "Output")]
    arrays: bool,

    /// Read the devices through and find metadata anywhere: disk images inside of bigger files, disks that were
    /// grown, lost partition tables, the remains of earlier arrays
    #[arg(long)]
    deep: bool,

    /// Print the formats that are known, and look at no device
    #[arg(long, conflicts_with = "paths")]
    list_formats: bool,

    /// Exit with status 3 when anything that was found is damaged
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    devices: DeviceArgs,

    #[command(flatten)]
    progress: ProgressArgs,

    #[command(flatten)]
    common: CommonArgs,
}

impl Program for Probe {
    const NAME: &'static str = "raid-probe";

    fn common(&self) -> &CommonArgs {
        &self.common
    }

    fn run(self, console: &mut Console) -> anyhow::Result<Exit> {
        console.set_style(self.output.style());
        if self.list_formats {
            return list_formats(console);
        }
        let (report, tally) = self.probe(console)?;
        for (place, format, problem) in report.problems() {
            console.problem(&place, format, problem);
        }
        for record in report.records(self.wanted()) {
            console.print(&record)?;
        }
        if report.is_empty() && tally.exit(Exit::Done) != Exit::System {
            console.no(self.nothing_on(tally));
        }
        Ok(tally.exit(report.exit(self.strict)))
    }
}

impl Probe {
    fn probe(&self, console: &Console) -> anyhow::Result<(Report, Tally)> {
        let inputs = if self.paths.is_empty() {
            Inputs::from_machine(&self.devices, console)?
        } else {
            Inputs::from_paths(&self.paths, &self.devices, console)?
        };
        let (found, tally) = if self.deep {
            inputs.probe_deep(&mut Progress::new(self.progress, self.common.is_quiet()))
        } else {
            inputs.probe()
        };
        Ok((Report::new(found), tally))
    }

    /// Both kinds, unless one is named.
    fn wanted(&self) -> Wanted {
        let both = self.members == self.arrays;
        Wanted { members: both || self.members, arrays: both || self.arrays }
    }

    fn nothing_on(&self, tally: Tally) -> String {
        match self.paths.as_slice() {
            [path] => format!("{}: no RAID metadata found", raid_meta::escape::path_to_text(path.as_ref())),
            _ => format!("no RAID metadata found on {} devices", tally.worked),
        }
    }
}

fn list_formats(console: &mut Console) -> anyhow::Result<Exit> {
    for format in FORMATS {
        console.print(&Record::Format(FormatRecord::from(format)))?;
    }
    Ok(Exit::Done)
}

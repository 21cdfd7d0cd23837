//! `raid-meta encode`.

use crate::cli::{Console, DeviceArgs, EXIT_STATUS_HELP, Exit, Failure, OutputArgs, Spec, WriteArgs};
use crate::device::{Device, ReadAt};
use crate::edit::{Dump, encode};
use crate::record::{FieldRecord, Record, read_records};
use crate::units::Sectors;
use clap::Args;
use std::ffi::OsString;
use std::io::{self, IsTerminal};

const EXAMPLES: &str = "\
Examples:
  raid-meta dump a.img | raid-meta encode --onto b.img --write
  raid-meta dump a.img | jq -c 'if .name==\"events\" then .value=17 else . end' |
      raid-meta encode --onto a.img --seal --write";

/// Turn a dump back into the bytes it was made from
///
/// Reads the fields of one device from standard input and writes them where they say they are. The bytes are those of
/// the dump, checksums included. Refused when the fields overlap, when some are missing, or when the
/// metadata would not be recognised on a device of that size.
#[derive(Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_STATUS_HELP}"))]
pub(super) struct Encode {
    /// Device or image to write to, or a window of it; without a window, that of the dump
    #[arg(long, value_name = "PATH[@OFFSET[+LENGTH]]", required = true)]
    onto: OsString,

    /// Make the checksums right, for a dump that was edited
    #[arg(long)]
    seal: bool,

    /// Write what would not be recognised, or is not complete
    #[arg(long, help_heading = "Writing")]
    force: bool,

    #[command(flatten)]
    write: WriteArgs,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    devices: DeviceArgs,
}

/// The window that a dump is to be written to: all of a device, unless the dump is of a part that begins later.
fn recorded(whole: &Device, dump: &Dump) -> Result<Device, Failure> {
    if dump.device_offset == Sectors::ZERO {
        return Ok(whole.clone());
    }
    let offset = dump.device_offset.to_bytes();
    let window = offset.and_then(|offset| {
        let length = dump.device_length.and_then(Sectors::to_bytes);
        whole.window(offset, length.unwrap_or(whole.size().saturating_sub(offset)))
    });
    window.ok_or_else(|| {
        let message = format!("ends before the window at sector {} of the dump", dump.device_offset);
        Failure::new(Exit::No, format!("{}: {message}", whole.label()))
    })
}

impl Encode {
    pub(super) fn run(&self, console: &mut Console) -> anyhow::Result<Exit> {
        console.set_style(self.output.style());
        self.devices.check_serials(std::slice::from_ref(&self.onto))?;
        let spec = Spec::parse(&self.onto);
        // A path that can not be opened is said before a dump is waited for.
        let whole = spec.open(&self.devices)?;
        let dumps = self.dumps(console)?;
        let mut exit = Exit::Done;
        for dump in &dumps {
            let device =
                if spec == Spec::whole(&spec.path) { recorded(&whole, dump)? } else { whole.clone() };
            let edit = encode(&device, dump, self.seal)?;
            if let Some(objection) = edit.objections.first().filter(|_| !self.force) {
                let message = format!(
                    "{}: refused: {}; --force writes it all the same",
                    device.label(),
                    objection.message
                );
                return Err(Failure::new(Exit::No, message).into());
            }
            edit.after.iter().for_each(|member| console.problems(member));
            exit = exit.and(self.write.carry_out_and_print(&edit.plan, &self.devices, console)?);
        }
        Ok(exit)
    }

    /// The dumps on standard input: of one device, one for each format on it.
    fn dumps(&self, console: &mut Console) -> anyhow::Result<Vec<Dump>> {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            return Err(Failure::usage("no dump on standard input").into());
        }
        let mut fields: Vec<FieldRecord> = Vec::new();
        for record in read_records("standard input", stdin.lock()) {
            match record? {
                Record::Field(field) => fields.push(field),
                other @ Record::Other(_) => console.print(&other)?,
                _ => {}
            }
        }
        if let Some(other) =
            fields.iter().find(|field| Some(&field.device) != fields.first().map(|first| &first.device))
        {
            let message = format!("the dump is of more than one device: {} too", other.device);
            return Err(Failure::usage(message).into());
        }
        if fields.is_empty() {
            return Err(Failure::new(Exit::No, "no field records on standard input").into());
        }
        let formats = &self.devices.formats;
        fields
            .retain(|field| formats.is_empty() || formats.iter().any(|format| format.name() == field.format));
        Ok(Dump::collect(fields)?)
    }
}

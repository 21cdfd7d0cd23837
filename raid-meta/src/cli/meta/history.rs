//! `raid-meta history`.

use super::Opened;
use crate::cli::{Console, EXIT_STATUS_HELP, Exit, Failure, OutputArgs, SourceArgs, Style};
use crate::commit::save;
use crate::device::Device;
use crate::escape::escape;
use crate::format::{Format, Generation};
use crate::inspect;
use crate::record::{GenerationRecord, Record};
use crate::units::Bytes;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  raid-meta history disk0.img                     what is still there, the newest first
  raid-meta history --content 4 -o text disk0.img
  raid-meta history --content 4 disk0.img > saved   as regions, for raid-meta restore";

/// Show older generations of the metadata that are still on the devices
///
/// Some formats write each change to another place and leave the one before: LVM2, DDF. Others leave a stale copy
/// where a disk was used before.
#[derive(Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_STATUS_HELP}"))]
pub(super) struct History {
    /// Print the bytes of this generation: as text or a hexdump, or as region records
    #[arg(long, value_name = "GENERATION")]
    content: Option<u64>,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    source: SourceArgs,
}

impl History {
    pub(super) fn run(&self, console: &mut Console) -> anyhow::Result<Exit> {
        console.set_style(self.output.style());
        let mut inputs = self.source.inputs(console)?;
        let unknown = inputs.take_unknown();
        let opened = Opened::new(inputs, &self.source.devices, console);
        console.pass_on(&unknown)?;
        let opened = opened?;
        let mut known: Vec<(String, &str)> = Vec::new();
        let mut shown = 0_usize;
        for member in &opened.found.members {
            // Generations are those of a device, however many instances a probe found.
            let key = (
                format!("{}+{}", member.device.label(), member.device.length_sectors()),
                member.format.name(),
            );
            if !known.contains(&key) {
                shown = shown.saturating_add(self.show(&opened.window(member)?, member.format, console)?);
                known.push(key);
            }
        }
        if let Some(wanted) = self.content.filter(|_| shown == 0) {
            return Err(Failure::new(Exit::No, format!("no generation {wanted}")).into());
        }
        Ok(opened.tally.exit(Exit::Done))
    }

    fn show(&self, device: &Device, format: &dyn Format, console: &mut Console) -> anyhow::Result<usize> {
        let mut generations = format.history(device)?;
        generations.retain(|generation| self.content.is_none_or(|wanted| wanted == generation.generation));
        for generation in &generations {
            match (self.content, console.style()) {
                (None, _) => console.print(&record(device, format, generation))?,
                (Some(_), Style::Text) => console.text(&text(generation))?,
                (Some(_), _) => print_regions(device, format, generation, console)?,
            }
        }
        Ok(generations.len())
    }
}

fn record(device: &Device, format: &dyn Format, generation: &Generation) -> Record {
    let length = generation.areas.iter().map(|area| area.bytes.len() as u64).sum();
    Record::Generation(GenerationRecord {
        v: crate::record::V1,
        device: device.path_text(),
        device_offset_sectors: device.offset_sectors(),
        format: format.name().to_owned(),
        generation: crate::units::Count(generation.generation),
        updated: generation.updated.map(crate::units::Count),
        updated_utc: generation.updated.and_then(crate::format::time::utc),
        current: generation.current,
        description: generation.description.clone(),
        metadata: generation.areas.iter().map(crate::identify::area_record).collect(),
        length_bytes: Bytes(length),
    })
}

fn print_regions(
    device: &Device,
    format: &dyn Format,
    generation: &Generation,
    console: &mut Console,
) -> anyhow::Result<()> {
    for area in &generation.areas {
        let what = format!("{} {} of generation {}", format.name(), area.role, generation.generation);
        for region in save(device, area.offset, Bytes(area.bytes.len() as u64), &what)? {
            console.print(&Record::Region(region))?;
        }
    }
    Ok(())
}

/// Text as text, escaped line by line; anything else as a hexdump.
fn text(generation: &Generation) -> String {
    let mut shown = String::new();
    for area in &generation.areas {
        let bytes = area.bytes.strip_suffix(b"\0").unwrap_or(&area.bytes);
        let is_text = |byte: &u8| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\n' | b'\t');
        if !bytes.is_empty() && bytes.iter().all(is_text) {
            let lines = bytes.split(|&byte| byte == b'\n');
            shown.extend(lines.map(|line| escape(line).replace("\\x09", "\t").replace("\\x5c", "\\") + "\n"));
        } else {
            shown.extend(
                inspect::hexdump_area(area).iter().map(|line| format!("{}\n", format!("{line}").trim_end())),
            );
        }
    }
    shown
}

//! `raid-table map`: where sectors live.

use super::DegradedArgs;
use crate::layout::ArrayMap;
use clap::Args;
use raid_meta::cli::{Console, EXIT_STATUS_HELP, Exit, ExitContext, OutputArgs, Source, SourceArgs};
use raid_meta::escape::path_to_text;
use raid_meta::record::{ArrayRecord, PlaceRecord, Record};
use raid_meta::units::Sectors;
use std::ffi::OsString;

const EXAMPLES: &str = "\
Examples:
  raid-table map disk*.img --sector 0 128 256
                                        where three sectors of the array are, and what goes with them
  raid-probe /dev/sd? | raid-table map --array md_data --sector 4096
  raid-table map disk*.img --device disk1.img --sector 2048
                                        what a sector of a disk holds";

/// Say where a sector of an array is, or what a sector of a device holds
///
/// Sectors have 512 bytes. Missing members do not matter: the layout says where the data would be.
#[derive(Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_STATUS_HELP}"))]
pub(super) struct MapCommand {
    /// The array: a name, a uuid, or a volume; may be left out where there is only one
    #[arg(long, value_name = "ARRAY")]
    array: Option<String>,

    /// The sectors are those of this device, as its path was given; all its arrays unless --array
    #[arg(long, value_name = "PATH")]
    device: Option<OsString>,

    /// Sector numbers
    #[arg(long = "sector", value_name = "SECTOR", required = true, num_args = 1.., value_delimiter = ',')]
    sectors: Vec<u64>,

    #[command(flatten)]
    degraded: DegradedArgs,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    source: SourceArgs,
}

impl MapCommand {
    pub(super) fn run(self, console: &mut Console) -> anyhow::Result<Exit> {
        let source = self.source.load(console)?;
        console.set_style(self.output.style());
        for record in &source.others {
            console.print(record)?;
        }
        let exit = match &self.device {
            None => self.sectors_of_array(source.array(self.array.as_deref())?, console)?,
            Some(device) => self.sectors_of_device(&path_to_text(device.as_ref()), &source, console)?,
        };
        Ok(source.exit(exit))
    }

    fn sectors_of_array(&self, array: &ArrayRecord, console: &mut Console) -> anyhow::Result<Exit> {
        let map = map_of(array)?;
        let mut exit = Exit::Done;
        for sector in self.sectors() {
            match map.place(sector) {
                Some(place) => console.print(&Record::Place(place))?,
                None => {
                    let size = map.size();
                    console.no(format_args!("{}: sector {sector}: the array has {size} sectors", array.name));
                    exit = Exit::No;
                }
            }
        }
        Ok(exit)
    }

    fn sectors_of_device(
        &self,
        device: &str,
        source: &Source,
        console: &mut Console,
    ) -> anyhow::Result<Exit> {
        let arrays = match &self.array {
            Some(wanted) => std::slice::from_ref(source.array(Some(wanted))?),
            None => source.all_arrays()?,
        };
        let maps = arrays.iter().filter(|array| has_device(array, device)).map(map_of);
        let maps = maps.collect::<Result<Vec<_>, _>>()?;
        let mut exit = Exit::Done;
        for sector in self.sectors() {
            let places = used(maps.iter().flat_map(|map| map.places_on_device(device, sector)).collect());
            if places.is_empty() {
                console.no(format_args!("{device}: sector {sector}: in no array"));
                exit = Exit::No;
            }
            for place in places {
                console.print(&Record::Place(place))?;
            }
        }
        Ok(exit)
    }

    fn sectors(&self) -> impl Iterator<Item = Sectors> + '_ {
        self.sectors.iter().copied().map(Sectors)
    }
}

fn map_of(array: &ArrayRecord) -> anyhow::Result<ArrayMap> {
    let map = ArrayMap::new(array).map_err(|error| format!("{}: {error}", array.name));
    Ok(map.or_exit(Exit::BadData)?)
}

fn has_device(array: &ArrayRecord, device: &str) -> bool {
    array.members.iter().any(|member| member.device.as_deref() == Some(device))
}

/// What arrays hold in a sector, or where none holds anything, one record that says so: a disk with two volumes
/// has a sector of one of them.
fn used(mut places: Vec<PlaceRecord>) -> Vec<PlaceRecord> {
    let is_used = |place: &PlaceRecord| place.array_sector.is_some() || place.stripe.is_some();
    if places.iter().any(is_used) {
        places.retain(is_used);
    } else {
        places.truncate(1);
    }
    places
}

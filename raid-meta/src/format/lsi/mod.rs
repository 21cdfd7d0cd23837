//! LSI Logic MegaRAID, also MegaIDE: its software RAID, version 2.
//!
//! The metadata is the last sector of each disk: a table of up to 30 entries, first the arrays of the controller, then their
//! disks. All disks of a controller have the same table, and beside it which of them they are. There is no checksum, no
//! copy and no counter: of two tables that differ, the one that knows more disks to be gone is the newer.
//!
//! Offsets are those of the older ataraid of FreeBSD, which fit a table of a real disk byte for byte. dmraid reads the
//! structure otherwise, in a way that is right only for one array of two disks. See the modules: `table` the structure,
//! `check` the rules, `view` what it means, `create` new sets, `rebuild` a new disk in one.

mod check;
mod create;
mod fields;
mod rebuild;
mod table;
#[cfg(test)]
mod tests;
mod view;

pub(super) use create::create;
pub(super) use rebuild::renew;

use super::vendor::{Trailer, sum8};
use super::{Format, Found, Metadata, Range, Signature};
use crate::device::{Device, DeviceError};
use crate::model::{Area, Field, MemberView};
use crate::record::{ChecksumState, Problem};
use crate::units::{Bytes, Sectors};
use table::{MAGIC, Table};

const NAME: &str = "lsi";

/// Sectors that the metadata takes at the end of a disk.
const TRAILER: Sectors = Sectors(1);

/// What version 3 begins with. Its sum over all bytes is 0.
const MAGIC_V3: &[u8; 6] = b"$_IDE$";

/// The format.
pub struct Lsi;

impl Format for Lsi {
    fn name(&self) -> &'static str {
        NAME
    }

    fn description(&self) -> &'static str {
        "LSI Logic MegaRAID, MegaIDE (software RAID)"
    }

    fn whole_disk_only(&self) -> bool {
        true
    }

    fn find(&self, device: &Device) -> Result<Vec<Found>, DeviceError> {
        let Some((offset, bytes)) = Trailer(TRAILER).read(device)? else { return Ok(Vec::new()) };
        if bytes.starts_with(MAGIC_V3) && sum8(&bytes) == 0 {
            return Ok(vec![version_3(offset)]);
        }
        Ok(read(device)?.map(found).into_iter().collect())
    }

    fn freshest(&self, views: &[&MemberView]) -> (usize, Vec<Problem>) {
        (view::freshest(views), Vec::new())
    }

    fn signatures(&self) -> &'static [Signature] {
        &[Signature { bytes: MAGIC, at: 0 }]
    }

    fn windows(&self, disk: &Device, at: Bytes) -> Result<Vec<Range>, DeviceError> {
        Trailer(TRAILER).windows(disk, at, |bytes| {
            let table = Table::decode(bytes)?;
            let own = table.own_disk().map(|(_, disk)| u64::from(disk.disk_sectors)).unwrap_or_default();
            let chunk = table.own_array().map(|array| u64::from(array.stripe_sectors)).unwrap_or_default();
            Some((Sectors(own), Sectors(chunk)))
        })
    }
}

fn read(device: &Device) -> Result<Option<LsiMetadata>, DeviceError> {
    let disk = device.length_sectors();
    let Some((offset, bytes)) = Trailer(TRAILER).read(device)? else { return Ok(None) };
    Ok(Table::decode(&bytes).map(|table| LsiMetadata { table, offset, disk }))
}

fn found(metadata: LsiMetadata) -> Found {
    Found {
        offset: metadata.offset,
        version: Some(metadata.version()),
        problems: check::damage(&metadata.table),
        metadata: Some(Box::new(metadata)),
    }
}

/// Nobody has a description of version 3 that was seen to be right.
fn version_3(offset: Bytes) -> Found {
    let message = "the metadata is of version 3 ($_IDE$), expected version 2 ($XIDE$)";
    Found {
        metadata: None,
        offset,
        version: Some("3".to_owned()),
        problems: vec![Problem::error("unsupported-version", message)],
    }
}

/// The metadata of one disk.
#[derive(Clone, Debug)]
struct LsiMetadata {
    table: Table,
    offset: Bytes,
    /// Size of the disk.
    disk: Sectors,
}

impl Metadata for LsiMetadata {
    fn format(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> String {
        "2".to_owned()
    }

    fn areas(&self) -> Vec<Area> {
        let (offset, bytes) = (self.offset, self.table.encode());
        vec![Area { role: "sector", offset, bytes, checksum: ChecksumState::Absent }]
    }

    fn fields(&self) -> Vec<Field> {
        fields::fields(&self.table, self.offset)
    }

    fn check(&self) -> Vec<Problem> {
        check::all(&self.table, self.disk)
    }

    fn view(&self, _device: &Device) -> MemberView {
        view::view(&self.table)
    }
}

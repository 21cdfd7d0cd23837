//! The label of a physical volume: one sector, in one of the first four of the device.
//!
//! 32 bytes of label header, then the header of the physical volume: its identity, and three lists of places (data,
//! metadata, boot loader), each ended by a pair of zeros. The checksum covers the rest of the sector.

use super::checksum::checksum;
use crate::disk_struct;
use crate::format::schema::{DiskStruct, Endian, FieldWalk, Repr};
use crate::format::time::utc;
use crate::model::Field;
use crate::record::Problem;
use crate::units::{Bytes, SECTOR_BYTES, SECTOR_LENGTH};

/// First bytes of a label.
pub(super) const ID: &[u8; 8] = b"LABELONE";
const TYPE: &[u8; 8] = b"LVM2 001";
/// Sectors in which a label is looked for.
pub(super) const SECTORS: u64 = 4;
/// Where what the checksum covers begins.
const CHECKED_FROM: usize = 20;
const CHECKSUM_AT: usize = 16;
/// Flag of the extension: the physical volume is in a group.
const USED: u32 = 1;

disk_struct! {
    /// Header of a label.
    pub(super) struct LabelHeader {
        id: [u8; 8] as text,
        sector: u64,
        crc: u32 as hex,
        offset: u32,
        kind: [u8; 8] as text,
    }
}

disk_struct! {
    /// Header of a physical volume.
    pub(super) struct PvHeader {
        uuid: [u8; 32] as text,
        device_size: u64,
    }
}

disk_struct! {
    /// A place on the device, in bytes.
    pub(super) struct Location {
        offset: u64,
        size: u64,
    }
}

disk_struct! {
    /// What newer versions added.
    pub(super) struct Extension {
        version: u32,
        flags: u32 as hex,
    }
}

/// A list of places, up to the pair of zeros.
#[derive(Clone, Debug, Default)]
pub(super) struct Locations {
    at: usize,
    pub(super) entries: Vec<Location>,
    ended: bool,
}

impl Locations {
    fn read(bytes: &[u8], at: usize) -> Self {
        let mut list = Self { at, ..Self::default() };
        while let Some(location) = part::<Location>(bytes, list.end()) {
            if location.offset == 0 && location.size == 0 {
                list.ended = true;
                break;
            }
            list.entries.push(location);
        }
        list
    }

    /// Behind its entries; the pair of zeros is there.
    fn end(&self) -> usize {
        self.at.saturating_add(self.entries.len().saturating_mul(Location::SIZE))
    }

    /// Behind the pair of zeros.
    fn next(&self) -> usize {
        self.end().saturating_add(if self.ended { Location::SIZE } else { 0 })
    }

    fn fields(&self, walk: &mut FieldWalk<'_>, name: &str) {
        let ends = usize::from(self.ended);
        for number in 0..self.entries.len().saturating_add(ends) {
            let at = self.at.saturating_add(number.saturating_mul(Location::SIZE));
            let end = (number == self.entries.len()).then(|| "end of the list".to_owned());
            walk.structure::<Location>("pv_header", &format!("pv.{name}[{number}]."), at, |_, _| end.clone());
        }
    }
}

fn part<T: DiskStruct>(bytes: &[u8], at: usize) -> Option<T> {
    T::decode(bytes.get(at..)?, Endian::Little)
}

/// A label.
#[derive(Clone, Debug)]
pub(super) struct Label {
    pub(super) offset: Bytes,
    pub(super) bytes: Vec<u8>,
    pub(super) header: LabelHeader,
    pv_at: usize,
    pub(super) pv: PvHeader,
    pub(super) data: Locations,
    pub(super) metadata: Locations,
    extension_at: usize,
    pub(super) extension: Option<Extension>,
    bootloader: Locations,
}

impl Label {
    /// The label that is in a sector, if it is LVM2's.
    pub(super) fn decode(sector: &[u8], offset: Bytes) -> Option<Self> {
        let bytes = sector.get(..SECTOR_LENGTH)?.to_vec();
        let header: LabelHeader = part(&bytes, 0)?;
        if header.id != *ID || header.kind != *TYPE {
            return None;
        }
        let pv_at = usize::try_from(header.offset).ok().filter(|&at| at >= LabelHeader::SIZE)?;
        let pv: PvHeader = part(&bytes, pv_at)?;
        let data = Locations::read(&bytes, pv_at.saturating_add(PvHeader::SIZE));
        let metadata = Locations::read(&bytes, data.next());
        let extension_at = metadata.next();
        let extension: Option<Extension> = part(&bytes, extension_at).filter(|_| metadata.ended);
        let bootloader = match extension {
            Some(_) => Locations::read(&bytes, extension_at.saturating_add(Extension::SIZE)),
            None => Locations { at: extension_at, ..Locations::default() },
        };
        Some(Self { offset, bytes, header, pv_at, pv, data, metadata, extension_at, extension, bootloader })
    }

    pub(super) fn computed_checksum(&self) -> u32 {
        checksum(self.bytes.get(CHECKED_FROM..).unwrap_or_default())
    }

    /// The sector that it says it is in.
    fn own_sector(&self) -> u64 {
        self.offset.0 / SECTOR_BYTES
    }

    /// Identity of the physical volume, if it can be one.
    pub(super) fn uuid(&self) -> Option<&str> {
        let legal = |&byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'!' | b'#');
        self.pv.uuid.iter().all(legal).then(|| std::str::from_utf8(&self.pv.uuid).ok()).flatten()
    }

    /// What makes the label not to be believed.
    pub(super) fn damage(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let (found, computed) = (self.header.crc, self.computed_checksum());
        if found != computed {
            let message = format!("checksum of the label is {found:#010x}, computed {computed:#010x}");
            problems.push(Problem::error("checksum", message));
        }
        if self.header.sector != self.own_sector() {
            let message = format!(
                "the label says it is in sector {}, found in sector {}",
                self.header.sector,
                self.own_sector()
            );
            problems.push(Problem::error("misplaced", message));
        }
        if self.uuid().is_none() {
            let found = crate::escape::escape(&self.pv.uuid);
            let message = format!("identity is '{found}', expected 32 letters and digits");
            problems.push(Problem::error("uuid-invalid", message));
        }
        if !self.data.ended || !self.metadata.ended {
            let message = "the lists of data and metadata areas do not end inside the sector";
            problems.push(Problem::error("lists-unended", message));
        }
        problems
    }

    /// What is wrong beside that.
    pub(super) fn check(&self, device: Bytes) -> Vec<Problem> {
        let mut problems = Vec::new();
        let size = self.pv.device_size;
        if size > device.0 {
            let message = format!("the physical volume has {size} bytes, the device {device}");
            problems.push(Problem::warning("device-too-small", message));
        }
        match &self.extension {
            Some(extension) if extension.version > 2 => {
                let message =
                    format!("version of the header extension is {}, expected 1 or 2", extension.version);
                problems.push(Problem::warning("unknown-version", message));
            }
            _ => {}
        }
        problems
    }

    /// Whether it says that the physical volume is in a group; none where it is too old to say.
    pub(super) fn is_used(&self) -> Option<bool> {
        self.extension
            .as_ref()
            .filter(|extension| extension.version >= 2)
            .map(|extension| extension.flags & USED != 0)
    }

    pub(super) fn fields(&self) -> Vec<Field> {
        let mut walk = FieldWalk::new(&self.bytes, self.offset, Endian::Little);
        walk.structure::<LabelHeader>("label_header", "label.", 0, |name, _| match name {
            "crc" if self.header.crc != self.computed_checksum() => {
                Some(format!("computed {:#010x}", self.computed_checksum()))
            }
            _ => None,
        });
        let gap = self.pv_at.saturating_sub(LabelHeader::SIZE);
        walk.field("label_header", "label.gap", LabelHeader::SIZE, gap, Repr::Raw, None);
        walk.structure::<PvHeader>("pv_header", "pv.", self.pv_at, |name, _| match name {
            "uuid" => self.uuid().map(dashed),
            _ => None,
        });
        self.data.fields(&mut walk, "data");
        self.metadata.fields(&mut walk, "metadata");
        if self.extension.is_some() {
            walk.structure::<Extension>(
                "pv_header",
                "pv.extension.",
                self.extension_at,
                |name, _| match name {
                    "flags" if self.is_used() == Some(true) => Some("in a volume group".to_owned()),
                    _ => None,
                },
            );
        }
        self.bootloader.fields(&mut walk, "bootloader");
        let end = self.bootloader.next();
        walk.field("pv_header", "pv.reserved", end, SECTOR_LENGTH.saturating_sub(end), Repr::Raw, None);
        walk.finish()
    }
}

/// Makes the checksum of a label right.
pub(super) fn seal(bytes: &mut [u8]) {
    let sum = checksum(bytes.get(CHECKED_FROM..).unwrap_or_default());
    if let Some(place) = bytes.get_mut(CHECKSUM_AT..CHECKED_FROM) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
}

/// An identity of 32 letters as LVM prints it: groups of 6, 4, 4, 4, 4, 4 and 6.
pub(super) fn dashed(uuid: &str) -> String {
    let mut text = String::with_capacity(uuid.len().saturating_add(6));
    for (number, letter) in uuid.chars().enumerate() {
        if matches!(number, 6 | 10 | 14 | 18 | 22 | 26) {
            text.push('-');
        }
        text.push(letter);
    }
    text
}

/// A time of the metadata, for the meaning of a field.
pub(super) fn time_meaning(value: &[u8]) -> Option<String> {
    utc(std::str::from_utf8(value).ok()?.parse().ok()?)
}

//! A format made for these tests: one sector, which says where in its disk it is, how long that is, and who it is.

use crate::device::{Device, DeviceError};
use crate::format::{Format, Found, Metadata, Range, Signature};
use crate::geometry::{Geometry, Level};
use crate::model::{Area, Field, MemberView, OwnPart, SlotState, SlotView, VolumeView};
use crate::record::{ChecksumState, Problem, Role};
use crate::units::{Bytes, Sectors, Slot};

const MAGIC: &[u8] = b"TOY!";
const MAGIC_AT: usize = 8;

/// The format. Its metadata is in the last sector of a disk.
pub(super) struct ToyFormat;

/// One member of a mirror of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Toy {
    /// The set.
    pub(super) set: u8,
    /// The slot.
    pub(super) slot: u8,
    /// Which write of the metadata it is.
    pub(super) generation: u8,
    /// Sectors of the disk.
    pub(super) sectors: u8,
    /// Whether the checksum is right.
    pub(super) is_sound: bool,
}

impl Toy {
    /// A member of a disk of 16 sectors.
    pub(super) fn new(set: u8, slot: u8) -> Self {
        Self { set, slot, generation: 1, sectors: 16, is_sound: true }
    }

    /// The sector.
    pub(super) fn encode(self) -> Vec<u8> {
        let mut bytes = vec![0; 512];
        bytes[MAGIC_AT..MAGIC_AT + MAGIC.len()].copy_from_slice(MAGIC);
        bytes[..5].copy_from_slice(&[self.set, self.slot, self.generation, self.sectors, 0]);
        bytes[4] = sum(&bytes).wrapping_add(u8::from(!self.is_sound));
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.get(MAGIC_AT..MAGIC_AT + MAGIC.len()) != Some(MAGIC) {
            return None;
        }
        let is_sound = bytes[4] == sum(bytes).wrapping_sub(bytes[4]);
        Some(Self { set: bytes[0], slot: bytes[1], generation: bytes[2], sectors: bytes[3], is_sound })
    }
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

impl Format for ToyFormat {
    fn name(&self) -> &'static str {
        "toy"
    }

    fn description(&self) -> &'static str {
        "a format for tests"
    }

    fn whole_disk_only(&self) -> bool {
        false
    }

    fn find(&self, device: &Device) -> Result<Vec<Found>, DeviceError> {
        let Some(last) = device.length_sectors().checked_sub(Sectors(1)) else { return Ok(Vec::new()) };
        let offset = last.to_bytes().unwrap();
        let toy = device.read(offset, 512)?.and_then(|bytes| Toy::decode(&bytes));
        let found = toy.map(|toy| Found {
            metadata: Some(Box::new(Instance { toy, offset }) as Box<dyn Metadata>),
            offset,
            version: None,
            problems: if toy.is_sound { Vec::new() } else { vec![Problem::error("checksum", "is wrong")] },
        });
        Ok(found.into_iter().collect())
    }

    fn signatures(&self) -> &'static [Signature] {
        &[Signature { bytes: MAGIC, at: MAGIC_AT }]
    }

    fn windows(&self, disk: &Device, at: Bytes) -> Result<Vec<Range>, DeviceError> {
        let Some(toy) = disk.read(at, 512)?.and_then(|bytes| Toy::decode(&bytes)) else {
            return Ok(Vec::new());
        };
        let end = at.0 + 512;
        let length = u64::from(toy.sectors) * 512;
        let own = end.checked_sub(length).map(|start| Range { offset: Bytes(start), length: Bytes(length) });
        Ok(own.into_iter().collect())
    }
}

#[derive(Debug)]
struct Instance {
    toy: Toy,
    offset: Bytes,
}

impl Metadata for Instance {
    fn format(&self) -> &'static str {
        "toy"
    }

    fn version(&self) -> String {
        "1".into()
    }

    fn areas(&self) -> Vec<Area> {
        let checksum = if self.toy.is_sound { ChecksumState::Ok } else { ChecksumState::Bad };
        vec![Area { role: "toy", offset: self.offset, bytes: self.toy.encode(), checksum }]
    }

    fn fields(&self) -> Vec<Field> {
        Vec::new()
    }

    fn check(&self) -> Vec<Problem> {
        Vec::new()
    }

    fn view(&self, device: &Device) -> MemberView {
        let data = Sectors(u64::from(self.toy.sectors).saturating_sub(1));
        let own = OwnPart { slot: Some(Slot(self.toy.slot.into())), length: data, ..OwnPart::default() };
        let slots = (0..2).map(|slot| SlotView::disk(slot.to_string(), SlotState::InSync)).collect();
        let volume = VolumeView {
            uuid: format!("{:08x}", self.toy.set),
            dm_name: format!("toy_{}", self.toy.set),
            geometry: Some(Geometry { level: Level::Raid1, layout: None, chunk: None, slots: 2 }),
            size: data,
            slots,
            own: Some(own),
            ..VolumeView::default()
        };
        MemberView {
            set_id: self.toy.set.to_string(),
            member_id: device.serial().map(str::to_owned),
            key: Some(self.toy.slot.to_string()),
            generation: self.toy.generation.into(),
            role: Role::Active,
            volumes: vec![volume],
            ..MemberView::default()
        }
    }
}

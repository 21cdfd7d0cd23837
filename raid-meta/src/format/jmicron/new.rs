//! New sets.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::block::{Block, Head, MAX_MEMBERS, MAX_SPARES, SIGNATURE, VERSION, attribute, mode};
use super::{NAME, TRAILER};
use crate::device::Device;
use crate::format::create::{CreateError, NewMember, NewSet};
use crate::format::schema::DiskStruct;
use crate::format::vendor::{Plan, Rules};
use crate::geometry::{Level, ParityLayout};
use crate::model::Area;
use crate::record::ChecksumState;
use crate::units::Sectors;

const RULES: Rules = Rules {
    format: NAME,
    levels: &[
        (Level::Linear, 1..=MAX_MEMBERS),
        (Level::Raid0, 1..=MAX_MEMBERS),
        (Level::Raid1, 2..=2),
        (Level::Raid10, 4..=MAX_MEMBERS),
        (Level::Raid5, 3..=MAX_MEMBERS),
    ],
    parity: &[ParityLayout::LeftAsymmetric],
    chunks: 2..=32768,
    usual_chunk: 128,
    reserved: TRAILER,
    largest: Sectors(1 << 47),
    spares: MAX_SPARES,
};

/// Longest name that leaves room for a NUL: dmraid reads on where there is none.
const MAX_NAME: usize = 15;

/// The metadata of all disks, spares last.
pub(in crate::format) fn create(set: &NewSet) -> Result<Vec<NewMember>, CreateError> {
    let plan = RULES.plan(set)?;
    let name: [u8; MAX_NAME] = RULES.name(&set.name, 0)?;
    let identities: Vec<u32> = (0..)
        .take(set.disks.len().saturating_add(set.spares.len()))
        .map(|number| identity(set, number))
        .collect();
    let (members, spares) = identities.split_at_checked(set.disks.len()).unwrap_or_default();
    let common = Block {
        head: head(set, &plan, name),
        spares: padded(spares, MAX_SPARES),
        members: padded(members, MAX_MEMBERS),
        filler2: vec![0; 32],
        tail: vec![0; 384],
    };
    let lengths = plan.lengths.iter().copied().chain(std::iter::repeat(plan.length()));
    let disks = set.disks.iter().chain(&set.spares).zip(&identities).zip(lengths);
    Ok(disks.map(|((disk, identity), length)| member(&common, disk, *identity, length)).collect())
}

/// The low four bits are the number of the segment, the next ones that of the disk: no two are alike.
fn identity(set: &NewSet, number: u32) -> u32 {
    let bytes = set.identity_for(NAME);
    let random = bytes.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)).unwrap_or_default();
    0x0100_0000 | random & 0x7fff_ff00 | number.wrapping_shl(4) & 0xf0
}

fn padded(identities: &[u32], length: usize) -> Vec<u32> {
    let mut list = identities.to_vec();
    list.resize(length, 0);
    list
}

fn head(set: &NewSet, plan: &Plan, name: [u8; MAX_NAME]) -> Head {
    let mut head = Head {
        signature: *SIGNATURE,
        version: VERSION,
        mode: match set.level {
            Level::Raid1 => mode::RAID1,
            Level::Raid10 => mode::RAID01,
            Level::Raid5 => mode::RAID5,
            Level::Linear => mode::JBOD,
            _ => mode::RAID0,
        },
        block: u8::try_from(plan.chunk.get().ilog2().saturating_sub(1)).unwrap_or_default(),
        attribute: attribute::READY | attribute::BOOTABLE,
        ..DiskStruct::zeroed()
    };
    if set.level.is_redundant() && !set.in_sync {
        head.attribute |= attribute::UNSYNCHRONIZED;
    }
    if let Some(place) = head.name.get_mut(..MAX_NAME) {
        place.copy_from_slice(&name);
    }
    head
}

fn member(common: &Block, disk: &Device, identity: u32, length: Sectors) -> NewMember {
    let mut block = common.clone();
    block.head.identity = identity;
    block.head.segment_range = u32::try_from(length.0 >> 16).unwrap_or(u32::MAX);
    block.head.segment_range2 = u16::try_from(length.0 & 0xffff).unwrap_or_default();
    block.head.checksum = block.computed_checksum(0);
    let offset = disk.length_sectors().saturating_sub(TRAILER).to_bytes().unwrap_or_default();
    let area = Area { role: "metadata", offset, bytes: block.encode(), checksum: ChecksumState::Ok };
    NewMember { areas: vec![area] }
}

//! What a salvage came to, as a record and in words.

use super::also::Also;
use super::maps::Maps;
use crate::salvage::{Account, State, Target};
use raid_meta::cli::{Console, Exit, Source, human};
use raid_meta::escape::{path_to_text, text_to_path};
use raid_meta::record::{
    ArrayMember, ArrayRecord, LostRange, MemberRecord, MemberState, SalvageMember, SalvageRecord, SalvageUse,
    V1,
};
use raid_meta::units::{Bytes, Count, SECTOR_BYTES, Sectors};
use raid_table::volume::Salvage;

/// Lost ranges that are named; the map has all.
const SHOWN: usize = 100;

/// An array and those that are members of it, directly or not.
pub(super) fn tree<'a>(array: &'a ArrayRecord, arrays: &'a [ArrayRecord]) -> Vec<&'a ArrayRecord> {
    let mut tree = vec![array];
    let mut next = 0;
    while let Some(array) = tree.get(next).copied() {
        next += 1;
        for member in &array.members {
            let subset = arrays.iter().find(|subset| Some(&subset.name) == member.array.as_ref());
            tree.extend(subset.filter(|subset| !tree.iter().any(|known| known.name == subset.name)));
        }
    }
    tree
}

/// The member's own metadata.
pub(super) fn metadata<'a>(member: &ArrayMember, source: &'a Source) -> Option<&'a MemberRecord> {
    let device = member.device.as_deref()?;
    let offset = member.device_offset_sectors.unwrap_or_default();
    source.members.iter().find(|found| found.device == device && found.device_offset_sectors == offset)
}

/// Why a member is not believed, in the words of who grouped the array.
pub(super) fn why(array: &ArrayRecord, member: &ArrayMember, source: &Source) -> String {
    let prefix = format!("slot {}", member.slot);
    let about = |message: &str| {
        let rest = message.strip_prefix(prefix.as_str())?;
        let (_, rest) = rest.split_once(": ").filter(|_| rest.starts_with([':', ' ']))?;
        Some(rest.to_owned())
    };
    let said: Vec<String> = array.problems.iter().filter_map(|problem| about(&problem.message)).collect();
    if !said.is_empty() {
        return said.join(", ");
    }
    let state =
        if member.state == MemberState::Failed { "marked as failed" } else { "older than the others" };
    let generation = metadata(member, source).and_then(|found| found.generation);
    generation.map_or_else(|| state.to_owned(), |generation| format!("{state}, generation {generation}"))
}

/// What there is to say of an array.
pub(super) struct Report<'a> {
    pub(super) array: &'a ArrayRecord,
    pub(super) tree: &'a [&'a ArrayRecord],
    pub(super) source: &'a Source,
    pub(super) maps: &'a Maps,
    pub(super) also: &'a Also,
    pub(super) use_stale: bool,
}

impl Report<'_> {
    pub(super) fn record(&self, account: &Account, salvage: &Salvage, target: &Target) -> SalvageRecord {
        let bytes = |sectors: u64| Bytes(sectors.saturating_mul(SECTOR_BYTES));
        let total = |state| bytes(account.total(state));
        let is_lost = |state: State| !state.is_obtained();
        let lost = || account.pieces().filter(move |piece| is_lost(piece.state));
        let range = |piece: crate::salvage::Piece| LostRange {
            offset_bytes: bytes(piece.start),
            length_bytes: bytes(piece.length),
            reason: salvage.reason(Sectors(piece.start)),
        };
        SalvageRecord {
            v: V1,
            array: self.array.name.clone(),
            uuid: self.array.uuid.clone(),
            image: path_to_text(&target.image),
            map: path_to_text(&target.map),
            size_bytes: bytes(account.end()),
            good_bytes: total(State::Good),
            reconstructed_bytes: total(State::Reconstructed),
            unsynchronised_bytes: total(State::Unsynchronised),
            stale_bytes: total(State::Stale),
            lost_bytes: bytes(lost().map(|piece| piece.length).sum()),
            lost_ranges: Count(lost().count() as u64),
            lost: lost().take(SHOWN).map(range).collect(),
            members: self.members(),
        }
    }

    fn members(&self) -> Vec<SalvageMember> {
        let of = |array: &ArrayRecord, member: &ArrayMember| {
            let also = member.device.as_deref().and_then(|device| self.also.of(&text_to_path(device)));
            let (differing, first) = also.map(|also| also.differing.found()).unwrap_or_default();
            SalvageMember {
                images: also.iter().flat_map(|also| &also.images).map(|image| path_to_text(image)).collect(),
                differing_sectors: Count(differing),
                first_difference_bytes: first.and_then(Sectors::to_bytes),
                array: array.name.clone(),
                slot: member.slot,
                device: member.device.clone(),
                subset: member.array.clone(),
                state: member.state,
                generation: metadata(member, self.source).and_then(|found| found.generation),
                used: self.usage(member),
                mapped_bytes: member
                    .device
                    .as_deref()
                    .and_then(|device| self.maps.of(&text_to_path(device)))
                    .and_then(|map| map.total().to_bytes()),
            }
        };
        let all = self.tree.iter().flat_map(|array| array.members.iter().map(move |member| (array, member)));
        all.map(|(array, member)| of(array, member)).collect()
    }

    fn usage(&self, member: &ArrayMember) -> SalvageUse {
        match member.state {
            MemberState::InSync | MemberState::Rebuilding => SalvageUse::Current,
            MemberState::Stale | MemberState::Failed if self.use_stale => SalvageUse::LastResort,
            _ => SalvageUse::No,
        }
    }
}

/// The exit status: all, a part, or nothing.
pub(super) fn exit(record: &SalvageRecord) -> Exit {
    let do_differ = record.members.iter().any(|member| member.differing_sectors > Count(0));
    let doubtful = [record.unsynchronised_bytes, record.stale_bytes, record.lost_bytes];
    if doubtful.iter().all(|bytes| bytes.is_zero()) && !do_differ {
        Exit::Done
    } else if record.lost_bytes == record.size_bytes {
        Exit::No
    } else {
        Exit::Partly
    }
}

/// The outcome in one line, and what of it is not to be relied on.
pub(super) fn say(record: &SalvageRecord, console: &Console) {
    let SalvageRecord { array, map, .. } = record;
    let size = |bytes: Bytes| human::size(bytes.whole_sectors());
    for member in &record.members {
        if let (Some(device), Some(first)) = (&member.device, member.first_difference_bytes) {
            let (count, slot) = (member.differing_sectors, member.slot);
            console.no(format_args!(
                "{array}: slot {slot} ({device}): {count} sectors are not the same in all of its images, the first at byte \
                 {first}: taken from the first that has it"
            ));
        }
    }
    if record.lost_bytes > Bytes::ZERO {
        let (lost, all, ranges) = (size(record.lost_bytes), size(record.size_bytes), record.lost_ranges);
        console.no(format_args!("{array}: {lost} of {all} lost, in {ranges} ranges: see {map}"));
    }
    if record.unsynchronised_bytes > Bytes::ZERO {
        let doubtful = size(record.unsynchronised_bytes);
        console.say(format_args!("{array}: {doubtful} by parity that may be out of step: see {map}"));
    }
    if record.stale_bytes > Bytes::ZERO {
        let stale = size(record.stale_bytes);
        console.say(format_args!("{array}: {stale} from older members: may be old: see {map}"));
    }
}

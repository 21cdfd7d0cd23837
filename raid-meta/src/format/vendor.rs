//! What the metadata of all firmware RAID vendors has in common, and what dmraid makes of it.
//!
//! Nine small formats (asr, hpt37x, hpt45x, jmicron, lsi, nvidia, pdc, sil, via) write one fixed structure per disk, which
//! says how many disks there are and which of them this one is. A disk is known to its set by that position alone.
//! [`Positional`] is such a statement; it becomes the view that [`crate::group`] compares.
//!
//! [`Rules`] is what a new set has to keep to; `rebuild` is a new disk in the place of a lost one.
//!
//! Sets keep the names that dmraid gives them, because device paths in configuration files have them:
//! `<format>_<id>`, in most formats with letters for the digits of the id ([`set_name`]).

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod plan;
pub(in crate::format) mod rebuild;
#[cfg(test)]
pub(crate) mod testing;

pub use plan::{Plan, Rules};

use crate::device::{Device, DeviceError, ReadAt};
use crate::format::Range;
use crate::geometry::{Geometry, Layout, Level, ParityLayout, Raid10Layout};
use crate::model::{DiskKey, MemberView, OwnPart, SlotState, SlotView, VolumeView};
use crate::record::{Problem, Role};
use crate::units::{Bytes, ChunkSectors, SECTOR_LENGTH, Sectors, Slot};

/// A decimal digit as dmraid spells it in names: `a` for `0` … `j` for `9`; all else stays.
#[must_use]
pub fn letter(character: char) -> char {
    match character {
        '0'..='9' => char::from((character as u8).saturating_add(b'a' - b'0')),
        other => other,
    }
}

/// The name of a top-level set whose id is a number (in whatever base): no digit is left after the underscore.
///
/// ```
/// use raid_meta::format::vendor::set_name;
/// assert_eq!(set_name("pdc", "1954481441"), "pdc_bjfeeibeeb");
/// assert_eq!(set_name("nvidia", "9d4378c7"), "nvidia_jdedhich");
/// ```
#[must_use]
pub fn set_name(format: &str, id: &str) -> String {
    let id: String = id.chars().map(letter).collect();
    format!("{format}_{id}")
}

/// The name that dmraid gives to a subset: `<format>_<id>-<suffix>`. Digits become letters but for the last `kept`
/// characters of the whole: one in nvidia and pdc, two in the other formats. So long suffixes are spelled in part.
///
/// ```
/// use raid_meta::format::vendor::subset_name;
/// assert_eq!(subset_name("hpt37x", "77", "1", 2), "hpt37x_hh-1");
/// assert_eq!(subset_name("hpt37x", "77", "123", 2), "hpt37x_hh-b23");
/// ```
#[must_use]
pub fn subset_name(format: &str, id: &str, suffix: &str, kept: usize) -> String {
    let text = format!("{id}-{suffix}");
    let spelled = text.chars().count().saturating_sub(kept);
    let text: String =
        text.chars().enumerate().map(|(at, char)| if at < spelled { letter(char) } else { char }).collect();
    format!("{format}_{text}")
}

/// The largest multiple of `chunk` that is not larger; the size itself without a chunk.
#[must_use]
pub fn round_down(size: Sectors, chunk: Option<ChunkSectors>) -> Sectors {
    let remainder = chunk.and_then(|chunk| size.0.checked_rem(chunk.sectors().0));
    size.saturating_sub(Sectors(remainder.unwrap_or_default()))
}

/// A share of a size: `size / parts`, nothing when there are no parts.
#[must_use]
pub fn share(size: Sectors, parts: u64) -> Sectors {
    Sectors(size.0.checked_div(parts).unwrap_or_default())
}

/// Sum of all bytes, modulo 2^8.
#[must_use]
pub fn sum8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, &byte| sum.wrapping_add(byte))
}

/// Sum of the little-endian words of 16 bits, modulo 2^16. An odd byte at the end does not count.
#[must_use]
pub fn sum16(bytes: &[u8]) -> u16 {
    let words = bytes.chunks_exact(2).filter_map(|word| word.try_into().ok());
    words.fold(0, |sum, word| sum.wrapping_add(u16::from_le_bytes(word)))
}

/// Sum of the little-endian words of 32 bits, modulo 2^32. Up to three bytes at the end do not count.
#[must_use]
pub fn sum32(bytes: &[u8]) -> u32 {
    let words = bytes.chunks_exact(4).filter_map(|word| word.try_into().ok());
    words.fold(0, |sum, word| sum.wrapping_add(u32::from_le_bytes(word)))
}

/// The slot of a disk in a near-2 raid10 that is a mirror over two stripes of `width` disks each: the stripes
/// A and B are the slots A0 B0 A1 B1 …. None when there is no such disk.
#[must_use]
pub fn mirrored_stripes_slot(half: u32, in_stripe: u32, width: u32) -> Option<Slot> {
    let slot = in_stripe.checked_mul(2)?.checked_add(half)?;
    (half < 2 && in_stripe < width).then_some(Slot(slot))
}

/// The opposite of [`mirrored_stripes_slot`]: which half, and where in its stripe.
#[must_use]
pub fn mirrored_stripes_place(slot: Slot) -> (u32, u32) {
    (slot.0 % 2, slot.0 / 2)
}

/// The slot of a disk in a near-2 raid10 that is a stripe over mirrors of two disks: pair by pair. None when
/// there is no such disk.
#[must_use]
pub fn striped_mirrors_slot(pair: u32, in_pair: u32, pairs: u32) -> Option<Slot> {
    let slot = pair.checked_mul(2)?.checked_add(in_pair)?;
    (in_pair < 2 && pair < pairs).then_some(Slot(slot))
}

/// The geometry of a level: near-2 for raid10, `parity` for raid5. None where the level needs a chunk (or a parity
/// layout) and there is none, or where there can not be that many slots.
#[must_use]
pub fn geometry(
    level: Level,
    chunk: Option<ChunkSectors>,
    slots: u32,
    parity: Option<ParityLayout>,
) -> Option<Geometry> {
    let (layout, chunk, possible) = match level {
        Level::Linear | Level::Raid1 => (None, None, slots >= 1),
        Level::Raid0 => (None, Some(chunk?), slots >= 1),
        Level::Raid10 => {
            let near = Layout::Raid10(Raid10Layout::near(2));
            (Some(near), Some(chunk?), slots >= 4 && slots.is_multiple_of(2))
        }
        Level::Raid4 | Level::Raid5 => (Some(Layout::Parity(parity?)), Some(chunk?), slots >= 3),
        Level::Raid6 => (Some(Layout::Parity(parity?)), Some(chunk?), slots >= 4),
    };
    possible.then_some(Geometry { level, layout, chunk, slots })
}

/// Into how many parts the size of an array is divided, one for each member that holds data of its own; 1 for
/// linear, whose members differ.
#[must_use]
pub fn data_members(level: Level, slots: u32) -> u64 {
    u64::from(match level {
        Level::Linear | Level::Raid1 => 1,
        Level::Raid0 => slots,
        Level::Raid10 => slots / 2,
        Level::Raid4 | Level::Raid5 | Level::Raid6 => slots.saturating_sub(level.parities()),
    })
}

/// A problem of that code unless the value is the expected one.
#[must_use]
pub fn expect<T: PartialEq + std::fmt::Display>(
    problem: fn(&str, String) -> Problem,
    code: &str,
    field: &str,
    found: T,
    expected: T,
) -> Option<Problem> {
    (found != expected).then(|| problem(code, format!("{field} is {found}, expected {expected}")))
}

/// The names of the bits that are set, and the bits without a name; none when no bit is set.
#[must_use]
pub fn flags(value: u32, names: &[(u32, &str)]) -> Option<String> {
    let set = names.iter().filter(|(bit, _)| value & bit != 0);
    let unnamed = names.iter().fold(value, |rest, (bit, _)| rest & !bit);
    let words: Vec<String> = set
        .map(|(_, name)| (*name).to_owned())
        .chain((unnamed != 0).then(|| format!("{unnamed:#x}")))
        .collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// The place of metadata of one sector that is so many sectors before the end of its disk, itself counted.
#[derive(Clone, Copy, Debug)]
pub struct Trailer(pub Sectors);

impl Trailer {
    /// Where the sector is on a device; none where the device is too small.
    #[must_use]
    pub fn place(self, device: &Device) -> Option<Bytes> {
        device.length_sectors().checked_sub(self.0).and_then(Sectors::to_bytes)
    }

    /// Where the sector is on a device, and its bytes; none where the device is too small.
    ///
    /// # Errors
    /// The device can not be read there.
    pub fn read(self, device: &Device) -> Result<Option<(Bytes, Vec<u8>)>, DeviceError> {
        let Some(offset) = self.place(device) else { return Ok(None) };
        Ok(device.read(offset, SECTOR_LENGTH)?.map(|bytes| (offset, bytes)))
    }

    /// The windows of a larger device of which a sector of it would be the metadata: see [`windows_before`]. Of the bytes of
    /// the sector, if they are ours, `shape` says how much of the disk is before it at the least, and the slack.
    ///
    /// # Errors
    /// The device can not be read there.
    pub fn windows(
        self,
        device: &Device,
        at: Bytes,
        shape: impl FnOnce(&[u8]) -> Option<(Sectors, Sectors)>,
    ) -> Result<Vec<Range>, DeviceError> {
        let end = self.0.to_bytes().and_then(|length| at.checked_add(length));
        let end = end.filter(|&end| end <= device.size());
        let (Some(end), Some(bytes)) = (end, device.read(at, SECTOR_LENGTH)?) else { return Ok(Vec::new()) };
        let windows =
            |(least, slack): (Sectors, Sectors)| windows_before(end, least.saturating_add(self.0), slack);
        Ok(shape(&bytes).map(windows).unwrap_or_default())
    }
}

/// Windows that end where the disk ends whose metadata is found somewhere: on a disk image inside something larger, or
/// on a disk that was grown. `end` is where the disk ends. What the metadata speaks of takes at least `least`
/// sectors of the disk; firmware leaves less than `slack` more of them unused, unless the set is smaller than it could be.
#[must_use]
pub fn windows_before(end: Bytes, least: Sectors, slack: Sectors) -> Vec<Range> {
    let mut starts: Vec<u64> = Vec::new();
    if let Some(last) = least.to_bytes().and_then(|least| end.checked_sub(least)) {
        let first = last.saturating_sub(slack.to_bytes().unwrap_or(Bytes::MAX));
        let aligned = last.0 & !(IMAGE_ALIGNMENT - 1);
        starts.extend([aligned].into_iter().filter(|start| *start >= first.0));
        starts.extend([0, last.0]);
    } else {
        // A disk that was cut.
        starts.push(0);
    }
    let mut windows: Vec<Range> = Vec::new();
    for start in starts.into_iter().map(Bytes) {
        let window = Range { offset: start, length: end.saturating_sub(start) };
        if !windows.contains(&window) {
            windows.push(window);
        }
    }
    windows
}

/// Where images inside something larger usually begin.
const IMAGE_ALIGNMENT: u64 = 1 << 20;

/// A set of one volume whose disks are known by their slots, as one of them describes it.
#[derive(Clone, Debug, Default)]
pub struct Positional {
    /// Equal for all members of the set, and for nothing else. It is the uuid of the volume too.
    pub set_id: String,
    /// Name of the dm device.
    pub dm_name: String,
    /// Name on disk, escaped.
    pub name: Option<String>,
    /// Identity of this disk.
    pub member_id: Option<String>,
    /// Update counter.
    pub generation: u64,
    /// What this disk is.
    pub role: Role,
    /// Level, where it is known.
    pub level: Option<Level>,
    /// Geometry; none where it is not one that can be mapped.
    pub geometry: Option<Geometry>,
    /// Size of the array.
    pub size: Sectors,
    /// State of each slot; as many as the set has.
    pub states: Vec<SlotState>,
    /// Slot of this disk, where it has one.
    pub slot: Option<Slot>,
    /// Where the data begins on this disk.
    pub offset: Sectors,
    /// How much of this disk the array uses.
    pub length: Sectors,
    /// How much of this disk is current, while it is being rebuilt.
    pub recovered: Option<Sectors>,
    /// Whether redundancy may be out of step, where the format says something about it.
    pub dirty: Option<bool>,
    /// Redundancy was never computed.
    pub initializing: bool,
    /// Redundancy is valid below this; none when all is.
    pub resync_position: Option<Sectors>,
    /// State in the format's own words.
    pub state: Option<String>,
    /// What is wrong with the set as a whole.
    pub problems: Vec<Problem>,
}

impl Positional {
    /// As many slots as said, all in sync.
    #[must_use]
    pub fn in_sync(slots: u32) -> Vec<SlotState> {
        (0..slots).map(|_| SlotState::InSync).collect()
    }

    /// How the set names the disk in a slot.
    #[must_use]
    pub fn key(slot: Slot) -> DiskKey {
        slot.to_string()
    }

    /// The view of the disk.
    #[must_use]
    pub fn view(self) -> MemberView {
        MemberView {
            set_id: self.set_id.clone(),
            set_name: self.name.clone(),
            member_id: self.member_id.clone(),
            key: self.slot.map(Self::key),
            generation: self.generation,
            role: self.role,
            volumes: vec![self.volume()],
            ..MemberView::default()
        }
    }

    /// The view of the volume alone, for disks that carry several.
    #[must_use]
    pub fn volume(self) -> VolumeView {
        let slots = self.states.iter().enumerate().map(|(slot, state)| {
            let key = Self::key(Slot(u32::try_from(slot).unwrap_or(u32::MAX)));
            SlotView::disk(key, *state)
        });
        let own = OwnPart {
            slot: self.slot,
            offset: self.offset,
            length: self.length,
            available: self.length,
            recovered: self.recovered,
            ..OwnPart::default()
        };
        VolumeView {
            uuid: self.set_id,
            name: self.name,
            dm_name: self.dm_name,
            geometry: self.geometry,
            level: self.level,
            size: self.size,
            slots: slots.collect(),
            own: Some(own),
            dirty: self.dirty,
            initializing: self.initializing,
            resync_position: self.resync_position,
            state: self.state,
            problems: self.problems,
            ..VolumeView::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_dmraid_gives() {
        assert_eq!(set_name("hpt37x", "3467773618"), "hpt37x_deghhhdgbi");
        assert_eq!(set_name("nvidia", "0000000a"), "nvidia_aaaaaaaa");
        assert_eq!(subset_name("nvidia", "0000000a", "0", 1), "nvidia_aaaaaaaa-0");
        assert_eq!(subset_name("sil", "1", "4294967295", 2), "sil_b-ecjejghc95");
        assert_eq!(subset_name("pdc", "7", "12", 1), "pdc_h-b2");
    }

    #[test]
    fn sums_wrap_and_leave_out_what_is_no_whole_word() {
        assert_eq!(sum8(&[0xff, 2]), 1);
        assert_eq!(sum16(&[0xff, 0xff, 2, 0, 9]), 1);
        assert_eq!(sum32(&[0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 9]), 1);
        assert_eq!(sum32(&[]), 0);
    }

    #[test]
    fn sizes_are_cut_to_whole_chunks_of_any_size() {
        assert_eq!(round_down(Sectors(1000), ChunkSectors::new(128)), Sectors(896));
        assert_eq!(round_down(Sectors(1000), ChunkSectors::new(3)), Sectors(999));
        assert_eq!(round_down(Sectors(1000), None), Sectors(1000));
        assert_eq!(share(Sectors(10), 0), Sectors(0));
    }

    #[test]
    fn a_mirror_over_stripes_alternates_between_them() {
        let slots: Vec<_> = [(0, 0), (1, 0), (0, 1), (1, 1)]
            .map(|(half, disk)| mirrored_stripes_slot(half, disk, 2).unwrap().0)
            .to_vec();
        assert_eq!(slots, [0, 1, 2, 3]);
        assert_eq!(mirrored_stripes_place(Slot(3)), (1, 1));
        assert_eq!(mirrored_stripes_slot(2, 0, 2), None);
        assert_eq!(mirrored_stripes_slot(0, 2, 2), None);
        assert_eq!(mirrored_stripes_slot(0, u32::MAX, u32::MAX), None);
        assert_eq!(striped_mirrors_slot(1, 1, 2), Some(Slot(3)));
    }

    #[test]
    fn geometries_without_what_they_need_are_none() {
        let chunk = ChunkSectors::new(128);
        assert!(geometry(Level::Raid0, None, 2, None).is_none());
        assert!(geometry(Level::Raid10, chunk, 3, None).is_none());
        assert!(geometry(Level::Raid5, chunk, 3, None).is_none());
        assert!(geometry(Level::Raid1, chunk, 2, None).unwrap().chunk.is_none());
        let raid10 = geometry(Level::Raid10, chunk, 4, None).unwrap();
        assert_eq!(raid10.layout.unwrap().to_string(), "near-2");
        assert_eq!(data_members(Level::Raid10, 4), 2);
        assert_eq!(data_members(Level::Raid5, 3), 2);
    }

    #[test]
    fn flags_have_names_or_are_numbers() {
        let names = [(1, "ONE"), (4, "FOUR")];
        assert_eq!(flags(5, &names).unwrap(), "ONE, FOUR");
        assert_eq!(flags(0x12, &names).unwrap(), "0x12");
        assert_eq!(flags(0, &names), None);
    }

    #[test]
    fn windows_end_with_the_disk_and_hold_what_the_metadata_speaks_of() {
        let windows = |end, least, slack| {
            let windows = windows_before(Bytes(end), Sectors(least), Sectors(slack));
            windows.into_iter().map(|window| (window.offset.0, window.length.0)).collect::<Vec<_>>()
        };
        let mib = 1 << 20;
        assert_eq!(
            windows(8 * mib, 16_000, 1000),
            [(0, 8 * mib)].into_iter().chain([(196_608, 8_192_000)]).collect::<Vec<_>>()
        );
        assert_eq!(windows(8 * mib, 8000, 1000).first(), Some(&(4 * mib, 4 * mib)));
        assert_eq!(windows(8 * mib, 17_000, 1000), [(0, 8 * mib)]);
        assert_eq!(windows(u64::MAX, u64::MAX, 9), [(0, u64::MAX)]);
    }

    #[test]
    fn a_disk_known_by_its_slot_has_a_view_of_all_slots() {
        let set = Positional {
            set_id: "s".to_owned(),
            states: Positional::in_sync(2),
            slot: Some(Slot(1)),
            length: Sectors(8),
            ..Positional::default()
        };
        let view = set.view();
        let volume = view.volumes.first().unwrap();
        assert_eq!(view.key, volume.slots.get(1).unwrap().key);
        assert_eq!(volume.own.as_ref().unwrap().length, Sectors(8));
    }
}

//! Parity against data: everything of a stripe is at the same sectors of all members.

use super::finding::{Finding, Segment, Unreadable};
use super::locate::{Located, Stripe};
use super::memory::Memory;
use super::{Scrub, slots_of};
use raid_meta::units::{SECTOR_BYTES, SECTOR_LENGTH, Sectors, Slot};
use raid_table::layout::{Content, Map, Role, Row};
use raid_table::parity::{self, Access};

/// Sectors in which verdicts support each other, and the least that is tried where something can not be read.
pub(super) const PAGE_SECTORS: u64 = 8;
/// Where fewer bytes of a sector differ, what they say alone is not enough against others of its page.
const FEW_BYTES: usize = 3;

/// Where the last stripe of the array ends, in member sectors.
pub(super) fn end(map: &Map) -> u64 {
    let used = map.used(Slot(0)).0;
    let per_row = chunk(map).saturating_mul(u64::from(map.row(0).map_or(1, |row| row.data_slots())));
    map.size().0.div_ceil(per_row.max(1)).saturating_mul(chunk(map)).min(used)
}

fn chunk(map: &Map) -> u64 {
    map.geometry().chunk.map_or(1, |chunk| chunk.sectors().0)
}

impl<'a> Scrub<'a> {
    /// Compares the member sectors `[start, end)`.
    pub(super) fn compare_stripes(
        &self,
        start: u64,
        end: u64,
        memory: &mut Memory<'a>,
        segment: &mut Segment,
    ) {
        let most = memory.slice() as u64 / SECTOR_BYTES;
        let mut at = start;
        while at < end {
            let (trusted, run) = self.trusted(at);
            let length = run.min(most).min(end - at);
            if let Some(there) = self.stripes_in_holes(at, length, &trusted, memory) {
                segment.compared = segment.compared.saturating_add(Sectors(length * there));
                at += length;
                continue;
            }
            let wide = run.min(memory.view() as u64 / SECTOR_BYTES).min(end - at);
            if let Some(seen) = self.stripes_in_memory(at, wide, &trusted, memory) {
                segment.append(seen);
                at += wide;
                continue;
            }
            self.compare_window(at, length, trusted, memory, segment);
            at += length;
        }
    }

    pub(super) fn stripes_in_memory(
        &self,
        at: u64,
        length: u64,
        trusted: &[bool],
        memory: &mut Memory<'a>,
    ) -> Option<Segment> {
        let place = |(slot, trusted): (Slot, &bool)| match trusted {
            true => self.columns.in_file(slot, Sectors(at), Sectors(length)).map(Some),
            false => Some(None),
        };
        let places: Vec<_> = (0..).map(Slot).zip(trusted).map(place).collect::<Option<_>>()?;
        Self::compare_in_memory(&places, Sectors(length), memory, |parts, seen| {
            self.compare_rows(at, length, (parts, Access::Streamed), seen);
        })
    }

    /// Where enough members to be compared are trusted and all are holes, how many they are.
    fn stripes_in_holes(
        &self,
        at: u64,
        length: u64,
        trusted: &[bool],
        memory: &mut Memory<'a>,
    ) -> Option<u64> {
        let mut there = 0;
        for (slot, _) in (0..).map(Slot).zip(trusted).filter(|(_, trusted)| **trusted) {
            if !memory.holes.has(&self.columns, slot, Sectors(at), Sectors(length)) {
                return None;
            }
            there += 1;
        }
        let parities = self.columns.map().geometry().level.parities() as usize;
        (trusted.len() - there < parities).then_some(there as u64)
    }

    /// Which members may be believed at a sector, and for how long this holds for all of them.
    pub(super) fn trusted(&self, sector: u64) -> (Vec<bool>, u64) {
        let states = slots_of(&self.columns).map(|slot| self.columns.trust(slot, Sectors(sector)));
        let states: Vec<(bool, Sectors)> = states.collect();
        let run = states.iter().map(|(_, run)| run.0).min().unwrap_or(u64::MAX);
        (states.into_iter().map(|(trusted, _)| trusted).collect(), run.max(1))
    }

    /// Reads sectors of all members that are trusted, and compares them. Where one can not be read, the halves are
    /// tried, down to a page.
    fn compare_window(
        &self,
        at: u64,
        length: u64,
        trusted: Vec<bool>,
        memory: &mut Memory<'a>,
        segment: &mut Segment,
    ) {
        let mut present = trusted;
        let mut failed = Vec::new();
        let bytes = usize::try_from(length * SECTOR_BYTES).unwrap_or_default();
        for ((slot, present), buffer) in (0..).map(Slot).zip(&mut present).zip(memory.columns_mut(bytes)) {
            if *present && let Err(error) = self.columns.read(slot, Sectors(at), buffer) {
                *present = false;
                failed.push(Unreadable {
                    slot,
                    sector: Sectors(at),
                    length: Sectors(length),
                    reason: error.to_string(),
                });
            }
        }
        if !failed.is_empty() && length > PAGE_SECTORS {
            let half = (length / 2).next_multiple_of(PAGE_SECTORS).min(length - 1);
            for unreadable in &failed {
                if let Some(present) = present.get_mut(unreadable.slot.index()) {
                    *present = true;
                }
            }
            self.compare_window(at, half, present.clone(), memory, segment);
            return self.compare_window(at + half, length - half, present, memory, segment);
        }
        for unreadable in failed {
            segment.add_unreadable(unreadable);
        }
        let access = memory.access();
        let columns = memory.columns(bytes).into_iter().zip(present);
        let columns: Vec<_> = columns.map(|(column, present)| present.then_some(column)).collect();
        self.compare_rows(at, length, (&columns, access), segment);
    }

    fn compare_rows(
        &self,
        at: u64,
        length: u64,
        (columns, access): (&[Option<&[u8]>], Access),
        segment: &mut Segment,
    ) {
        let map = self.columns.map();
        let chunk = chunk(map);
        let there = columns.iter().flatten().count() as u64;
        let mut done = 0;
        while done < length {
            let sector = at + done;
            let piece = (chunk - sector % chunk).min(length - done);
            let Some(row) = map.row(sector / chunk) else { return };
            let range = slice_of(done)..slice_of(done + piece);
            let blocks = columns.iter().map(|column| column.and_then(|column| column.get(range.clone())));
            let blocks: Vec<Option<&[u8]>> = blocks.collect();
            match agrees(&row, &blocks, access) {
                None => segment.unchecked = segment.unchecked.saturating_add(Sectors(piece * self.width)),
                Some(true) => segment.compared = segment.compared.saturating_add(Sectors(piece * there)),
                Some(false) => {
                    segment.compared = segment.compared.saturating_add(Sectors(piece * there));
                    self.find(&row, sector, &blocks, segment);
                }
            }
            done += piece;
        }
    }

    /// Looks at a piece of a stripe that does not agree, sector by sector.
    fn find(&self, row: &Row, first: u64, blocks: &[Option<&[u8]>], segment: &mut Segment) {
        let stripe = Stripe::new(row, self.options.trust_data);
        let length = blocks.iter().flatten().next().map_or(0, |block| block.len() / SECTOR_LENGTH) as u64;
        let mut page = Vec::new();
        for number in 0..length {
            let range = slice_of(number)..slice_of(number + 1);
            // Others may write to an image that is looked at: all is concluded from one state of it.
            let sector = blocks
                .iter()
                .map(|block| block.and_then(|block| block.get(range.clone())).map(<[u8]>::to_vec));
            let sector: Vec<Option<Vec<u8>>> = sector.collect();
            let sector: Vec<Option<&[u8]>> = sector.iter().map(Option::as_deref).collect();
            page.push((first + number, stripe.locate(&sector, Sectors(first + number))));
            if (first + number + 1).is_multiple_of(PAGE_SECTORS) || number + 1 == length {
                self.add_page(row, std::mem::take(&mut page), segment);
            }
        }
    }

    fn add_page(&self, row: &Row, page: Vec<(u64, Located)>, segment: &mut Segment) {
        let doubt = |located: &Located| {
            let others = page.iter().map(|(_, other)| other).filter(|other| !other.agrees());
            located.bytes < FEW_BYTES && others.into_iter().any(|other| other.wrong != located.wrong)
        };
        let doubtful: Vec<bool> = page.iter().map(|(_, located)| doubt(located)).collect();
        for ((sector, located), doubtful) in page.into_iter().zip(doubtful) {
            if located.agrees() {
                continue;
            }
            let (wrong, repairs) = if doubtful || self.is_beyond(sector) {
                (None, located.from_data)
            } else {
                (located.wrong, located.repairs)
            };
            let array = match wrong {
                Some((slot, raid_meta::record::PlaceRole::Data)) => {
                    self.array_sectors(std::iter::once(slot), sector)
                }
                _ => {
                    self.array_sectors((0..row.data_slots()).filter_map(|index| row.data_slot(index)), sector)
                }
            };
            segment.add(Finding {
                stripe: Some(row.stripe()),
                wrong,
                sector: Some(Sectors(sector)),
                length: Sectors(1),
                array,
                repairs,
            });
        }
    }

    fn array_sectors(&self, slots: impl Iterator<Item = Slot>, sector: u64) -> Vec<Sectors> {
        let content = slots.filter_map(|slot| self.columns.map().reverse(slot, Sectors(sector)));
        content
            .filter_map(|content| match content {
                Content::Data { array_sector, .. } => Some(array_sector),
                Content::P { .. } | Content::Q { .. } => None,
            })
            .collect()
    }
}

fn slice_of(sectors: u64) -> usize {
    usize::try_from(sectors * SECTOR_BYTES).unwrap_or(usize::MAX)
}

/// Whether what there is of a stripe agrees with itself; none where there is nothing to compare.
fn agrees(row: &Row, blocks: &[Option<&[u8]>], access: Access) -> Option<bool> {
    let stripe = parity::Stripe::new(row, blocks);
    match (missing_data(row, blocks), stripe.p, stripe.q) {
        (0, None, None) => None,
        (0, ..) => {
            let agreement = stripe.agreement(access);
            Some(agreement.p && agreement.q)
        }
        (1, Some(_), Some(q)) => Some(q == expected_q(row, blocks)?),
        _ => None,
    }
}

/// Number of data blocks that are not there.
pub(super) fn missing_data(row: &Row, blocks: &[Option<&[u8]>]) -> usize {
    let roles = row.roles().zip(blocks);
    roles.filter(|(role, block)| matches!(role, Role::Data { .. }) && block.is_none()).count()
}

/// Q as all the other blocks have it.
pub(super) fn expected_q(row: &Row, blocks: &[Option<&[u8]>]) -> Option<Vec<u8>> {
    let slot = row.q()?;
    let stored = blocks.get(slot.index()).copied().flatten()?;
    let others: Vec<Option<&[u8]>> =
        (0..).map(Slot).zip(blocks).map(|(other, block)| block.filter(|_| other != slot)).collect();
    let mut expected = vec![0; stored.len()];
    parity::recover(row, &others, slot, &mut expected).ok().map(|()| expected)
}

//! Metadata anywhere in a device: a disk image inside a bigger file, a disk that was grown, a lost partition table, the
//! remains of an earlier life.
//!
//! One pass reads the device and looks for the signatures of all formats at every sector of 512 bytes
//! (`finder`); what is in no multiple of that from the start is not found. For each hit the format says in which
//! windows of the device its metadata would be where it belongs ([`Format::windows`]), and is asked what it finds
//! there. What is sound, holds the hit, and rests on more than the signature becomes a [`Member`] of that window. A
//! signature that is part of metadata known already costs nothing more.
//!
//! On any input the work is bounded: for each format, a number of fruitless hits that grows with what was read
//! (`FRUITLESS`), and for a device a number of members and of bytes of metadata. What is left out is said.

mod finder;
mod known;
mod reader;
#[cfg(test)]
mod tests;

use crate::device::{CachedDisk, Device, DeviceError, ReadAt};
use crate::format::{Format, Range};
use crate::identify::{Member, identify};
use crate::record::{Evidence, Problem};
use crate::units::{Bytes, SECTOR_BYTES};
use finder::{Finder, Hit};
use known::Known;
use std::sync::Arc;

/// Hits of one format that may lead to nothing before the search has gone far. Beyond them, one more for every
/// 512 KiB read; random bytes have a signature of two bytes once in 32 MiB.
const FRUITLESS: u64 = 1024;
const BYTES_FOR_ONE_MORE: u64 = 512 << 10;
/// Members that are found on one device.
const MAX_MEMBERS: usize = 1024;
/// Bytes of metadata that all of them have together.
const MAX_METADATA: u64 = 64 << 20;
/// Windows that are tried for a hit.
const MAX_WINDOWS: usize = 8;
/// Reads that failed, as far as they are told one by one.
const MAX_ERRORS: usize = 16;

/// What a search takes from outside.
pub struct Watch<'a> {
    /// Is told how far the search is, from the start of the device.
    pub progress: &'a mut dyn FnMut(&Device, Bytes),
    /// The serial number of the disk whose image begins at a place of a device, where that is known.
    pub serial: &'a dyn Fn(&Device, Bytes) -> Option<String>,
}

/// What was found in a device.
#[derive(Debug, Default)]
pub struct Carved {
    /// The members, in the order of their metadata; each in its window of the device.
    pub members: Vec<Member>,
    /// What was left out.
    pub incomplete: Vec<Problem>,
    /// What could not be read.
    pub errors: Vec<DeviceError>,
}

/// Searches a device for metadata of these formats. `known` are members of it that were found where their metadata
/// belongs: they are not reported again, and get a problem where another window would fit them better.
pub fn carve(
    device: &Device,
    formats: &[&'static dyn Format],
    known: &mut [Member],
    watch: &mut Watch<'_>,
) -> Carved {
    let finder = Finder::new(formats);
    let mut search = Search {
        device,
        formats,
        fruitless: vec![0; formats.len()],
        known: Known::default(),
        metadata: 0,
        is_full: false,
        carved: Carved::default(),
    };
    if finder.is_empty() {
        return search.carved;
    }
    let mut hits = Vec::new();
    let mut errors = Vec::new();
    reader::read_all(device, &mut errors, |at, buffer| {
        hits.clear();
        finder.search(buffer, &mut hits);
        for hit in &hits {
            search.look_at(hit, at, known, watch);
        }
        (watch.progress)(device, at.saturating_add(Bytes(buffer.len() as u64)));
    });
    (watch.progress)(device, device.size());
    for error in errors {
        search.failed(error);
    }
    search.carved
}

/// A search that is going on.
struct Search<'a> {
    device: &'a Device,
    formats: &'a [&'static dyn Format],
    /// Hits that led to nothing, by format.
    fruitless: Vec<u64>,
    known: Known,
    /// Bytes of metadata found.
    metadata: u64,
    is_full: bool,
    carved: Carved,
}

impl Search<'_> {
    /// Follows a hit in a buffer that was read at `base`.
    fn look_at(&mut self, hit: &Hit, base: Bytes, normal: &mut [Member], watch: &Watch<'_>) {
        let Some(format) = self.formats.get(hit.format).copied() else { return };
        let at = base.saturating_add(Bytes((hit.sector as u64).saturating_mul(SECTOR_BYTES)));
        let disk_at = self.device.offset().saturating_add(at);
        if self.known.holds(format, disk_at) || !self.may_follow(hit.format, format, at) {
            return;
        }
        match self.follow(format, at, watch) {
            Ok(Some(member)) => self.add(member, normal),
            Ok(None) => match normal.iter().find(|member| known::holds(member, format, disk_at)) {
                Some(member) => self.known.add(member),
                None => self.count_fruitless(hit.format),
            },
            Err(error) => self.failed(error),
        }
    }

    fn count_fruitless(&mut self, number: usize) {
        if let Some(count) = self.fruitless.get_mut(number) {
            *count = count.saturating_add(1);
        }
    }

    /// Whether the limits allow to follow another hit of the format. The first that they do not is told.
    fn may_follow(&mut self, number: usize, format: &dyn Format, at: Bytes) -> bool {
        let allowed = FRUITLESS.saturating_add(at.0 / BYTES_FOR_ONE_MORE);
        let count = self.fruitless.get(number).copied().unwrap_or_default();
        if !self.is_full && count < allowed {
            return true;
        }
        let why = if self.is_full {
            "no more metadata is taken from one device".to_owned()
        } else {
            format!("{count} signatures before it led to nothing")
        };
        let code = if self.is_full { "carve-full" } else { "carve-limit" };
        let name = format.name();
        let is_told =
            |problem: &Problem| problem.code == code && (self.is_full || problem.message.contains(name));
        if !self.carved.incomplete.iter().any(is_told) {
            let device = self.device.label();
            let message = format!("{device}: signatures of {name} from byte {at} on are not followed: {why}");
            self.carved.incomplete.push(Problem::warning(code, message));
        }
        false
    }

    /// The best of what the format finds in the windows that it names for a signature.
    fn follow(
        &self,
        format: &'static dyn Format,
        at: Bytes,
        watch: &Watch<'_>,
    ) -> Result<Option<Member>, DeviceError> {
        let cache = self.device.through(Arc::new(CachedDisk::new(Arc::clone(self.device.disk()))));
        let mut best: Option<Member> = None;
        let mut others = Vec::new();
        for range in format.windows(&cache, at)?.into_iter().take(MAX_WINDOWS) {
            let Some(window) = window(&cache, range, watch) else { continue };
            let disk_at = self.device.offset().saturating_add(at);
            for member in identify(&window, &[format])? {
                if !is_believed(&member) || !known::holds(&member, format, disk_at) {
                    continue;
                }
                others.push((window.offset(), window.size()));
                if best.as_ref().is_none_or(|best| !best.data_fits() && member.data_fits()) {
                    best = Some(member);
                }
            }
        }
        Ok(best.map(|member| carved(member, &others)))
    }

    fn add(&mut self, member: Member, normal: &mut [Member]) {
        let length: u64 = known::areas(&member).map(|(start, end)| end.saturating_sub(start)).sum();
        self.metadata = self.metadata.saturating_add(length);
        self.known.add(&member);
        let same = |other: &&mut Member| other.is_sound() && known::is_same(other, &member);
        if let Some(twin) = normal.iter_mut().find(same) {
            return compare_windows(twin, &member);
        }
        let device = member.device.through(Arc::clone(self.device.disk()));
        self.carved.members.push(Member { device, ..member });
        self.is_full = self.carved.members.len() >= MAX_MEMBERS || self.metadata >= MAX_METADATA;
    }

    fn failed(&mut self, error: DeviceError) {
        if self.carved.errors.len() < MAX_ERRORS {
            self.carved.errors.push(error);
        }
    }
}

/// A window in which a format named metadata to be. Where it does not begin with the device, the serial number is not
/// the device's.
fn window(device: &Device, range: Range, watch: &Watch<'_>) -> Option<Device> {
    if !range.offset.0.is_multiple_of(SECTOR_BYTES) {
        return None;
    }
    let window = device.window(range.offset, range.length)?;
    if range.offset.is_zero() {
        return Some(window);
    }
    let serial = (watch.serial)(device, window.offset());
    Some(window.with_serial(serial))
}

/// Whether a find rests on more than the signature.
fn is_believed(member: &Member) -> bool {
    let more = |evidence: &Evidence| *evidence != Evidence::Signature;
    member.is_sound() && member.evidence.iter().any(more)
}

/// Says of a member how it was found, and in which other windows it would be as sound.
fn carved(mut member: Member, windows: &[(Bytes, Bytes)]) -> Member {
    member.carved = true;
    let message = format!("found by its signature at byte {}", member.disk_offset());
    member.add_problem(Problem::note("carved", message));
    let own = (member.device.offset(), member.device.size());
    let others = windows.iter().filter(|window| **window != own);
    let others: Vec<String> = others.map(|(offset, length)| format!("@{offset}+{length}")).collect();
    if !others.is_empty() {
        let message = format!("the device may as well have been {}", others.join(" or "));
        member.add_problem(Problem::note("window-uncertain", message));
    }
    member
}

/// Metadata that is where it belongs on the device, and would be in another window that it says more of.
fn compare_windows(normal: &mut Member, found: &Member) {
    let window = |member: &Member| (member.device.offset(), member.device.size());
    let (offset, length) = window(found);
    if window(normal) != (offset, length) && found.data_fits() {
        let message = format!("by what it says, the metadata belongs to the window @{offset}+{length}");
        normal.add_problem(Problem::warning("window-uncertain", message));
    }
}

//! Parts of several images side by side, as the system has them in memory: compared there, without a copy.
//!
//! Only what is in memory already is looked at; the rest is better read in large requests. A file may become shorter while
//! it is looked at, or a page of it go and not come back from the disk: see [`Watch`]. What was seen counts
//! only if [`Views::are_true`] says so afterwards.

use super::watch::{Watch, page_length};
use nix::libc;
use nix::sys::mman::{MapFlags, MmapAdvise, ProtFlags, madvise, mmap, mmap_anonymous, munmap};
use nix::sys::stat::fstat;
use raid_meta::units::Bytes;
use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;

/// Part of a file: which, and from where on.
pub(super) type Place<'a> = (BorrowedFd<'a>, Bytes);

/// Bytes of a file that are given addresses at a time: to give them stops all threads for a moment.
const BLOCK: usize = 64 << 20;

/// Room in the address space for a part of each of several files.
pub(super) struct Views<'a> {
    /// None when it had to be given up.
    range: Option<WatchedRoom>,
    /// What is shown, and where it ends.
    shown: Vec<Place<'a>>,
    /// What has addresses in each part's share of the room.
    blocks: Vec<Option<Place<'a>>>,
    /// The share of each.
    stride: NonZeroUsize,
    most: usize,
    page: usize,
}

#[allow(unsafe_code, reason = "mapping files; everything is mapped within the room, which the value owns")]
impl<'a> Views<'a> {
    /// Room for so many parts of at most `most` bytes each; none where the system has none.
    pub(super) fn new(count: usize, most: usize) -> Option<Self> {
        let page = page_length()?;
        // A part begins anywhere in the first page.
        let stride = BLOCK.checked_add(most)?.checked_next_multiple_of(page)?.checked_add(page)?;
        let stride = NonZeroUsize::new(stride)?;
        let room = Room::new(NonZeroUsize::new(stride.get().checked_mul(count)?)?)?;
        let watch = Watch::new(room.start.addr().get(), room.length.get())?;
        let range = Some(WatchedRoom { watch, room });
        Some(Self { range, shown: Vec::new(), blocks: vec![None; count], stride, most, page })
    }

    /// Bytes of a part, at most.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// Parts of `length` bytes in place of those that were shown before; none where one is not in memory or can not be
    /// shown. Where there is no place, there is no part.
    pub(super) fn show(&mut self, places: &[Option<Place<'a>>], length: usize) -> Option<Vec<Option<&[u8]>>> {
        if length == 0 || length > self.most || places.len() > self.blocks.len() {
            return None;
        }
        self.forget()?;
        let end = |(file, offset): &Place<'a>| (*file, offset.saturating_add(Bytes(length as u64)));
        self.shown = places.iter().flatten().map(end).collect();
        let mut starts = Vec::with_capacity(places.len());
        for (number, place) in places.iter().enumerate() {
            let start = match place {
                Some(place) => Some(self.start(number, *place, length)?),
                None => None,
            };
            starts.push(start);
        }
        // SAFETY: `length` readable bytes from each start on, which stay there until `self` is borrowed mutably again:
        // a page that can not be had any more is replaced by zeros. Others may write to the file: what is done with
        // the bytes does not rely on their being the same when read twice.
        let part = |start: NonNull<u8>| unsafe { NonNull::slice_from_raw_parts(start, length).as_ref() };
        Some(starts.into_iter().map(|start| start.map(part)).collect())
    }

    /// Whether all that was seen of the parts since they were shown is what the files hold.
    pub(super) fn are_true(&self) -> bool {
        // What a file lost of its last page reads as zeros without a word.
        let is_there = |(file, end): &Place<'_>| {
            fstat(file).is_ok_and(|status| u64::try_from(status.st_size).is_ok_and(|size| size >= end.0))
        };
        self.range.as_ref().is_some_and(|range| !range.watch.is_broken()) && self.shown.iter().all(is_there)
    }

    /// Where the room begins; none when it was given up.
    fn room(&self) -> Option<NonNull<c_void>> {
        self.range.as_ref().map(|range| range.room.start)
    }

    /// Looks at nothing from now on. What could not be mapped over may not be ours any more: the addresses are not used
    /// again, and not given back.
    fn give_up(&mut self) {
        self.blocks.fill(None);
        if let Some(WatchedRoom { watch, room }) = self.range.take() {
            drop(watch);
            std::mem::forget(room);
        }
    }

    /// Where a part begins, which is in the table of pages from now on.
    fn start(&mut self, number: usize, (file, offset): Place<'a>, length: usize) -> Option<NonNull<u8>> {
        let block = self.block(number, (file, offset), length)?;
        let at = usize::try_from(offset.0.checked_sub(block.0)?).ok()?;
        let share = number.checked_mul(self.stride.get())?;
        let room = self.room()?;
        let byte = room.map_addr(|room| room.saturating_add(share + at));
        let lead = at % self.page;
        let first = room.map_addr(|room| room.saturating_add(share + at - lead));
        let pages = (lead + length).next_multiple_of(self.page);
        let last = first.map_addr(|first| first.saturating_add(pages - self.page));
        if !self.is_in_memory(first) || !self.is_in_memory(last) {
            return None;
        }
        // SAFETY: what is mapped there; only pages are read in. Fails, unlike a read, where a page can not be had.
        unsafe { madvise(first, pages, MmapAdvise::MADV_POPULATE_READ) }.ok()?;
        Some(byte.cast())
    }

    /// Gives addresses to a part and what follows it, if it has none; where in the file they begin.
    fn block(&mut self, number: usize, (file, offset): Place<'a>, length: usize) -> Option<Bytes> {
        let room = self.room()?;
        let block = self.blocks.get_mut(number)?;
        let end = offset.checked_add(Bytes(length as u64))?;
        let there = block.filter(|(known, start)| {
            let is_within = *start <= offset && end.saturating_sub(*start).0 <= self.stride.get() as u64;
            known.as_raw_fd() == file.as_raw_fd() && is_within
        });
        if let Some((_, start)) = there {
            return Some(start);
        }
        *block = None;
        let start = Bytes(offset.0 / self.page as u64 * self.page as u64);
        let share = number.checked_mul(self.stride.get())?;
        let at = room.addr().checked_add(share)?;
        let flags = MapFlags::MAP_SHARED | MapFlags::MAP_FIXED;
        let from = i64::try_from(start.0).ok()?;
        // SAFETY: the share of the part, within the room; no part is borrowed.
        if unsafe { mmap(Some(at), self.stride, ProtFlags::PROT_READ, flags, file, from) }.is_err() {
            self.give_up();
            return None;
        }
        *block = Some((file, start));
        Some(start)
    }

    /// Whether a page of a file need not be read first.
    fn is_in_memory(&self, page: NonNull<c_void>) -> bool {
        let mut resident = 0;
        // SAFETY: a page that is mapped, and the one byte that is written for it.
        let answer = unsafe { libc::mincore(page.as_ptr(), self.page, &raw mut resident) };
        answer == 0 && resident & 1 != 0
    }

    /// Nothing is shown any more. All at once, since every time costs all processors.
    fn forget(&mut self) -> Option<()> {
        let WatchedRoom { watch, room } = self.range.as_mut()?;
        if !watch.is_broken() {
            // SAFETY: files, which stay as they are, and nothing; no part is borrowed.
            return unsafe { madvise(room.start, room.length.get(), MmapAdvise::MADV_DONTNEED) }.ok();
        }
        if room.clear().is_none() {
            self.give_up();
            return None;
        }
        watch.mend();
        self.blocks.fill(None);
        Some(())
    }
}

/// A room, and the watch of it, which ends before others can have the addresses.
struct WatchedRoom {
    watch: Watch,
    room: Room,
}

/// Part of the address space.
struct Room {
    start: NonNull<c_void>,
    length: NonZeroUsize,
}

const NOTHING: MapFlags = MapFlags::MAP_PRIVATE.union(MapFlags::MAP_NORESERVE);

#[allow(unsafe_code, reason = "mapping nothing, where nothing is or in what the value owns")]
impl Room {
    fn new(length: NonZeroUsize) -> Option<Self> {
        // SAFETY: a new range, where the system likes.
        let start = unsafe { mmap_anonymous(None, length, ProtFlags::PROT_NONE, NOTHING) }.ok()?;
        Some(Self { start, length })
    }

    /// Nothing is mapped there any more.
    fn clear(&mut self) -> Option<()> {
        let flags = NOTHING.union(MapFlags::MAP_FIXED);
        // SAFETY: the room, which nobody looks at: it is borrowed mutably.
        unsafe { mmap_anonymous(Some(self.start.addr()), self.length, ProtFlags::PROT_NONE, flags) }.ok()?;
        Some(())
    }
}

#[allow(unsafe_code, reason = "unmapping what the value owns")]
impl Drop for Room {
    fn drop(&mut self) {
        // SAFETY: the room, which nobody looks at any more.
        let _ = unsafe { munmap(self.start, self.length.get()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::os::fd::AsFd;
    use std::os::unix::fs::FileExt;

    const LENGTH: usize = 1 << 20;

    fn image() -> (File, Vec<u8>) {
        let content: Vec<u8> = (0..2 * LENGTH).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&content, 0).unwrap();
        (file, content)
    }

    #[test]
    fn parts_are_what_the_files_hold_at_any_place() {
        let (file, content) = image();
        let mut views = Views::new(3, LENGTH).unwrap();
        for offset in [0, 512, 4096, 5000, LENGTH - 1, LENGTH] {
            for length in [1, 512, 4096, LENGTH] {
                let places = [
                    Some((file.as_fd(), Bytes(offset as u64))),
                    None,
                    Some((file.as_fd(), Bytes(LENGTH as u64 / 2))),
                ];
                let parts = views.show(&places, length).unwrap();
                assert!(parts[0] == Some(&content[offset..offset + length]), "{offset}+{length}");
                assert!(parts[1].is_none());
                assert!(parts[2] == Some(&content[LENGTH / 2..LENGTH / 2 + length]), "{offset}+{length}");
                assert!(views.are_true());
            }
        }
    }

    #[test]
    fn parts_far_from_each_other_in_a_large_file_are_shown_one_after_the_other() {
        let (_, content) = image();
        let file = tempfile::tempfile().unwrap();
        let mut views = Views::new(2, LENGTH).unwrap();
        let places = [0, BLOCK as u64 - 77, BLOCK as u64 + 4096, 3 * BLOCK as u64 + 512, 1];
        for offset in places {
            file.write_all_at(&content[..LENGTH + 4096], offset).unwrap();
            let parts = views.show(&[None, Some((file.as_fd(), Bytes(offset)))], LENGTH).unwrap();
            assert!(parts[1] == Some(&content[..LENGTH]), "{offset}");
        }
        assert!(views.are_true());
    }

    #[test]
    fn what_does_not_fit_and_what_is_past_the_end_is_not_shown() {
        let (file, _) = image();
        let mut views = Views::new(1, LENGTH).unwrap();
        let place = Some((file.as_fd(), Bytes(0)));
        assert!(views.show(&[place], LENGTH + 1).is_none());
        assert!(views.show(&[place, place], LENGTH).is_none());
        assert!(views.show(&[Some((file.as_fd(), Bytes(LENGTH as u64 + 4096)))], LENGTH).is_none());
        assert!(views.show(&[place], LENGTH).is_some());
    }

    #[test]
    fn a_hole_is_not_in_memory() {
        let file = tempfile::tempfile_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        file.set_len(LENGTH as u64).unwrap();
        let mut views = Views::new(1, LENGTH).unwrap();
        assert!(views.show(&[Some((file.as_fd(), Bytes(0)))], LENGTH).is_none());
    }

    #[test]
    fn a_file_that_becomes_shorter_while_it_is_looked_at_is_zeros_and_that_is_said() {
        let (file, content) = image();
        let (other, _) = image();
        let mut views = Views::new(2, LENGTH).unwrap();
        let mut others = Views::new(1, LENGTH).unwrap();
        let places = [Some((file.as_fd(), Bytes(0))), Some((other.as_fd(), Bytes(0)))];
        let _ = others.show(&places[1..], LENGTH).unwrap();
        let parts = views.show(&places, LENGTH).unwrap();
        file.set_len(8192).unwrap();
        let (cut, whole) = (parts[0].unwrap(), parts[1].unwrap());
        assert!(cut[..8192] == content[..8192]);
        assert!(cut[8192..].iter().all(|byte| *byte == 0));
        assert!(*whole == content[..LENGTH]);
        assert!(!views.are_true());
        assert!(others.are_true());
        assert!(views.show(&places, LENGTH).is_none());
        assert!(views.show(&places[1..], LENGTH).is_some());
        assert!(views.are_true());
    }
}

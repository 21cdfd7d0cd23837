//! What has to hold for whatever is found on any device.

use crate::image::Image;
use raid_meta::device::{Device, ReadAt};
use raid_meta::edit::transition;
use raid_meta::format::transition::{Present, Transition};
use raid_meta::format::{Format, Metadata};
use raid_meta::model::{Area, MemberView};
use raid_meta::units::Bytes;

/// Bytes of a device that a history may name areas of.
const MAX_HISTORY: usize = 4096;

/// What may be read of a disk to find and decode the metadata of one format on it, and for its history.
const MAX_READ: u64 = 64 << 20;

/// Asks a format about a disk, and about the disk after all checksums have been made right, so that what lies behind them
/// is reached too.
pub fn format(format: &'static dyn Format, image: &Image) {
    let mended = found(format, &image.clone().device("disk"), image);
    if let Some(mended) = mended {
        found(format, &mended.clone().device("disk"), &mended);
    }
}

/// Asks a format about a disk; the disk with the checksums of all that was found made right.
fn found(format: &'static dyn Format, device: &Device, image: &Image) -> Option<Image> {
    let mut mended = None;
    let before = image.read_so_far();
    let finds = format.find(device).expect("a disk in memory can be read");
    let read = image.read_so_far() - before;
    assert!(read <= MAX_READ, "{} reads {read} bytes", format.name());
    for found in finds {
        for problem in &found.problems {
            is_clean(&problem.message);
        }
        let Some(metadata) = found.metadata else { continue };
        metadata_holds(metadata.as_ref(), device);
        transitions_hold(format, &metadata.view(device), device);
        let mut areas = metadata.areas();
        metadata.seal(&mut areas);
        let image = mended.get_or_insert_with(|| image.clone());
        for area in areas {
            image.write(area.offset.0, &area.bytes);
        }
    }
    let before = image.read_so_far();
    let history = format.history(device).expect("a disk in memory can be read");
    let read = image.read_so_far() - before;
    assert!(read <= MAX_READ, "{} reads {read} bytes for its history", format.name());
    assert!(history.len() <= MAX_HISTORY, "{} generations", history.len());
    history.iter().flat_map(|generation| &generation.description).for_each(|text| is_clean(text));
    mended
}

/// What is recorded when a volume is opened or closed, with this disk alone, is inside of the disk and sound.
fn transitions_hold(format: &'static dyn Format, view: &MemberView, device: &Device) {
    for (volume, in_sync) in view.volumes.iter().flat_map(|volume| [(volume, true), (volume, false)]) {
        for to in [Transition::Open, Transition::Close] {
            let members = [Present { device: device.clone(), in_sync }];
            match transition(format, &volume.uuid, &members, to, 0) {
                Ok(plan) => drop(plan),
                Err(error) => is_clean(&error.to_string()),
            }
        }
    }
}

fn metadata_holds(metadata: &dyn Metadata, device: &Device) {
    let areas = metadata.areas();
    for area in &areas {
        is_what_is_there(area, device);
    }
    fields_cover(metadata, &areas);
    for problem in metadata.check() {
        is_clean(&problem.message);
    }
    is_clean(&metadata.version());
    for range in metadata.erasures() {
        let end = range.offset.checked_add(range.length);
        assert!(end.is_some_and(|end| end <= device.size()), "erases {range:?} of {}", device.size());
    }
    let _ = metadata.copies_agree();
    let mut sealed = areas.clone();
    metadata.seal(&mut sealed);
    let place = |area: &Area| (area.offset, area.bytes.len());
    assert!(sealed.iter().map(place).eq(areas.iter().map(place)), "sealing moves nothing");
    view_is_clean(&metadata.view(device));
}

/// What was decoded encodes to the bytes that are on the device.
fn is_what_is_there(area: &Area, device: &Device) {
    let mut bytes = vec![0; area.bytes.len()];
    device.read_exact_at(area.offset, &mut bytes).expect("an area is inside of the device");
    assert!(bytes == area.bytes, "{} at {} encodes to other bytes", area.role, area.offset);
}

/// Every byte of every area is in one field, and no field is elsewhere.
fn fields_cover(metadata: &dyn Metadata, areas: &[Area]) {
    let mut fields: Vec<(u64, u64, String)> = Vec::new();
    for field in metadata.fields() {
        is_clean(&field.name);
        field.meaning.iter().for_each(|text| is_clean(text));
        fields.push((field.offset.0, field.offset.0 + u64::from(field.size), field.name));
    }
    fields.sort_by_key(|field| (field.0, field.1));
    let mut areas: Vec<(u64, u64)> =
        areas.iter().map(|area| (area.offset.0, area.offset.0 + area.bytes.len() as u64)).collect();
    areas.sort_unstable();
    let mut fields = fields.into_iter().filter(|(start, end, _)| start < end).peekable();
    for (start, end) in areas {
        let mut at = start;
        while at < end {
            let Some((from, to, name)) = fields.next() else { panic!("no field from {at} to {end}") };
            assert_eq!(from, at, "field {name}");
            at = to;
        }
        assert_eq!(at, end, "a field goes on behind its area");
    }
    assert_eq!(fields.next(), None, "a field outside of all areas");
}

fn view_is_clean(view: &MemberView) {
    let texts = [&view.set_name, &view.member_id, &view.key].into_iter().flatten();
    texts.chain([&view.set_id]).for_each(|text| is_clean(text));
    for volume in &view.volumes {
        // What has no set has no name.
        let is_named = !volume.dm_name.is_empty() || view.set_id.is_empty();
        assert!(is_named && !volume.dm_name.contains('/'), "{:?}", volume.dm_name);
        is_clean(&volume.dm_name);
        is_clean(&volume.uuid);
        volume.name.iter().for_each(|name| is_clean(name));
        volume.problems.iter().for_each(|problem| is_clean(&problem.message));
    }
    view.problems.iter().for_each(|problem| is_clean(&problem.message));
}

/// Text that can be printed.
pub fn is_clean(text: &str) {
    assert!(!text.chars().any(char::is_control), "{text:?}");
}

/// The places where signatures of a format may be, and its windows for them: inside of the device, and few.
pub fn windows(format: &'static dyn Format, device: &Device) {
    let sectors = device.length_sectors().0;
    let places =
        [0, 1, 8, 9, sectors / 2].into_iter().chain((1..70).map(|back| sectors.saturating_sub(back)));
    for sector in places.filter(|sector| *sector < sectors) {
        let windows = format.windows(device, Bytes(sector * 512)).expect("a disk in memory can be read");
        assert!(windows.len() <= 64, "{} windows", windows.len());
        for window in windows {
            let end = window.offset.checked_add(window.length);
            assert!(end.is_some_and(|end| end <= device.size()), "window {window:?} of {}", device.size());
        }
    }
}

//! The container that a volume is added to: a new one, or the one on the disks.

use super::{NAME, VERSION, halves, padded, refused};
use crate::device::{Device, ReadAt};
use crate::escape::escape;
use crate::format::create::{CreateError, NewSet};
use crate::format::isw::codec::{check_sum, encode_covered};
use crate::format::isw::mpb::{Disk, Header, MAGIC, Mpb, attribute, status};
use crate::format::isw::place::Place;
use crate::format::isw::{carried, names};
use crate::format::schema::DiskStruct;

/// Volumes that firmware takes in one container.
const MOST_VOLUMES: usize = 2;
/// What a spare record has for a generation, and what a container's begins after.
const FIRST_GENERATION: u32 = 1;

/// A container without the new volume.
pub(super) struct Container {
    pub(super) mpb: Mpb,
    pub(super) is_new: bool,
}

/// A container of the disks in slot order.
///
/// # Errors
/// A disk has no room for metadata.
pub(super) fn new(set: &NewSet, serials: &[Vec<u8>]) -> Result<Container, CreateError> {
    let [a, b, c, d, ..] = set.identity_for("isw family");
    let family = u32::from_le_bytes([a, b, c, d]).max(1);
    let disks: Vec<Disk> = set
        .disks
        .iter()
        .zip(serials)
        .map(|(device, serial)| disk(device, serial, status::CONFIGURED))
        .collect();
    let Some(device) = set.disks.first() else {
        return Err(CreateError::invalid(NAME, "number of disks", 0, "at least 2"));
    };
    let mut mpb = empty(place(device, 0)?, &disks);
    mpb.header.family_num = family;
    mpb.header.orig_family_num = family;
    mpb.header.creation_time = set.now;
    mpb.header.attributes |= attribute::CHECKSUM_VERIFY;
    Ok(Container { mpb, is_new: true })
}

/// The private record of a spare: its family is the sum of the rest.
///
/// # Errors
/// The disk has no room for it.
pub(super) fn spare(device: &Device, slot: usize, serial: &[u8]) -> Result<Mpb, CreateError> {
    let mut mpb = empty(place(device, slot)?, &[disk(device, serial, status::SPARE)]);
    mpb.header.num_disks = 1;
    mpb.header.mpb_size = u32::try_from(encode_covered(&mpb).len()).unwrap_or_default();
    mpb.header.family_num = check_sum(&mpb.header, &encode_covered(&mpb));
    Ok(mpb)
}

/// Where the MPB is, and in which units its disk counts.
pub(super) fn place(device: &Device, slot: usize) -> Result<Place, CreateError> {
    let place = Place::new(device.size(), device.sector_size());
    place.ok_or_else(|| refused(device, slot, "has no room for the metadata".to_owned()))
}

fn empty(place: Place, disks: &[Disk]) -> Mpb {
    let mut header = Header::zeroed();
    header.magic = *MAGIC;
    header.version = padded(VERSION.as_bytes());
    header.generation_num = FIRST_GENERATION;
    header.pwr_cycle_count = 1;
    if disks.iter().any(|disk| disk.total_blocks_hi != 0) {
        header.attributes |= attribute::DISK_2TB;
    }
    Mpb {
        place,
        header,
        disks: disks.to_vec(),
        volumes: Vec::new(),
        padding: Vec::new(),
        bad_blocks: None,
        sector_tail: Vec::new(),
    }
}

fn disk(device: &Device, serial: &[u8], status: u32) -> Disk {
    let blocks = device.size().0.checked_div(device.sector_size().bytes().0).unwrap_or_default();
    let mut disk = Disk::zeroed();
    disk.serial = padded(serial);
    (disk.total_blocks_lo, disk.total_blocks_hi) = halves(blocks);
    disk.status = status;
    disk
}

/// The container that all the disks carry, if they do.
///
/// # Errors
/// They carry one to which no volume can be added.
pub(super) fn existing(set: &NewSet, serials: &[Vec<u8>]) -> Result<Option<Container>, CreateError> {
    let found: Vec<Mpb> = set.disks.iter().filter_map(carried).collect();
    let Some(first) = found.first() else { return Ok(None) };
    let set_id = names::set_id(first);
    if found.len() < set.disks.len() || found.iter().any(|mpb| names::set_id(mpb) != set_id) {
        return Ok(None);
    }
    check_whole(set, serials, &found)?;
    check_room_for_one(set, first)?;
    Ok(found.into_iter().next().map(|mpb| Container { mpb, is_new: false }))
}

/// Whether the disks are all of the container, in the order of its volume, and agree.
fn check_whole(set: &NewSet, serials: &[Vec<u8>], found: &[Mpb]) -> Result<(), CreateError> {
    let Some(first) = found.first() else { return Ok(()) };
    let map = first.volumes.first().map(|volume| &volume.map);
    let slots = map.map_or(0, |map| map.disk_ord_tbl.len());
    let in_order =
        (0..slots).filter_map(|slot| Some(first.disk(map?, slot)?.serial().to_vec())).collect::<Vec<_>>();
    if in_order != serials || first.disks.len() != serials.len() {
        let expected: Vec<String> = in_order.iter().map(|serial| names::disk_key(serial)).collect();
        let found = serials.iter().map(|serial| names::disk_key(serial)).collect::<Vec<_>>().join(", ");
        let expected = format!("all of the container on them, in this order: {}", expected.join(", "));
        return Err(CreateError::invalid(NAME, "disks", found, expected));
    }
    for (slot, (device, mpb)) in set.disks.iter().zip(found).enumerate() {
        if encode_covered(mpb) != encode_covered(first) {
            let message =
                "its metadata is not that of the other disks, bring the set in order first".to_owned();
            return Err(refused(device, slot, message));
        }
    }
    match first.disks.iter().position(Disk::is_out) {
        Some(index) => {
            let message = "the container has a failed or missing disk".to_owned();
            let device = set.disks.get(index).or(set.disks.first());
            device.map_or(Ok(()), |device| Err(refused(device, index, message)))
        }
        None => Ok(()),
    }
}

fn check_room_for_one(set: &NewSet, mpb: &Mpb) -> Result<(), CreateError> {
    let invalid =
        |what, found: String, expected: &str| Err(CreateError::invalid(NAME, what, found, expected));
    if mpb.volumes.len() >= MOST_VOLUMES {
        let found = format!("{} already", mpb.volumes.len());
        return invalid(
            "number of volumes",
            found,
            "less than 2: raid-meta erase makes room for a new container",
        );
    }
    if let Some(volume) = mpb.volumes.iter().find(|volume| volume.source.is_some()) {
        return invalid(
            "state of the container",
            format!("volume {} is being changed", escape(volume.name())),
            "idle",
        );
    }
    if mpb.volumes.iter().any(|volume| volume.name() == set.name.as_bytes()) {
        return invalid("name", escape(set.name.as_bytes()), "one that no volume of the container has");
    }
    Ok(())
}

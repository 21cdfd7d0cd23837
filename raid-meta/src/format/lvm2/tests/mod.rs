//! Physical volumes as LVM2 writes them, made by hand.

mod codec;
mod damage;
mod raids;
mod volumes;

use super::checksum::checksum;
use super::{Lvm2, label};
use crate::device::{Device, SimDisk};
use crate::format::Format;
use crate::group::group;
use crate::identify::{Member, identify};
use crate::record::{ArrayRecord, Problem};
use crate::units::Bytes;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// Size of the disks.
pub(super) const DISK: usize = 2 << 20;
/// Where the metadata area begins and how long it is.
pub(super) const AREA: usize = 4096;
pub(super) const AREA_SIZE: usize = 61440;
/// Where the data begins, and how long an extent is, in sectors.
pub(super) const PE_START: usize = 128;
pub(super) const EXTENT: usize = 64;
/// Extents of a disk.
const EXTENTS: usize = (DISK / 512 - PE_START) / EXTENT;

/// The identity of a physical volume, as in a label.
pub(super) fn pv_id(number: usize) -> String {
    format!("{:x<32}", format!("pv{number}"))
}

/// The identity of a logical volume, as in a text.
pub(super) fn lv_id(name: &str) -> String {
    label::dashed(&format!("{:L<32}", name.replace('_', "")))
}

pub(super) fn put(bytes: &mut [u8], at: usize, part: &[u8]) {
    bytes[at..at + part.len()].copy_from_slice(part);
}

fn put_u64(bytes: &mut [u8], at: usize, value: usize) {
    put(bytes, at, &(value as u64).to_le_bytes());
}

fn put_u32(bytes: &mut [u8], at: usize, value: u32) {
    put(bytes, at, &value.to_le_bytes());
}

/// A disk with a label, and with a metadata area if there is a text.
pub(super) fn pv(number: usize, text: Option<&str>) -> Vec<u8> {
    let mut disk = vec![0; DISK];
    put(&mut disk, 512, b"LABELONE");
    put_u64(&mut disk, 520, 1);
    put_u32(&mut disk, 532, 32);
    put(&mut disk, 536, b"LVM2 001");
    put(&mut disk, 544, pv_id(number).as_bytes());
    put_u64(&mut disk, 576, DISK);
    put_u64(&mut disk, 584, PE_START * 512);
    let mut at = 616;
    if let Some(text) = text {
        put_u64(&mut disk, 616, AREA);
        put_u64(&mut disk, 624, AREA_SIZE);
        at = 632;
        write_text(&mut disk, 512, text);
    }
    put_u32(&mut disk, at + 16, 2);
    put_u32(&mut disk, at + 20, 1);
    let sum = checksum(&disk[532..1024]);
    put_u32(&mut disk, 528, sum);
    disk
}

/// Commits a text that begins at `at` bytes of the area, and goes on behind the header at its end.
pub(super) fn write_text(disk: &mut [u8], at: usize, text: &str) {
    let text = format!("{text}\0");
    let first = text.len().min(AREA_SIZE - at);
    put(disk, AREA + at, &text.as_bytes()[..first]);
    put(disk, AREA + 512, &text.as_bytes()[first..]);
    if text.len() == first && at == 512 {
        put(disk, AREA + 512, text.as_bytes());
    }
    put(disk, AREA + 4, b" LVM2 x[5A%r0N*>");
    put_u32(disk, AREA + 20, 1);
    put_u64(disk, AREA + 24, AREA);
    put_u64(disk, AREA + 32, AREA_SIZE);
    put_u64(disk, AREA + 40, at);
    put_u64(disk, AREA + 48, text.len());
    put_u32(disk, AREA + 56, checksum(text.as_bytes()));
    let sum = checksum(&disk[AREA + 4..AREA + 512]);
    put_u32(disk, AREA, sum);
}

/// A group `vg` of so many disks, with these logical volumes.
pub(super) fn group_text(disks: usize, seqno: u64, volumes: &str) -> String {
    let mut text = format!(
        "vg {{\nid = \"{}\"\nseqno = {seqno}\nformat = \"lvm2\"\nstatus = [\"RESIZEABLE\", \"READ\", \"WRITE\"]\n\
         flags = []\nextent_size = {EXTENT}\nmax_lv = 0\nmax_pv = 0\nmetadata_copies = 0\n\nphysical_volumes {{\n",
        lv_id("vg")
    );
    for number in 0..disks {
        let id = label::dashed(&pv_id(number));
        let size = DISK / 512;
        let _ = write!(
            text,
            "\npv{number} {{\nid = \"{id}\"\ndevice = \"/dev/x\"\n\nstatus = [\"ALLOCATABLE\"]\nflags = []\n\
             dev_size = {size}\npe_start = {PE_START}\npe_count = {EXTENTS}\n}}\n"
        );
    }
    let _ = write!(
        text,
        "}}\n\nlogical_volumes {{\n{volumes}}}\n\n}}\n# Generated\n\ncontents = \"Text Format Volume Group\"\n\
         version = 1\n\ndescription = \"Write from test {seqno}\"\n\ncreation_host = \"host\"\n\
         creation_time = {}\n\n",
        1_795_223_000 + seqno
    );
    text
}

/// A logical volume of these segments, each as `TYPE EXTENTS` and what belongs to it.
pub(super) fn lv(name: &str, status: &str, segments: &[(&str, usize, &str)]) -> String {
    let mut text = format!(
        "\n{name} {{\nid = \"{}\"\nstatus = [{status}]\nflags = []\nsegment_count = {}\n",
        lv_id(name),
        segments.len()
    );
    let mut start = 0;
    for (number, (kind, extents, rest)) in segments.iter().enumerate() {
        let _ = write!(
            text,
            "\nsegment{} {{\nstart_extent = {start}\nextent_count = {extents}\n\ntype = \"{kind}\"\n{rest}\n}}\n",
            number + 1
        );
        start += extents;
    }
    text + "}\n"
}

pub(super) const VISIBLE: &str = "\"READ\", \"WRITE\", \"VISIBLE\"";
pub(super) const HIDDEN: &str = "\"READ\", \"WRITE\"";

/// A linear volume.
pub(super) fn linear(name: &str, status: &str, extents: usize, pv: usize, start: usize) -> String {
    lv(
        name,
        status,
        &[("striped", extents, &format!("stripe_count = 1\nstripes = [\n\"pv{pv}\", {start}\n]"))],
    )
}

pub(super) fn device(number: usize, bytes: &[u8]) -> Device {
    Device::whole(Path::new(&format!("disk{number}")), Arc::new(SimDisk::holding(bytes)))
}

/// What is found on disks with these contents.
pub(super) fn members(disks: &[Vec<u8>]) -> Vec<Member> {
    let devices = disks.iter().enumerate().map(|(number, bytes)| device(number, bytes));
    devices.flat_map(|device| identify(&device, &[&Lvm2]).unwrap()).collect()
}

pub(super) fn arrays(disks: &[Vec<u8>]) -> Vec<ArrayRecord> {
    group(&mut members(disks), false)
}

/// A group of disks that all have the same text.
pub(super) fn disks(count: usize, volumes: &str) -> Vec<Vec<u8>> {
    let text = group_text(count, 4, volumes);
    (0..count).map(|number| pv(number, Some(&text))).collect()
}

pub(super) fn named<'a>(arrays: &'a [ArrayRecord], name: &str) -> &'a ArrayRecord {
    let names: Vec<&str> = arrays.iter().map(|array| array.name.as_str()).collect();
    arrays.iter().find(|array| array.name == name).unwrap_or_else(|| panic!("{name} is not among {names:?}"))
}

pub(super) fn codes(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|problem| problem.code.as_str()).collect()
}

/// The problems of the only find on a disk.
pub(super) fn problems_of(bytes: &[u8]) -> Vec<String> {
    let members = members(&[bytes.to_vec()]);
    members[0].problems.iter().map(|problem| problem.code.clone()).collect()
}

pub(super) fn find(bytes: &[u8]) -> Vec<crate::format::Found> {
    Lvm2.find(&device(0, bytes)).unwrap()
}

pub(super) fn at(offset: usize) -> Bytes {
    Bytes(offset as u64)
}

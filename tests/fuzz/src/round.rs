//! Metadata dumped, and the dump turned back into bytes.

use crate::image::Image;
use raid_meta::device::{Device, ReadAt};
use raid_meta::edit::{Assignment, Dump, encode, set};
use raid_meta::format::Format;
use raid_meta::identify::{Member, identify};
use raid_meta::inspect::{HexLine, fields, hexdump, verdict};
use raid_meta::model::Area;
use raid_meta::record::{FieldRecord, Record, read_records};

/// Fields of a member that are set to what they are.
const FIELDS: usize = 2;

/// Whatever the format finds on a disk goes through its dump: onto a blank disk, it makes the same bytes.
pub fn dumps_come_back(format: &'static dyn Format, image: &Image) {
    let device = image.clone().device("disk");
    let blank = image.blank().device("disk");
    for member in identify(&device, &[format]).expect("a disk in memory can be read") {
        let Some(metadata) = member.metadata() else { continue };
        let areas = metadata.areas();
        let fields = through_lines(fields(&member));
        let dumps = Dump::collect(fields.clone()).expect("a dump is consistent");
        assert!(dumps.len() <= 1, "the dump of one member is one");
        for dump in &dumps {
            let edit = encode(&blank, dump, false).expect("a dump can be written");
            are_there(&areas, &edit.plan.preview(&blank));
        }
        every_byte_is_shown(&member, &areas);
        let _ = verdict(&member);
        keep_their_values(&device, &member, &fields, &areas);
    }
}

fn through_lines(fields: Vec<FieldRecord>) -> Vec<FieldRecord> {
    let through_line = |field| {
        let line = Record::Field(field).to_line().expect("a record can be written");
        match read_records("line", line.as_bytes()).next() {
            Some(Ok(Record::Field(field))) => field,
            other => panic!("{line}: {other:?}"),
        }
    };
    fields.into_iter().map(through_line).collect()
}

fn are_there(areas: &[Area], device: &Device) {
    for area in areas {
        let mut bytes = vec![0; area.bytes.len()];
        device.read_exact_at(area.offset, &mut bytes).expect("an area is inside of the device");
        assert!(bytes == area.bytes, "{} at {} comes back as other bytes", area.role, area.offset);
    }
}

fn every_byte_is_shown(member: &Member, areas: &[Area]) {
    let shown: u64 = hexdump(member).iter().map(|line| HexLine::length(line).0).sum();
    assert_eq!(shown, areas.iter().map(|area| area.bytes.len() as u64).sum::<u64>());
}

/// A field that is set to the value that it has keeps it, and its size.
fn keep_their_values(device: &Device, member: &Member, fields: &[FieldRecord], areas: &[Area]) {
    let step = fields.len() / FIELDS + 1;
    for field in fields.iter().skip(areas.len()).step_by(step) {
        let assignment = Assignment { field: field.name.clone(), value: field.value.clone() };
        let edit = set(device, member, &[assignment]).expect("a field can have the value that it has");
        let after = edit.plan.preview(device);
        let length = usize::try_from(field.size_bytes.0).expect("a field is in memory");
        let read = |device: &Device| device.read(field.offset_bytes, length).expect("a disk in memory");
        assert_eq!(read(&after), read(device), "{}", field.name);
    }
}

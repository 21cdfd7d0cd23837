//! Real metadata: a firmware's, and mdadm's. The images lie beside the workspace, and may be absent.

use super::*;
use crate::geometry::Level;
use crate::group::group;
use crate::identify::identify;
use crate::record::{ArrayRecord, Health, MemberState, Role};
use crate::units::Sectors;
use std::path::PathBuf;
use std::process::Command;

fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/fixtures"));
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("{} is absent: nothing tried", folder.display());
    None
}

fn unpack(path: &Path) -> Vec<u8> {
    let output = Command::new("xz").arg("-dc").arg(path).output().unwrap();
    assert!(output.status.success(), "{}", path.display());
    output.stdout
}

/// The disks of a set, with their serials.
fn set(name: &str) -> Option<Vec<Device>> {
    let folder = folder()?.join("images").join(name);
    let disk = |number: usize| {
        let packed = folder.join(format!("disk{number}.img.xz"));
        let serial = std::fs::read_to_string(folder.join(format!("disk{number}.img.serial"))).ok()?;
        let disk = Arc::new(SimDisk::holding(&unpack(&packed)));
        let path = format!("disk{number}.img");
        Some(Device::whole(Path::new(&path), disk).with_serial(Some(serial.trim().to_owned())))
    };
    Some((0..).map_while(disk).collect())
}

fn arrays(devices: &[Device]) -> Vec<ArrayRecord> {
    let mut members: Vec<_> = devices.iter().flat_map(|device| identify(device, &[&Isw]).unwrap()).collect();
    assert_eq!(members.len(), devices.len());
    group(&mut members, false)
}

fn only_array(devices: &[Device]) -> ArrayRecord {
    let mut arrays = arrays(devices);
    assert_eq!(arrays.len(), 1);
    arrays.remove(0)
}

fn assert_bytes_come_back(device: &Device) {
    let metadata = metadata(device);
    let mut fields = metadata.fields().into_iter();
    for area in metadata.areas() {
        assert_eq!(device.read(area.offset, area.bytes.len()).unwrap(), Some(area.bytes.clone()));
        let mut at = area.offset;
        while at < Bytes(area.offset.0 + area.bytes.len() as u64) {
            let field = fields.next().unwrap();
            assert_eq!(field.offset, at, "{}", field.name);
            at = Bytes(at.0 + u64::from(field.size));
        }
    }
    assert_eq!(fields.next(), None);
}

#[test]
fn whole_sets_are_whole_arrays() {
    let cases = [
        ("isw-raid0-2", Level::Raid0, 73_728, Some(128)),
        ("isw-raid1-2", Level::Raid1, 36_864, None),
        ("isw-raid10-4", Level::Raid10, 73_728, Some(128)),
        ("isw-raid5-3", Level::Raid5, 73_728, Some(128)),
    ];
    for (name, level, size, chunk) in cases {
        let Some(devices) = set(name) else { return };
        devices.iter().for_each(assert_bytes_come_back);
        let array = only_array(&devices);
        assert_eq!((array.level, array.size_sectors), (level, Sectors(size)), "{name}");
        assert_eq!(array.chunk_sectors.map(|chunk| chunk.get()), chunk, "{name}");
        assert_eq!((array.health, &array.problems), (Health::Optimal, &vec![]), "{name}");
        assert_eq!(array.members.len(), devices.len());
        assert!(array.members.iter().all(|member| member.state == MemberState::InSync));
        assert_eq!(array.volume.as_deref(), Some("v0"));
    }
}

#[test]
fn the_order_of_the_slots_is_the_order_of_the_table() {
    let Some(devices) = set("isw-raid5-3") else { return };
    let devices: Vec<_> = devices.into_iter().rev().collect();
    let order: Vec<_> =
        only_array(&devices).members.into_iter().map(|member| member.device.unwrap()).collect();
    assert_eq!(order, ["disk0.img", "disk1.img", "disk2.img"]);
}

#[test]
fn a_reshape_is_found_where_the_record_that_is_less_far_says() {
    let Some(devices) = set("isw-raid5-reshape-3to4") else { return };
    devices.iter().for_each(assert_bytes_come_back);
    let array = only_array(&devices);
    assert_eq!((array.health, array.size_sectors, array.slots), (Health::Reshaping, Sectors(73_728), 4));
    let reshape = array.reshape.unwrap();
    assert_eq!((reshape.from.slots, reshape.to.slots), (3, 4));
    // The disks were caught one after the other: slot 0 with unit 2 in the copy area, slot 1 after that unit. What
    // unit 2 came from has not been overwritten, so both sides can be read.
    assert_eq!((reshape.position_sectors, reshape.uncertain), (Sectors(12_288), vec![]));
}

#[test]
fn a_reshape_without_the_disks_that_record_it_is_not_believed_above_the_checkpoint() {
    let Some(devices) = set("isw-raid5-reshape-3to4") else { return };
    let array = only_array(&devices[2..]);
    let reshape = array.reshape.unwrap();
    assert_eq!(reshape.uncertain.len(), 1);
    assert_eq!(array.health, Health::Failed);
}

#[test]
fn metadata_of_a_real_firmware_on_a_cut_image_is_read_with_a_warning() {
    let Some(folder) = folder() else { return };
    let disk = SimDisk::holding(&unpack(&folder.join("captured/isw-raid.img.xz")));
    let device = Device::whole(Path::new("isw.img"), Arc::new(disk)).with_serial(Some("Y25VXYQE".to_owned()));
    assert_bytes_come_back(&device);
    let metadata = metadata(&device);
    assert_eq!(metadata.version(), "1.0.00");
    assert_eq!(codes(&metadata.check()), ["device-too-small"]);
    let view = metadata.view(&device);
    assert_eq!((view.role, view.generation, view.set_id.as_str()), (Role::Active, 464, "ff55b73b-1.0.00"));
    let volume = &view.volumes[0];
    assert_eq!((volume.name.as_deref(), volume.size), (Some("RAID_Volume1"), Sectors(320_172_032)));
    assert_eq!(volume.geometry.unwrap().chunk.unwrap().get(), 256);
    assert_eq!(volume.own.as_ref().unwrap().length, Sectors(160_086_016));
    assert_eq!(volume.slots[1].key.as_deref(), Some("Y25VXZ6E"));
}

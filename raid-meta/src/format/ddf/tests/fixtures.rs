//! Real metadata, made by mdadm. The images lie beside the workspace, and may be absent.

use super::*;
use crate::record::{Health, MemberState};
use std::path::PathBuf;
use std::process::Command;

fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/fixtures/images"));
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("{} is absent: nothing tried", folder.display());
    None
}

fn set(name: &str) -> Option<Vec<Device>> {
    let folder = folder()?.join(name);
    let disk = |number: usize| {
        let packed = folder.join(format!("disk{number}.img.xz"));
        let output = packed.exists().then(|| Command::new("xz").arg("-dc").arg(&packed).output().unwrap())?;
        assert!(output.status.success(), "{}", packed.display());
        Some(named(&format!("disk{number}.img"), SimDisk::holding(&output.stdout)))
    };
    Some((0..).map_while(disk).collect())
}

#[test]
fn whole_sets_are_whole_arrays() {
    let cases = [
        ("ddf-raid0-3", Level::Raid0, 196_608, Some(128), None),
        ("ddf-raid1-2", Level::Raid1, 65_536, None, None),
        ("ddf-raid5-ls-3", Level::Raid5, 131_072, Some(128), Some("left-symmetric")),
    ];
    for (name, level, size, chunk, layout) in cases {
        let Some(devices) = set(name) else { return };
        for device in &devices {
            let metadata = metadata(&Ddf, device);
            assert_identity(device, &*metadata);
            assert_eq!(metadata.check(), [], "{name}");
            assert!(metadata.copies_agree());
        }
        let array = array(&Ddf, &devices);
        assert_eq!((array.level, array.size_sectors), (level, sectors(size)), "{name}");
        assert_eq!(array.chunk_sectors.map(|chunk| chunk.get()), chunk, "{name}");
        assert_eq!(array.layout.map(|layout| layout.to_string()).as_deref(), layout, "{name}");
        assert_eq!((array.health, &array.problems), (Health::Optimal, &vec![]), "{name}");
        assert!(array.members.iter().all(|member| member.state == MemberState::InSync));
        assert_eq!((array.volume.as_deref(), array.name.as_str()), (Some("v0"), "ddf1_v0"));
    }
}

#[test]
fn identities_are_those_that_mdadm_prints() {
    let Some(devices) = set("ddf-raid5-ls-3") else { return };
    let metadata = metadata(&Ddf, &devices[0]);
    let view = metadata.view(&devices[0]);
    assert_eq!(view.volumes[0].uuid, "4ea50465:2128fa44:6613a065:5e9914cd");
    assert_eq!((view.generation, view.key.as_deref()), (5, Some("7135c297")));
    let fields = metadata.fields();
    let guid = fields.iter().find(|field| field.name == "anchor.ddf_header_guid").unwrap();
    let meaning = guid.meaning.as_deref().unwrap();
    assert_eq!(meaning, "Linux-MD, 2026-11-21T01:06:12Z; group UUID f8f23400:65615f09:6a7fd469:84a18df1");
}

#[test]
fn slots_are_in_the_order_of_the_configuration() {
    let Some(devices) = set("ddf-raid5-ls-3") else { return };
    let array = array(&Ddf, &devices.into_iter().rev().collect::<Vec<_>>());
    let order: Vec<_> = array.members.into_iter().map(|member| member.device.unwrap()).collect();
    assert_eq!(order, ["disk1.img", "disk0.img", "disk2.img"]);
}

/// What a new set has on its disks, in mdadm's group and in ours, but for names, numbers and times.
#[test]
fn new_sets_are_laid_out_as_mdadm_lays_them_out() {
    for (name, level) in
        [("ddf-raid0-3", Level::Raid0), ("ddf-raid1-2", Level::Raid1), ("ddf-raid5-ls-3", Level::Raid5)]
    {
        let Some(devices) = set(name) else { return };
        let mut wanted = wanted(level, devices.len());
        wanted.name = "v0".to_owned();
        wanted.disks = blank(devices.len(), devices[0].length_sectors().0);
        let ours = created(&Ddf, &wanted);
        let theirs = devices.iter().find(|disk| slot_of(disk) == slot_of(&ours[0])).unwrap();
        let (ours, theirs) = (metadata(&Ddf, &ours[0]).fields(), metadata(&Ddf, theirs).fields());
        assert_eq!(ours.len(), theirs.len(), "{name}");
        let differing: Vec<&str> = ours
            .iter()
            .zip(&theirs)
            .filter(|(a, b)| (a.offset, &a.name, &a.value) != (b.offset, &b.name, &b.value))
            .map(|(field, _)| field.name.rsplit(['.']).next().unwrap())
            .collect();
        let expected = |name: &&str| {
            name.ends_with("guid")
                || name.starts_with("physical_disk_sequence")
                || [
                    "crc",
                    "timestamp",
                    "sequence_number",
                    "pd_reference",
                    "vd_type_crc",
                    "vd_number",
                    "product_id",
                ]
                .contains(name)
        };
        let unexpected: Vec<&&str> = differing.iter().filter(|name| !expected(name)).collect();
        assert_eq!(unexpected, Vec::<&&str>::new(), "{name}");
    }
}

fn slot_of(device: &Device) -> Option<crate::units::Slot> {
    let view = metadata(&Ddf, device).view(device);
    view.volumes[0].own.as_ref().unwrap().slot
}

#[test]
fn the_hint_at_the_group_is_the_one_that_mdadm_writes() {
    let Some(devices) = set("ddf-raid5-ls-3") else { return };
    let ddf = decoded(&devices[0]);
    let crc = sum::plain(&ddf.header().unwrap().ddf_header_guid).to_le_bytes();
    assert_eq!(ddf.virtual_disks()[0].1.vd_type_crc, u16::from_be_bytes([crc[0], crc[1]]));
}

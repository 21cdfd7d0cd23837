//! What is made: further volumes, what is refused, identities.

use super::*;
use crate::format::create::CreateError;
use crate::record::Health;
use crate::units::ChunkSectors;

fn refused(set: &NewSet) -> String {
    crate::format::ddf::create(set).unwrap_err().to_string()
}

#[test]
fn a_further_volume_takes_what_is_free_and_one_name_only() {
    let size = Some(sectors(4096));
    let first = created(&Ddf, &NewSet { size, ..wanted(Level::Raid5, 3) });
    let again = NewSet { disks: first.clone(), ..wanted(Level::Raid1, 3) };
    assert!(refused(&again).contains("name is 'data1'"), "{}", refused(&again));
    let second = created(&Ddf, &NewSet { name: "data2".to_owned(), ..again });
    let arrays = assembled(&Ddf, &second);
    let found: Vec<_> = arrays.iter().map(|array| (array.name.as_str(), array.level, array.health)).collect();
    assert_eq!(
        found,
        [("ddf1_data1", Level::Raid5, Health::Optimal), ("ddf1_data2", Level::Raid1, Health::Optimal)]
    );
    assert_eq!(arrays[0].size_sectors, sectors(4096));
    assert_eq!(arrays[1].members[0].offset_sectors, Some(sectors(2048)));
    let before = metadata(&Ddf, &first[0]).view(&first[0]).generation;
    assert_eq!(metadata(&Ddf, &second[0]).view(&second[0]).generation, before + 1);
    let full = NewSet { name: "data3".to_owned(), disks: second, ..wanted(Level::Raid0, 3) };
    assert!(refused(&full).contains("size is nothing"), "{}", refused(&full));
}

#[test]
fn a_further_volume_needs_the_whole_group() {
    let first = created(&Ddf, &NewSet { size: Some(sectors(4096)), ..wanted(Level::Raid5, 3) });
    let second = |disks: Vec<Device>| NewSet { name: "b".to_owned(), disks, ..wanted(Level::Raid0, 2) };
    assert!(refused(&second(first[..2].to_vec())).contains("expected all 3 of the group"));
    assert!(refused(&second(vec![first[0].clone(), blank(1, DISK).remove(0)])).contains("no metadata on it"));
    assert!(
        refused(&second(vec![first[0].clone(), first[0].clone(), first[1].clone()])).contains("given twice")
    );
    let other = created(&Ddf, &NewSet { identity: [9; 16], ..wanted(Level::Raid0, 2) });
    assert!(refused(&second(vec![first[0].clone(), other[0].clone()])).contains("another group"));
}

#[test]
fn what_the_format_can_not_do_is_refused() {
    let chunk = |sectors| NewSet { chunk: ChunkSectors::new(sectors), ..wanted(Level::Raid0, 2) };
    let named = |name: &str| NewSet { name: name.to_owned(), ..wanted(Level::Raid0, 2) };
    let layout = |level, name: &str| NewSet { layout: Some(name.parse().unwrap()), ..wanted(level, 4) };
    let small = NewSet { disks: blank(2, 65_536), ..wanted(Level::Raid0, 2) };
    let cases = [
        (chunk(24), "chunk is 24 sectors"),
        (chunk(4), "chunk is 4 sectors"),
        (named(""), "name is ''"),
        (named("seventeen letters"), "name is"),
        (named(" x"), "name is"),
        (named("a\0b"), "name is 'a\\x00b'"),
        (layout(Level::Raid5, "right-symmetric"), "layout is right-symmetric"),
        (layout(Level::Raid10, "offset-2"), "layout is offset-2"),
        (wanted(Level::Raid5, 2), "number of disks is 2"),
        (wanted(Level::Raid6, 3), "number of disks is 3"),
        (wanted(Level::Raid0, 0), "number of disks is 0"),
        (NewSet { size: Some(sectors(1 << 40)), ..wanted(Level::Raid0, 2) }, "size is"),
        (NewSet { size: Some(sectors(1)), ..wanted(Level::Raid0, 2) }, "size is 1 sectors"),
        (small, "expected more than 65536"),
    ];
    for (set, message) in cases {
        let found = refused(&set);
        assert!(found.contains(message), "{found}");
    }
}

#[test]
fn disks_with_large_blocks_are_refused() {
    let disk = SimDisk::new(Bytes(1 << 28)).with_sector_size(crate::units::SectorSize::B4096);
    let set = NewSet { disks: vec![named("a", disk), blank(1, DISK).remove(0)], ..wanted(Level::Raid1, 2) };
    assert!(matches!(crate::format::ddf::create(&set), Err(CreateError::Disk { .. })));
}

#[test]
fn hostile_names_are_kept_and_shown_harmless() {
    let set = NewSet { name: "a\n;$()/\u{1b}[m".to_owned(), ..wanted(Level::Raid1, 2) };
    let array = array(&Ddf, &created(&Ddf, &set));
    assert_eq!(array.volume.as_deref(), Some("a\\x0a;$()/\\x1b[m"));
    assert_eq!(array.name, "ddf1_a________m");
}

#[test]
fn version_2_is_made_when_it_is_asked_for() {
    let set = NewSet { version: Some("02.00.00".to_owned()), ..wanted(Level::Raid5, 3) };
    let devices = created(&Ddf, &set);
    assert_eq!(metadata(&Ddf, &devices[0]).version(), "02.00.00");
    assert_eq!(decoded(&devices[0]).configs()[0].head.block_size, 512);
    assert_eq!(array(&Ddf, &devices).health, Health::Optimal);
}

//! Probing several disks, partitions and all, and making arrays of what is on them: the records come back from
//! the lines that they are written as, names are unique, arrays can be mapped or say why not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use raid_fuzz::{image, records};
use raid_meta::probe::{Options, probe};
use raid_meta::record::Record;
use std::collections::HashSet;

/// What may be read of a disk.
const MAX_READ: u64 = 128 << 20;

fuzz_target!(|input: &[u8]| {
    let images = image::images(input);
    let devices = images.iter().enumerate();
    let devices = devices.map(|(number, image)| image.clone().device(&format!("disk{number}")));
    let options = Options { assume_order: input.len() % 2 == 1, ..Options::default() };
    let found = probe(devices, &options);
    assert!(found.errors.is_empty(), "{:?}", found.errors);
    for (number, image) in images.iter().enumerate() {
        assert!(image.read_so_far() <= MAX_READ, "{} bytes of disk {number} read", image.read_so_far());
    }
    let mut names = HashSet::new();
    for array in &found.arrays {
        assert!(!array.name.is_empty() && names.insert(array.name.clone()), "{}", array.name);
        records::array_holds(array, &found.arrays);
    }
    let members = found.members.iter().map(|member| Record::Member(member.record()));
    for record in members.chain(found.arrays.iter().cloned().map(Record::Array)) {
        records::come_back(&record);
    }
});

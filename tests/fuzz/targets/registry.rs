//! Probing several disks, partitions and all, and making arrays of what is on them: the records come back from
//! the lines that they are written as, and names are unique.
#![no_main]

use libfuzzer_sys::fuzz_target;
use raid_fuzz::image;
use raid_meta::probe::{Options, probe};
use raid_meta::record::{Record, read_records};
use std::collections::HashSet;

fuzz_target!(|input: &[u8]| {
    let images = image::images(input).into_iter().enumerate();
    let devices = images.map(|(number, image)| image.device(&format!("disk{number}")));
    let options = Options { assume_order: input.len() % 2 == 1, ..Options::default() };
    let found = probe(devices, &options);
    assert!(found.errors.is_empty(), "{:?}", found.errors);
    let mut names = HashSet::new();
    for array in &found.arrays {
        assert!(!array.name.is_empty() && names.insert(array.name.clone()), "{}", array.name);
    }
    let members = found.members.iter().map(|member| Record::Member(member.record()));
    for record in members.chain(found.arrays.iter().cloned().map(Record::Array)) {
        let line = record.to_line().expect("a record can be written");
        let back = read_records("line", line.as_bytes()).next().expect("a line").expect("a record");
        assert_eq!(back.to_line().expect("a record can be written"), line);
    }
});

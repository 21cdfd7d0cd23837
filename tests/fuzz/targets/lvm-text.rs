//! The text of LVM2 alone: the input is the text of a physical volume that is sound otherwise. It is read as it is,
//! whatever it says; what is said of it is bounded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use raid_fuzz::{holds, lvm, records};
use raid_meta::format::{Format, lvm2::Lvm2};
use raid_meta::probe::{Options, probe};
use raid_meta::record::Record;

/// Bytes of records for each byte of a text, and for a text of none.
const TOLD_FOR_A_BYTE: usize = 1024;
const TOLD_ANYWAY: usize = 64 << 10;

fuzz_target!(|text: &[u8]| {
    let image = lvm::disk(text);
    holds::format(&Lvm2, &image);
    let device = image.device("disk");
    let finds = Lvm2.find(&device).expect("a disk in memory can be read");
    assert_eq!(finds.len(), 1, "a label that is sound is found");
    if let Some(metadata) = finds.first().and_then(|found| found.metadata.as_ref())
        && !text.is_empty()
    {
        let areas = metadata.areas();
        let read = areas.iter().find(|area| area.role == "metadata-text").expect("there is a text");
        assert!(read.bytes == text, "the text is read as it is");
    }
    let found = probe([device], &Options::default());
    let mut told = 0;
    for array in &found.arrays {
        records::array_holds(array, &found.arrays);
        told += records::come_back(&Record::Array(array.clone()));
    }
    for member in &found.members {
        told += records::come_back(&Record::Member(member.record()));
    }
    let most = TOLD_ANYWAY + TOLD_FOR_A_BYTE * text.len();
    assert!(told <= most, "{told} bytes said of a text of {}", text.len());
});

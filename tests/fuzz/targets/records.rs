//! The record reader: any bytes give records or an error; a record comes back from its line; an array gives tables or
//! a reason why not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use raid_meta::record::{Record, read_records};

fuzz_target!(|input: &[u8]| {
    for record in read_records("input", input) {
        let Ok(record) = record else { continue };
        let line = record.to_line().expect("a record can be written");
        let back = read_records("line", line.as_bytes()).next().expect("a line").expect("a record");
        assert_eq!(back.to_line().expect("a record can be written"), line);
        if let Record::Array(array) = record {
            let _ = raid_table::plan::plan(&array, &[], &raid_table::plan::Options::default());
        }
    }
});

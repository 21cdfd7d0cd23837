//! The record reader: any bytes give records or an error; a record comes back from its line; an array gives tables, a
//! map and a picture, or a reason why not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use raid_fuzz::records;
use raid_meta::edit::Dump;
use raid_meta::record::{Record, read_records};

/// Arrays of one input that are tried.
const ARRAYS: usize = 16;

fuzz_target!(|input: &[u8]| {
    let (mut arrays, mut fields) = (Vec::new(), Vec::new());
    for record in read_records("input", input).filter_map(Result::ok) {
        records::come_back(&record);
        match record {
            Record::Array(array) => arrays.push(array),
            Record::Field(field) => fields.push(field),
            _ => {}
        }
    }
    for array in arrays.iter().take(ARRAYS) {
        records::array_holds(array, &arrays);
    }
    let _ = Dump::collect(fields);
});

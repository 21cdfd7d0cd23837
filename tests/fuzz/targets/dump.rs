//! All formats: what is decoded encodes to the bytes that were read, and every byte is in one field.
#![no_main]

use libfuzzer_sys::fuzz_target;
use raid_fuzz::{holds, image};
use raid_meta::format::FORMATS;

fuzz_target!(|input: &[u8]| {
    for image in image::images(input) {
        for format in FORMATS {
            holds::format(format, &image);
        }
    }
});

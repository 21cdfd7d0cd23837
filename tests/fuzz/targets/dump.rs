//! All formats: what is dumped and encoded again is the bytes that were read; so is a field set to what it is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use raid_fuzz::{image, round};
use raid_meta::format::FORMATS;

fuzz_target!(|input: &[u8]| {
    for image in image::images(input) {
        for format in FORMATS {
            round::dumps_come_back(format, &image);
        }
    }
});

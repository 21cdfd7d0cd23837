//! One format, named by `RAID_FUZZ_FORMAT`: whatever is on a disk, nothing it finds there breaks a promise.
#![no_main]

use libfuzzer_sys::fuzz_target;
use raid_fuzz::{holds, image};
use raid_meta::format::{Format, by_name};
use std::sync::LazyLock;

static FORMAT: LazyLock<&'static dyn Format> = LazyLock::new(|| {
    let name = std::env::var("RAID_FUZZ_FORMAT").unwrap_or_default();
    by_name(&name).unwrap_or_else(|| panic!("RAID_FUZZ_FORMAT is {name:?}, expected the name of a format"))
});

fuzz_target!(|input: &[u8]| {
    if let Some(image) = image::images(input).into_iter().next() {
        holds::format(*FORMAT, &image);
        holds::windows(*FORMAT, &image.device("disk"));
    }
});

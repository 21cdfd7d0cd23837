//! Searching disks for metadata anywhere: finds are sound and in windows of the disk.
#![no_main]

use libfuzzer_sys::fuzz_target;
use raid_fuzz::image;
use raid_meta::carve::Watch;
use raid_meta::device::{Device, ReadAt};
use raid_meta::probe::{Options, probe_deep};
use raid_meta::units::Bytes;

/// What may be read of a disk: all that is on it, and what the hits lead to.
const MAX_READ: u64 = 512 << 20;

fuzz_target!(|input: &[u8]| {
    let images = image::images(input);
    let devices = images.iter().enumerate();
    let devices: Vec<Device> =
        devices.map(|(number, image)| image.clone().device(&format!("disk{number}"))).collect();
    let sizes: Vec<Bytes> = devices.iter().map(ReadAt::size).collect();
    let serial = |_: &Device, at: Bytes| at.0.is_multiple_of(1024).then(|| "SER1".to_owned());
    let mut watch = Watch { progress: &mut |_, _| {}, serial: &serial };
    let found = probe_deep(devices, &Options::default(), &mut watch);
    for (number, image) in images.iter().enumerate() {
        assert!(image.read_so_far() <= MAX_READ, "{} bytes of disk {number} read", image.read_so_far());
    }
    for member in found.members.iter().filter(|member| member.carved) {
        assert!(member.is_sound());
        let end = member.device.offset().checked_add(member.device.size());
        assert!(end.is_some_and(|end| sizes.iter().any(|size| end <= *size)), "{}", member.device.label());
    }
});

//! Makes seeds for the corpus: from sets that every format creates, and from images.

use raid_fuzz::image::Image;
use raid_meta::device::{Device, FileDisk, ReadAt};
use raid_meta::format::create::NewSet;
use raid_meta::format::{FORMATS, Format};
use raid_meta::geometry::Level;
use raid_meta::units::{Bytes, SectorSize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs, io};

const USAGE: &str =
    "usage: seeds DIRECTORY [NAME IMAGE…]   seeds of created sets, or one of the metadata of images";
const LEVELS: [Level; 7] =
    [Level::Linear, Level::Raid0, Level::Raid1, Level::Raid4, Level::Raid5, Level::Raid6, Level::Raid10];
/// Seeds that are larger take the fuzzer longer than they are worth.
const MAX_SEED: usize = 24 << 10;

fn main() -> io::Result<()> {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    match arguments.as_slice() {
        [directory] => created(directory),
        [directory, name, images @ ..] => {
            let disks = images.iter().map(|path| read(path)).collect::<io::Result<Vec<_>>>()?;
            store(directory, &name.to_string_lossy(), &disks)
        }
        [] => Err(io::Error::other(USAGE)),
    }
}

/// Writes a seed for each format and level that can be created.
fn created(directory: &Path) -> io::Result<()> {
    for format in FORMATS {
        for level in LEVELS {
            for disks in [2, 3, 4] {
                if let Some(images) = create(format, level, disks) {
                    store(directory, &format!("{}-{}-{disks}", format.name(), level.name()), &images)?;
                    break;
                }
            }
        }
    }
    Ok(())
}

fn create(format: &dyn Format, level: Level, disks: u64) -> Option<Vec<Image>> {
    let blank = |number: u64| {
        Image::new((64 << 20) + number * 512, SectorSize::B512, Some(&format!("SERIAL{number}")))
    };
    let mut images: Vec<Image> = (0..disks).map(blank).collect();
    let devices =
        images.iter().enumerate().map(|(number, image)| image.clone().device(&format!("disk{number}")));
    let set = NewSet {
        version: None,
        level,
        layout: None,
        chunk: None,
        size: None,
        name: "vol".to_owned(),
        disks: devices.collect(),
        spares: Vec::new(),
        identity: [7; 16],
        now: 1_700_000_000,
        in_sync: true,
        bitmap: false,
    };
    let members = format.create(&set).ok()?;
    for (image, member) in images.iter_mut().zip(members) {
        member.areas.iter().for_each(|area| image.write(area.offset.0, &area.bytes));
    }
    Some(images)
}

/// An image with nothing left but the metadata that is found on it.
fn read(path: &Path) -> io::Result<Image> {
    let disk = FileDisk::open(path, None).map_err(io::Error::other)?;
    let serial = fs::read_to_string(format!("{}.serial", path.display())).ok();
    let serial = serial.as_deref().map(str::trim_end);
    let mut image = Image::new(disk.size().0, SectorSize::B512, serial);
    let device = Device::whole(path, Arc::new(disk)).with_serial(serial.map(str::to_owned));
    for format in FORMATS {
        for found in format.find(&device).map_err(io::Error::other)? {
            for area in found.metadata.iter().flat_map(|metadata| metadata.areas()) {
                image.write(area.offset.0, &area.bytes);
            }
        }
    }
    Ok(image)
}

/// Writes a seed; of a set that is too large, the start of its first disk.
fn store(directory: &Path, name: &str, images: &[Image]) -> io::Result<()> {
    let inputs: Vec<Vec<u8>> = images.iter().map(Image::encode).collect();
    let seed = inputs.join(&0xff);
    if seed.len() > MAX_SEED {
        let first = inputs.into_iter().next().unwrap_or_default();
        eprintln!("{name}: {} bytes, only the first disk ({} bytes)", seed.len(), first.len());
        return fs::write(directory.join(name), first.get(..first.len().min(MAX_SEED)).unwrap_or_default());
    }
    fs::write(directory.join(name), seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_created_is_found_in_the_seed() {
        for format in FORMATS {
            for images in LEVELS.into_iter().filter_map(|level| create(format, level, 2)) {
                for (number, image) in images.into_iter().enumerate() {
                    let decoded = raid_fuzz::image::images(&image.encode()).remove(0).device("disk");
                    let found = format.find(&decoded).unwrap();
                    assert_eq!(found.len(), 1, "{}: disk {number}", format.name());
                    assert!(decoded.size() > Bytes(0));
                }
            }
        }
    }
}

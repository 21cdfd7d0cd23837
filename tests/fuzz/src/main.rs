//! Makes seeds for the corpus: from sets that every format creates, and from images.

use raid_fuzz::image::{self, Image};
use raid_fuzz::lvm::PV_ID;
use raid_meta::device::{Device, FileDisk, ReadAt};
use raid_meta::edit::{Assignment, set};
use raid_meta::format::create::NewSet;
use raid_meta::format::{FORMATS, Format};
use raid_meta::geometry::Level;
use raid_meta::identify::{Member, identify};
use raid_meta::model::Area;
use raid_meta::units::SectorSize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs, io};

const USAGE: &str = "usage: seeds CORPUS                one of every kind of set that the formats create
       seeds CORPUS NAME IMAGE…   one of the metadata on these images, and of a text of LVM2 on them";
const LEVELS: [Level; 7] =
    [Level::Linear, Level::Raid0, Level::Raid1, Level::Raid4, Level::Raid5, Level::Raid6, Level::Raid10];
/// Seeds that are larger take the fuzzer longer than they are worth, and what is not tried is not read either.
const MAX_SEED: usize = 24 << 10;

fn main() -> io::Result<()> {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    match arguments.as_slice() {
        [corpus] => created(&corpus.join("disks")),
        [corpus, name, paths @ ..] => {
            let name = name.to_string_lossy();
            let mut images = Vec::new();
            for path in paths {
                let (image, areas) = read(path)?;
                images.push(image);
                text_of(&areas).map_or(Ok(()), |text| fs::write(corpus.join("texts").join(&*name), text))?;
            }
            store(&corpus.join("disks"), &name, &images)
        }
        [] => Err(io::Error::other(USAGE)),
    }
}

/// Writes a seed for each format and level that can be created.
fn created(directory: &Path) -> io::Result<()> {
    for format in FORMATS {
        for level in LEVELS {
            for disks in 2..=4 {
                if let Some(images) = create(format, level, disks) {
                    store(directory, &format!("{}-{}-{disks}", format.name(), level.name()), &images)?;
                    break;
                }
            }
        }
    }
    Ok(())
}

fn create(format: &'static dyn Format, level: Level, disks: u64) -> Option<Vec<Image>> {
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
        write(image, &member.areas);
        if format.name() == "ddf" {
            shrink_ddf(format, image);
        }
    }
    Some(images)
}

fn write(image: &mut Image, areas: &[Area]) {
    areas.iter().for_each(|area| image.write(area.offset.0, &area.bytes));
}

/// Tables of DDF have room for a thousand disks, all of which is looked at each time. These have room for a few.
fn shrink_ddf(format: &'static dyn Format, image: &mut Image) {
    let lengths = [
        ("physical_disk_records_length", 2),
        ("virtual_disk_records_length", 2),
        ("configuration_records_length", 21),
    ];
    let headers = ["anchor", "primary.header", "secondary.header"];
    let assignments: Vec<Assignment> = headers
        .into_iter()
        .flat_map(|header| lengths.map(|(name, length)| (format!("{header}.{name}"), length)))
        .map(|(field, length)| Assignment { field, value: length.into() })
        .collect();
    let device = image.clone().device("disk");
    for member in identify(&device, &[format]).into_iter().flatten() {
        let Ok(edit) = set(&device, &member, &assignments) else { continue };
        *image = image.blank();
        // What is left of the tables gets its checksums.
        for metadata in edit.after.iter().filter_map(Member::metadata) {
            let mut areas = metadata.areas();
            metadata.seal(&mut areas);
            write(image, &areas);
        }
    }
}

/// An image with nothing left but the metadata that is found on it, and that metadata.
fn read(path: &Path) -> io::Result<(Image, Vec<Area>)> {
    let disk = FileDisk::open(path, None).map_err(io::Error::other)?;
    let serial = fs::read_to_string(format!("{}.serial", path.display())).ok();
    let serial = serial.as_deref().map(str::trim_end);
    let mut image = Image::new(disk.size().0, SectorSize::B512, serial);
    let device = Device::whole(path, Arc::new(disk)).with_serial(serial.map(str::to_owned));
    let mut areas = Vec::new();
    for format in FORMATS {
        for found in format.find(&device).map_err(io::Error::other)? {
            areas.extend(found.metadata.iter().flat_map(|metadata| metadata.areas()));
        }
    }
    write(&mut image, &areas);
    Ok((image, areas))
}

/// The text of a physical volume, as one of the volume that the target for texts makes: the label's identity, which is 32
/// bytes, is written with dashes in the text.
fn text_of(areas: &[Area]) -> Option<String> {
    let text = areas.iter().find(|area| area.role == "metadata-text")?;
    let text = String::from_utf8_lossy(&text.bytes).into_owned();
    let label = areas.iter().find(|area| area.role == "label")?;
    let own = |id: &&str| label.bytes.windows(32).any(|part| part == id.replace('-', "").as_bytes());
    let id = text.split('"').filter(|part| part.len() == PV_ID.len()).find(own)?.to_owned();
    Some(text.replace(&id, PV_ID))
}

/// Writes a seed; of a set that is too large, its first disk.
fn store(directory: &Path, name: &str, images: &[Image]) -> io::Result<()> {
    let seed = image::input(images);
    if seed.len() <= MAX_SEED {
        return fs::write(directory.join(name), seed);
    }
    let first = images.first().map(Image::encode).unwrap_or_default();
    if first.len() > MAX_SEED {
        return Err(io::Error::other(format!("{name}: {} bytes, expected {MAX_SEED}", first.len())));
    }
    eprintln!("{name}: {} bytes, only the first disk ({} bytes)", seed.len(), first.len());
    fs::write(directory.join(name), first)
}

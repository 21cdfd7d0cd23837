//! Fills an array on images with the pattern, in userspace: without a kernel, through [`WritableVolume`].

use raid_meta::device::{WritableDisk, WriteAt};
use raid_meta::escape::text_to_path;
use raid_meta::record::{ArrayMember, ArrayRecord};
use raid_meta::units::{Bytes, SECTOR_BYTES};
use raid_table::volume::{Targets, WritableVolume};
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// The images that the records name.
struct Images;

impl Targets for Images {
    fn open(&self, member: &ArrayMember) -> Result<Arc<dyn WriteAt>, String> {
        let device = member.device.as_deref().ok_or("a member without a device")?;
        let disk = WritableDisk::open(&text_to_path(device), None, Path::new("/"), &[]);
        disk.map(|disk| Arc::new(disk) as Arc<dyn WriteAt>).map_err(|error| error.to_string())
    }
}

/// Writes the pattern to all of an array: block n holds n+1.
///
/// # Panics
/// The record is none, or its images can not be written.
pub fn fill(array: &Value) {
    fill_from(array, 0);
}

/// Writes the pattern from that block on.
///
/// # Panics
/// As [`fill`].
pub fn fill_from(array: &Value, first: u64) {
    let (record, volume) = open(array);
    let (start, size) = (first * 4096, record.size_sectors.0 * SECTOR_BYTES);
    let mut bytes = vec![0; usize::try_from(size - start).expect("a small array")];
    for (block, number) in bytes.chunks_mut(4096).zip(first + 1..) {
        let word = u32::try_from(number).expect("a small array").to_le_bytes();
        block.chunks_exact_mut(4).for_each(|place| place.copy_from_slice(&word));
    }
    volume.write(Bytes(start), &bytes).unwrap_or_else(|error| panic!("{error}"));
    volume.flush().unwrap_or_else(|error| panic!("{error}"));
}

/// Writes a file to the start of an array on blank images: what is zero there already is.
///
/// # Panics
/// The record is none, its images can not be written, or the file is larger.
pub fn write_file(array: &Value, file: &Path) {
    const PIECE: usize = 1 << 20;
    let (_, volume) = open(array);
    let mut file = File::open(file).expect("the file can be read");
    let mut piece = Vec::with_capacity(PIECE);
    for at in (0..).step_by(PIECE) {
        piece.clear();
        let length = file.by_ref().take(PIECE as u64).read_to_end(&mut piece).expect("the file can be read");
        if length == 0 {
            break;
        }
        if piece.iter().any(|byte| *byte != 0) {
            volume.write(Bytes(at), &piece).unwrap_or_else(|error| panic!("{error}"));
        }
    }
    volume.flush().unwrap_or_else(|error| panic!("{error}"));
}

fn open(array: &Value) -> (ArrayRecord, WritableVolume) {
    let mut array = array.clone();
    if let Some(fields) = array.as_object_mut() {
        fields.remove("type");
    }
    let record: ArrayRecord = serde_json::from_value(array).expect("an array record");
    let volume = WritableVolume::open(&record, &Images, false).unwrap_or_else(|error| panic!("{error}"));
    (record, volume)
}

//! The disk of an LVM2 physical volume, all of whose checksums are right, around any text.
//!
//! The structures and the checksum are stated here once more, as LVM2 2.03 writes them, and not taken from the decoder.

use crate::image::Image;
use raid_meta::units::SectorSize;

/// Identity of the physical volume as the text has it. A text that names no other is of a group with one member.
pub const PV_ID: &str = "fuzzed-fuzz-fuzz-fuzz-fuzz-fuzz-fuzzed";
/// Longest text that fits.
pub const MAX_TEXT: usize = (AREA_SIZE - TEXT_AT) as usize;

const DISK_SIZE: u64 = 64 << 20;
const AREA_AT: u64 = 4096;
/// Small, since all of it is searched for older texts.
const AREA_SIZE: u64 = 64 << 10;
/// From the start of the area.
const TEXT_AT: u64 = 512;

/// The disk. A text that is too long loses its end.
#[must_use]
pub fn disk(text: &[u8]) -> Image {
    let text = &text[..text.len().min(MAX_TEXT)];
    let mut image = Image::new(DISK_SIZE, SectorSize::B512, None);
    image.write(512, &label());
    image.write(AREA_AT, &area_header(text));
    image.write(AREA_AT + TEXT_AT, text);
    image
}

fn label() -> Vec<u8> {
    let mut rest = 32_u32.to_le_bytes().to_vec();
    rest.extend(b"LVM2 001");
    rest.extend(PV_ID.replace('-', "").as_bytes());
    for number in [DISK_SIZE, 1 << 20, 0, 0, 0, AREA_AT, AREA_SIZE, 0, 0] {
        rest.extend(number.to_le_bytes());
    }
    rest.resize(512 - 20, 0);
    let mut label = b"LABELONE".to_vec();
    label.extend(1_u64.to_le_bytes());
    label.extend(checksum(&rest).to_le_bytes());
    label.extend(rest);
    label
}

fn area_header(text: &[u8]) -> Vec<u8> {
    let mut rest = b" LVM2 x[5A%r0N*>".to_vec();
    rest.extend(1_u32.to_le_bytes());
    for number in [AREA_AT, AREA_SIZE, TEXT_AT, text.len() as u64] {
        rest.extend(number.to_le_bytes());
    }
    rest.extend(checksum(text).to_le_bytes());
    rest.resize(512 - 4, 0);
    let mut header = checksum(&rest).to_le_bytes().to_vec();
    header.extend(rest);
    header
}

/// CRC-32 with LVM's initial value, and nothing done to the result.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0xf597_a6cf, |sum, byte| {
        (0..8).fold(
            sum ^ u32::from(*byte),
            |sum: u32, _| {
                if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 }
            },
        )
    })
}

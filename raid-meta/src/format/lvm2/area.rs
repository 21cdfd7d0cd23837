//! A metadata area: a header of one sector, and behind it a ring of texts.
//!
//! The header says where the committed text is, and while a change is under way the precommitted one. A text that
//! reaches the end of the area goes on behind the header.

use super::checksum::checksum;
use super::config::{self, ConfigError, Node, Section};
use super::label::Location;
use crate::device::Device;
use crate::disk_struct;
use crate::escape::escape;
use crate::format::claims::Claims;
use crate::format::schema::{DiskStruct, Endian, FieldWalk, Repr};
use crate::model::Field;
use crate::record::{ChecksumState, Problem};
use crate::units::{Bytes, SECTOR_BYTES, SECTOR_LENGTH};

const MAGIC: &[u8; 16] = b" LVM2 x[5A%r0N*>";
/// Longest text that is read; LVM's own tools give up long before.
const MAX_TEXT: u64 = 8 << 20;
/// What a checksum of a header does not cover.
const CHECKED_FROM: usize = 4;
/// Where the places of texts begin.
const LOCATIONS_AT: usize = 40;
/// Flag of a place: the area is not used for texts.
const IGNORED: u32 = 1;

disk_struct! {
    /// Header of a metadata area.
    pub(super) struct AreaHeader {
        checksum: u32 as hex,
        magic: [u8; 16],
        version: u32,
        start: u64,
        size: u64,
    }
}

disk_struct! {
    /// Where a text is, from the start of the area.
    pub(super) struct TextLocation {
        offset: u64,
        size: u64,
        checksum: u32 as hex,
        flags: u32 as hex,
    }
}

impl TextLocation {
    fn is_empty(&self) -> bool {
        self.offset == 0 || self.size == 0
    }
}

/// What a text is to its area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Committed,
    Precommitted,
}

impl Role {
    const ALL: [Self; 2] = [Self::Committed, Self::Precommitted];

    pub(super) fn area_role(self) -> &'static str {
        match self {
            Self::Committed => "metadata-text",
            Self::Precommitted => "precommitted-text",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Precommitted => "precommitted",
        }
    }

    /// Where in the header its place is.
    pub(super) fn location_at(self) -> usize {
        let before = if self == Self::Committed { 0 } else { TextLocation::SIZE };
        LOCATIONS_AT.saturating_add(before)
    }
}

/// A text that was read.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) role: Role,
    /// The one or two pieces, from the start of the device.
    pub(super) pieces: Vec<(Bytes, usize)>,
    pub(super) bytes: Vec<u8>,
    pub(super) checksum: ChecksumState,
    nodes: Result<Vec<Node>, ConfigError>,
}

impl Text {
    pub(super) fn new(
        role: Role,
        pieces: Vec<(Bytes, usize)>,
        bytes: Vec<u8>,
        checksum: ChecksumState,
    ) -> Self {
        let nodes = config::parse(spoken(&bytes));
        Self { role, pieces, bytes, checksum, nodes }
    }

    /// The root of what it says, if it can be read.
    pub(super) fn root(&self) -> Option<Section<'_>> {
        Some(Section::new(&self.bytes, self.nodes()?))
    }

    pub(super) fn nodes(&self) -> Option<&[Node]> {
        self.nodes.as_deref().ok()
    }

    /// The bytes of each piece.
    pub(super) fn parts(&self) -> impl Iterator<Item = (Bytes, &[u8])> {
        let mut rest = self.bytes.as_slice();
        self.pieces.iter().map(move |&(offset, length)| {
            let (part, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            rest = after;
            (offset, part)
        })
    }

    /// Whether it can be believed.
    pub(super) fn is_sound(&self) -> bool {
        self.checksum == ChecksumState::Ok && self.nodes.is_ok()
    }
}

/// A text without what follows its NUL.
pub(super) fn spoken(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// A metadata area of a physical volume.
#[derive(Clone, Debug)]
pub(super) struct MetadataArea {
    pub(super) offset: Bytes,
    /// The sector of its header; empty where it can not be read.
    pub(super) bytes: Vec<u8>,
    header: Option<AreaHeader>,
    pub(super) texts: Vec<Text>,
    pub(super) is_ignored: bool,
    pub(super) problems: Vec<Problem>,
}

impl MetadataArea {
    /// Reads the area that a label lists, except for what is taken.
    pub(super) fn read(device: &Device, number: usize, location: &Location, claims: &mut Claims) -> Self {
        let mut area = Self {
            offset: Bytes(location.offset),
            bytes: Vec::new(),
            header: None,
            texts: Vec::new(),
            is_ignored: false,
            problems: Vec::new(),
        };
        let fail = |code, message: String| Problem::error(code, format!("metadata area {number}: {message}"));
        match device.read(area.offset, SECTOR_LENGTH) {
            Ok(Some(bytes)) if claims.take(area.offset, bytes.len()) => area.bytes = bytes,
            Ok(Some(_)) => {
                let message = format!("at byte {} it overlaps other metadata", area.offset);
                area.problems.push(fail("area-overlaps", message));
            }
            Ok(None) => {
                area.problems.push(fail("area-out-of-range", format!("begins at byte {}", area.offset)))
            }
            Err(error) => area.problems.push(fail("area-unreadable", error.to_string())),
        }
        match area.usable_header(location) {
            Ok(header) => area.read_texts(device, number, &header, claims),
            Err(Some((code, message))) => area.problems.push(fail(code, message)),
            Err(None) => {}
        }
        area
    }

    /// The header, unless something is wrong with it.
    fn usable_header(&mut self, location: &Location) -> Result<AreaHeader, Option<(&'static str, String)>> {
        let header = AreaHeader::decode(&self.bytes, Endian::Little).ok_or(None)?;
        self.header = Some(header.clone());
        let computed = checksum(self.bytes.get(CHECKED_FROM..).unwrap_or_default());
        if header.magic != *MAGIC {
            let found = escape(&header.magic);
            return Err(Some(("area-magic", format!("magic is '{found}', expected ' LVM2 x[5A%r0N*>'"))));
        }
        if header.checksum != computed {
            let message =
                format!("checksum of the header is {:#010x}, computed {computed:#010x}", header.checksum);
            return Err(Some(("area-checksum", message)));
        }
        if header.version != 1 {
            return Err(Some(("area-version", format!("version is {}, expected 1", header.version))));
        }
        if header.start != location.offset || header.size != location.size {
            let (start, size) = (header.start, header.size);
            let message = format!(
                "is at byte {start} with {size} bytes by its header, at {} with {} by the label",
                location.offset, location.size
            );
            return Err(Some(("area-contradiction", message)));
        }
        Ok(header)
    }

    pub(super) fn location(&self, role: Role) -> Option<TextLocation> {
        TextLocation::decode(self.bytes.get(role.location_at()..)?, Endian::Little)
    }

    fn read_texts(&mut self, device: &Device, number: usize, header: &AreaHeader, claims: &mut Claims) {
        for role in Role::ALL {
            let Some(location) = self.location(role).filter(|location| !location.is_empty()) else {
                continue;
            };
            self.is_ignored |= role == Role::Committed && location.flags & IGNORED != 0;
            let text = pieces(self.offset, header.size, &location)
                .and_then(|pieces| read_text(device, role, pieces, &location))
                .and_then(|text| claimed(text, claims));
            match text {
                Ok(text) => {
                    self.problems.extend(text_problem(number, &text, &location));
                    self.texts.push(text);
                }
                Err(message) => {
                    let message = format!("metadata area {number}: the {} text {message}", role.word());
                    self.problems.push(Problem::error("text-out-of-range", message));
                }
            }
        }
        if self.texts.iter().any(|text| text.role == Role::Precommitted) {
            let message = format!("metadata area {number}: a change was begun and not committed");
            self.problems.push(Problem::warning("unfinished-change", message));
        }
    }

    /// The text that counts, if it is sound.
    pub(super) fn committed(&self) -> Option<&Text> {
        let counts = |text: &&Text| text.role == Role::Committed && text.is_sound();
        self.texts.iter().find(counts).filter(|_| !self.is_ignored)
    }

    /// Size of the area by its header, where that can be believed.
    pub(super) fn size(&self) -> Option<u64> {
        let header = self.header.as_ref()?;
        (self.checksum() == ChecksumState::Ok && header.magic == *MAGIC).then_some(header.size)
    }

    pub(super) fn checksum(&self) -> ChecksumState {
        let found = self.header.as_ref().map(|header| header.checksum);
        match found == Some(checksum(self.bytes.get(CHECKED_FROM..).unwrap_or_default())) {
            true => ChecksumState::Ok,
            false => ChecksumState::Bad,
        }
    }

    pub(super) fn fields(&self, number: usize) -> Vec<Field> {
        let prefix = format!("mda[{number}].");
        let mut walk = FieldWalk::new(&self.bytes, self.offset, Endian::Little);
        walk.structure::<AreaHeader>("mda_header", &prefix, 0, |_, _| None);
        for (index, role) in Role::ALL.into_iter().enumerate() {
            let prefix = format!("{prefix}raw_locn[{index}].");
            walk.structure::<TextLocation>("mda_header", &prefix, role.location_at(), |name, _| {
                (name == "offset").then(|| role.word().to_owned())
            });
        }
        let end = Role::Precommitted.location_at().saturating_add(TextLocation::SIZE);
        let rest = SECTOR_LENGTH.saturating_sub(end);
        walk.field("mda_header", format!("{prefix}reserved"), end, rest, Repr::Raw, None);
        walk.finish()
    }
}

/// Makes the checksum of a text right in the header, without the header's own.
pub(super) fn seal_text(header: &mut [u8], role: Role, text: &[u8]) {
    // Offset and size come before the checksum.
    let at = role.location_at().saturating_add(16);
    if let Some(place) = header.get_mut(at..at.saturating_add(4)) {
        place.copy_from_slice(&checksum(text).to_le_bytes());
    }
}

/// Makes the checksum of a header right.
pub(super) fn seal_header(header: &mut [u8]) {
    let sum = checksum(header.get(CHECKED_FROM..).unwrap_or_default());
    if let Some(place) = header.get_mut(..CHECKED_FROM) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
}

/// Where the pieces of a text are: one, or two where it goes on behind the header.
fn pieces(area: Bytes, size: u64, location: &TextLocation) -> Result<Vec<(Bytes, usize)>, String> {
    let (offset, length) = (location.offset, location.size);
    let ring = size.saturating_sub(SECTOR_BYTES);
    if offset < SECTOR_BYTES || offset >= size {
        return Err(format!("begins at byte {offset} of an area of {size}"));
    }
    if length > ring || length > MAX_TEXT {
        return Err(format!("has {length} bytes, expected at most {}", ring.min(MAX_TEXT)));
    }
    let first = length.min(size.saturating_sub(offset));
    let piece = |from: u64, length: u64| {
        let start = area.checked_add(Bytes(from)).ok_or("is out of range")?;
        Ok::<_, String>((start, usize::try_from(length).map_err(|_| "is out of range")?))
    };
    let mut pieces = vec![piece(offset, first)?];
    if length > first {
        pieces.push(piece(SECTOR_BYTES, length.saturating_sub(first))?);
    }
    Ok(pieces)
}

fn read_text(
    device: &Device,
    role: Role,
    pieces: Vec<(Bytes, usize)>,
    location: &TextLocation,
) -> Result<Text, String> {
    let mut bytes = Vec::new();
    for &(offset, length) in &pieces {
        match device.read(offset, length) {
            Ok(Some(piece)) => bytes.extend(piece),
            Ok(None) => return Err(format!("reaches past the end of the device, at byte {offset}")),
            Err(error) => return Err(format!("can not be read: {error}")),
        }
    }
    let state = if checksum(&bytes) == location.checksum { ChecksumState::Ok } else { ChecksumState::Bad };
    Ok(Text::new(role, pieces, bytes, state))
}

/// The text, unless it is where other metadata is.
fn claimed(text: Text, claims: &mut Claims) -> Result<Text, String> {
    let mut with_it = claims.clone();
    let is_free = text.pieces.iter().all(|&(offset, length)| with_it.take(offset, length));
    if !is_free {
        return Err("overlaps other metadata".to_owned());
    }
    *claims = with_it;
    Ok(text)
}

fn text_problem(number: usize, text: &Text, location: &TextLocation) -> Option<Problem> {
    let which = format!("metadata area {number}: the {} text", text.role.word());
    if text.checksum == ChecksumState::Bad {
        let (found, computed) = (location.checksum, checksum(&text.bytes));
        let message = format!("{which} has checksum {found:#010x}, computed {computed:#010x}");
        return Some(Problem::error("text-checksum", message));
    }
    let error = text.nodes.as_ref().err()?;
    Some(Problem::error("text-grammar", format!("{which}: {error}")))
}

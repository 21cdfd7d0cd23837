//! The first block of an overlay: one line of text that says which array it belongs to.

use super::{BLOCK, HEADER_BYTES};
use raid_meta::record::ArrayRecord;
use raid_meta::units::Bytes;
use serde::{Deserialize, Serialize};

const KIND: &str = "raid-overlay";
const VERSION: u32 = 1;

/// What an array is known by. Members come and go; this stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    name: String,
    format: Option<String>,
    set_id: Option<String>,
    uuid: Option<String>,
    level: String,
    size_bytes: u64,
}

/// The line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    v: u32,
    block_bytes: u64,
    array: Identity,
}

impl Identity {
    /// The identity of an array.
    #[must_use]
    pub fn of(array: &ArrayRecord) -> Self {
        Self {
            name: array.name.clone(),
            format: array.format.clone(),
            set_id: array.set_id.clone(),
            uuid: array.uuid.clone(),
            level: array.level.to_string(),
            size_bytes: array.size_sectors.to_bytes().unwrap_or(Bytes::MAX).0,
        }
    }

    /// The array in a few words.
    pub(super) fn words(&self) -> String {
        let uuid = self.uuid.as_deref().map(|uuid| format!(", uuid {uuid}")).unwrap_or_default();
        let format = self.format.as_deref().unwrap_or("no format");
        format!("{} ({format}, {}, {} bytes{uuid})", self.name, self.level, self.size_bytes)
    }

    /// The first block of an overlay of this array; none when the texts do not fit.
    pub(super) fn header(&self) -> Option<Vec<u8>> {
        let line = Line { kind: KIND.to_owned(), v: VERSION, block_bytes: BLOCK, array: self.clone() };
        let mut bytes = serde_json::to_vec(&line).ok()?;
        bytes.push(b'\n');
        let length = usize::try_from(HEADER_BYTES).ok()?;
        (bytes.len() <= length).then(|| {
            bytes.resize(length, 0);
            bytes
        })
    }

    /// Whose overlay a file is; none when it is no overlay, or one of another version.
    pub(super) fn of_header(header: &[u8]) -> Option<Self> {
        let end = header.iter().position(|byte| *byte == b'\n')?;
        let line: Line = serde_json::from_slice(header.get(..end)?).ok()?;
        let known = line.kind == KIND && line.v == VERSION && line.block_bytes == BLOCK;
        known.then_some(line.array)
    }
}

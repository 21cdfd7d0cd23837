//! What a text says: a volume group, its physical and logical volumes, and their segments.

use super::config::Section;
use crate::escape::escape;
use std::collections::HashMap;

/// Most logical volumes of a group that are looked at.
const MAX_LVS: usize = 16_384;

/// Text of the metadata that may be anything.
pub(super) type Name = Vec<u8>;

/// A volume group.
#[derive(Debug)]
pub(super) struct Vg {
    pub(super) name: Name,
    /// Its identity as it is written, escaped.
    pub(super) id: String,
    pub(super) seqno: u64,
    pub(super) status: Vec<Name>,
    /// Sectors.
    pub(super) extent_size: u64,
    pub(super) pvs: Vec<Pv>,
    pub(super) lvs: Vec<Lv>,
    /// What was done, and when.
    pub(super) description: Option<Name>,
    pub(super) created: Option<u64>,
    /// Logical volumes that are too many to be looked at.
    pub(super) dropped: usize,
    lv_by_name: HashMap<Name, usize>,
    pv_by_name: HashMap<Name, usize>,
}

/// A physical volume.
#[derive(Debug)]
pub(super) struct Pv {
    pub(super) name: Name,
    /// Identity without dashes, escaped: the one that is in the label.
    pub(super) id: String,
    pub(super) is_missing: bool,
    /// Sectors.
    pub(super) start: u64,
    /// Extents.
    pub(super) extents: Option<u64>,
}

/// A logical volume.
#[derive(Debug)]
pub(super) struct Lv {
    pub(super) name: Name,
    /// Identity as it is written, escaped.
    pub(super) id: String,
    pub(super) status: Vec<Name>,
    pub(super) segments: Vec<Segment>,
}

/// A range of a logical volume.
#[derive(Debug)]
pub(super) struct Segment {
    /// Extents of the logical volume.
    pub(super) start: u64,
    pub(super) extents: u64,
    /// Extents of each image that a reshape keeps free.
    pub(super) reshape_extents: u64,
    pub(super) kind: String,
    /// What is written behind the type.
    pub(super) flags: Vec<String>,
    pub(super) content: Content,
}

/// What a segment consists of.
#[derive(Debug)]
pub(super) enum Content {
    /// Stripes, or one of them.
    Stripes { chunk: u64, areas: Vec<Area> },
    /// A raid of images.
    Raid(Raid),
    /// An old mirror.
    Mirror { areas: Vec<Area>, log: Option<Name> },
    /// Nothing: every access is an error.
    Error,
    /// What changed in a volume since a snapshot.
    Snapshot { origin: Name, store: Name, is_merging: bool },
    /// Something else, and the logical volumes that it names.
    Other { names: Vec<Name> },
}

/// Where a stripe begins.
#[derive(Debug)]
pub(super) struct Area {
    /// A physical or a logical volume.
    pub(super) name: Name,
    pub(super) extent: u64,
}

/// A raid.
#[derive(Debug)]
pub(super) struct Raid {
    /// How many images there should be.
    pub(super) count: Option<u64>,
    pub(super) chunk: u64,
    pub(super) copies: u64,
    pub(super) region: u64,
    pub(super) min_rate: u64,
    pub(super) max_rate: u64,
    pub(super) write_behind: u64,
    pub(super) data_offset: u64,
    pub(super) images: Vec<Image>,
}

/// An image of a raid.
#[derive(Debug)]
pub(super) struct Image {
    pub(super) data: Name,
    pub(super) metadata: Option<Name>,
}

impl Vg {
    /// The volume group of a text: its first section.
    pub(super) fn read(root: Section<'_>) -> Option<Self> {
        let (name, vg) = root.sections().find(|(_, section)| section.number("seqno").is_some())?;
        let pvs: Vec<Pv> = of(vg.section("physical_volumes"), Pv::read);
        let mut lvs: Vec<Lv> = of(vg.section("logical_volumes"), Lv::read);
        let dropped = lvs.len().saturating_sub(MAX_LVS);
        lvs.truncate(MAX_LVS);
        Some(Self {
            name: name.to_vec(),
            id: escape(&vg.text("id")?),
            seqno: vg.number("seqno")?,
            status: vg.words("status"),
            extent_size: vg.number("extent_size").filter(|&size| size > 0)?,
            description: root.text("description"),
            created: root.number("creation_time"),
            lv_by_name: index(lvs.iter().map(|lv| &lv.name)),
            pv_by_name: index(pvs.iter().map(|pv| &pv.name)),
            dropped,
            pvs,
            lvs,
        })
    }

    pub(super) fn pv(&self, name: &[u8]) -> Option<&Pv> {
        self.pvs.get(*self.pv_by_name.get(name)?)
    }

    /// The place of a logical volume in the list.
    pub(super) fn lv(&self, name: &[u8]) -> Option<usize> {
        self.lv_by_name.get(name).copied()
    }
}

/// The first of each name counts.
fn index<'a>(names: impl DoubleEndedIterator<Item = &'a Name> + ExactSizeIterator) -> HashMap<Name, usize> {
    names.enumerate().rev().map(|(place, name)| (name.clone(), place)).collect()
}

fn of<T>(section: Option<Section<'_>>, read: impl Fn(&[u8], Section<'_>) -> T) -> Vec<T> {
    let sections = section.into_iter().flat_map(|section| section.sections().collect::<Vec<_>>());
    sections.map(|(name, section)| read(name, section)).collect()
}

fn has(words: &[Name], word: &str) -> bool {
    words.iter().any(|found| found == word.as_bytes())
}

impl Pv {
    fn read(name: &[u8], section: Section<'_>) -> Self {
        let id: Vec<u8> =
            section.text("id").unwrap_or_default().into_iter().filter(|&byte| byte != b'-').collect();
        Self {
            name: name.to_vec(),
            id: escape(&id),
            // Older versions write it among the status words.
            is_missing: has(&section.words("flags"), "MISSING") || has(&section.words("status"), "MISSING"),
            start: section.number("pe_start").unwrap_or_default(),
            extents: section.number("pe_count"),
        }
    }
}

impl Lv {
    fn read(name: &[u8], section: Section<'_>) -> Self {
        let is_segment = |name: &[u8]| name.starts_with(b"segment");
        let mut segments: Vec<Segment> = section
            .sections()
            .filter(|(name, _)| is_segment(name))
            .map(|(_, section)| Segment::read(section))
            .collect();
        segments.sort_by_key(|segment| segment.start);
        Self {
            name: name.to_vec(),
            id: escape(&section.text("id").unwrap_or_default()),
            status: section.words("status"),
            segments,
        }
    }

    pub(super) fn has(&self, status: &str) -> bool {
        has(&self.status, status)
    }

    /// An image that was split off and is to come back: it can be seen, and not be written.
    pub(super) fn is_tracked(&self) -> bool {
        self.has("VISIBLE") && !self.has("WRITE")
    }

    /// Extents.
    pub(super) fn extents(&self) -> u64 {
        self.segments.iter().fold(0, |sum, segment| sum.saturating_add(segment.extents))
    }

    /// All logical volumes that it may consist of.
    pub(super) fn uses(&self) -> Vec<&Name> {
        self.segments.iter().flat_map(Segment::uses).collect()
    }
}

/// What may follow the type of a segment, after a plus sign.
const KNOWN_FLAGS: [&str; 8] = [
    "RESHAPE",
    "RESHAPE_DATA_OFFSET",
    "RESHAPE_DELTA_DISKS_PLUS",
    "RESHAPE_DELTA_DISKS_MINUS",
    "REMOVE_AFTER_RESHAPE",
    "METADATA_FORMAT",
    "CROP_METADATA",
    "CACHE_USES_CACHEVOL",
];

impl Segment {
    fn read(section: Section<'_>) -> Self {
        let words = section.text("type").unwrap_or_default();
        let words = escape(&words);
        let mut words = words.split('+').map(str::to_owned);
        let kind = words.next().unwrap_or_default();
        let flags: Vec<String> = words.collect();
        // What a flag that is not known means for the mapping is not known either.
        let is_known = flags.iter().all(|flag| KNOWN_FLAGS.contains(&flag.as_str()));
        let (kind, content) = match is_known {
            true => (kind.clone(), content(&kind, section)),
            false => (format!("{kind}+{}", flags.join("+")), Content::Other { names: section.all_words() }),
        };
        Self {
            start: section.number("start_extent").unwrap_or_default(),
            extents: section.number("extent_count").unwrap_or_default(),
            reshape_extents: section.number("reshape_count").unwrap_or_default(),
            content,
            flags,
            kind,
        }
    }

    fn uses(&self) -> Vec<&Name> {
        match &self.content {
            Content::Stripes { areas, .. } => areas.iter().map(|area| &area.name).collect(),
            Content::Mirror { areas, log } => areas.iter().map(|area| &area.name).chain(log).collect(),
            Content::Raid(raid) => {
                raid.images.iter().flat_map(|image| image.metadata.iter().chain([&image.data])).collect()
            }
            Content::Error | Content::Snapshot { .. } => Vec::new(),
            Content::Other { names } => names.iter().collect(),
        }
    }
}

fn content(kind: &str, section: Section<'_>) -> Content {
    match kind {
        "striped" | "linear" => Content::Stripes {
            chunk: section.number("stripe_size").unwrap_or_default(),
            areas: areas(section, "stripes"),
        },
        "error" => Content::Error,
        "snapshot" => snapshot(section),
        "mirror" => Content::Mirror { areas: areas(section, "mirrors"), log: section.text("mirror_log") },
        _ if kind.starts_with("raid") => Content::Raid(raid(section)),
        _ => Content::Other { names: section.all_words() },
    }
}

fn snapshot(section: Section<'_>) -> Content {
    let merging = section.text("merging_store");
    Content::Snapshot {
        origin: section.text("origin").unwrap_or_default(),
        is_merging: merging.is_some(),
        store: merging.or_else(|| section.text("cow_store")).unwrap_or_default(),
    }
}

/// Pairs of a name and an extent.
fn areas(section: Section<'_>, list: &str) -> Vec<Area> {
    let pairs = section.list(list).chunks(2);
    let area = |pair: &[super::config::Scalar]| {
        let (name, extent) = (pair.first()?, pair.get(1)?);
        Some(Area { name: section.scalar_text(name), extent: section.scalar_number(extent)? })
    };
    pairs.map(|pair| area(pair).unwrap_or(Area { name: Vec::new(), extent: 0 })).collect()
}

fn raid(section: Section<'_>) -> Raid {
    let number = |name: &str| section.number(name).unwrap_or_default();
    let mut images = Vec::new();
    let mut metadata = None;
    for name in section.words("raids") {
        if holds(&name, b"_rmeta_") {
            metadata = Some(name);
        } else {
            images.push(Image { data: name, metadata: metadata.take() });
        }
    }
    images.extend(section.words("raid0_lvs").into_iter().map(|data| Image { data, metadata: None }));
    Raid {
        count: section.number("device_count").or_else(|| section.number("stripe_count")),
        chunk: number("stripe_size"),
        copies: section.number("data_copies").unwrap_or(2),
        region: number("region_size"),
        min_rate: number("min_recovery_rate"),
        max_rate: number("max_recovery_rate"),
        write_behind: number("writebehind"),
        data_offset: number("data_offset"),
        images,
    }
}

fn holds(name: &[u8], part: &[u8]) -> bool {
    name.windows(part.len()).any(|window| window == part)
}

//! The rules that the metadata of a disk are held to.
//!
//! An error says that something can not be relied on; what can still be read correctly gets a warning.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::copy::{Copy, Kind};
use super::level::{Shape, capacity};
use super::metadata::Ddf;
use super::structs::{Header, NONE, PdEntry, TableHead, VdConfig, VdEntry, is_blank, pd_type};
use super::tables::{self, Config};
use super::{names, volume};
use crate::escape;
use crate::format::schema::DiskStruct;
use crate::record::Problem;
use crate::units::Sectors;

/// All that is wrong.
pub(super) fn all(ddf: &Ddf) -> Vec<Problem> {
    let mut problems = ddf.problems.clone();
    problems.extend(ddf.copies().flat_map(|copy| copy.all_problems(ddf.endian)));
    problems.extend(ddf.copies().flat_map(|copy| header_rules(ddf, copy)));
    problems.extend(agreement(ddf));
    if ddf.believed().is_some() {
        problems.extend(tables(ddf));
        problems.extend(disks(ddf));
        problems.extend(records(ddf));
        for (_, disk) in ddf.virtual_disks() {
            let configs = volume::of_volume(ddf, &disk.vd_guid);
            problems.extend(self::volume(ddf, &disk, &configs));
        }
    }
    problems
}

/// Rules about one header by itself, and beside the anchor.
fn header_rules(ddf: &Ddf, copy: &Copy) -> Vec<Problem> {
    let header = &copy.header;
    let mut problems = Vec::new();
    if copy.sum.is_none() {
        return problems;
    }
    if header.header_type != copy.which.header_type() {
        let message = format!("header_type is {}, expected {}", header.header_type, copy.which.header_type());
        problems.push(Problem::error("header-type", message));
    }
    if header.is_open() {
        let message = "the copy is open: an update of it was not finished";
        problems.push(Problem::warning("copy-open", message));
    }
    if !matches!(&header.ddf_rev, [b'0', b'0'..=b'2', b'.', ..]) {
        let message = format!("ddf_rev is {}, expected 01.* or 02.*", escape::escape_padded(&header.ddf_rev));
        problems.push(Problem::warning("version", message));
    }
    if !(2..=1024).contains(&header.configuration_record_length) {
        let length = header.configuration_record_length;
        let message = format!("configuration_record_length is {length}, expected 2 to 1024");
        problems.push(Problem::error("record-length", message));
    }
    let record = super::read::record_length(header, ddf.block);
    if tables::element_room(header.max_primary_element_entries, record).is_none() {
        let message = format!(
            "max_primary_element_entries is {}, which does not fit into records of {record} bytes",
            header.max_primary_element_entries
        );
        problems.push(Problem::error("element-count", message));
    }
    if let Some(anchor) = ddf.anchor.as_ref().filter(|anchor| anchor.sum.is_some()) {
        problems.extend(differences(&anchor.header, header));
    }
    let name = copy.which.name();
    problems
        .into_iter()
        .map(|problem| Problem { message: format!("{name} header: {}", problem.message), ..problem })
        .collect()
}

/// What an anchor and a header must have alike.
fn differences(anchor: &Header, header: &Header) -> Option<Problem> {
    let fields = [
        ("ddf_header_guid", anchor.ddf_header_guid == header.ddf_header_guid),
        ("ddf_rev", anchor.ddf_rev == header.ddf_rev),
        ("primary_header_lba", anchor.primary_header_lba == header.primary_header_lba),
        ("secondary_header_lba", anchor.secondary_header_lba == header.secondary_header_lba),
    ];
    let differing: Vec<&str> = fields.into_iter().filter(|(_, equal)| !equal).map(|(name, _)| name).collect();
    (!differing.is_empty())
        .then(|| Problem::error("anchor-differs", format!("{} not as in the anchor", differing.join(", "))))
}

/// Whether the two copies say the same, and if not, which one is believed.
fn agreement(ddf: &Ddf) -> Option<Problem> {
    let (believed, other) = (ddf.believed()?, ddf.other()?);
    other.sum?;
    let (own, theirs) = (believed.header.sequence_number, other.header.sequence_number);
    let what = if own != theirs {
        format!(
            "the {} copy has sequence number {theirs}, the {} {own}",
            other.which.name(),
            believed.which.name()
        )
    } else if other.is_sound() && !believed.says_the_same(other) {
        format!(
            "the {} copy has the same sequence number as the {} but other content",
            other.which.name(),
            believed.which.name()
        )
    } else {
        return None;
    };
    Some(Problem::warning("copies-differ", format!("{what}; the {} is believed", believed.which.name())))
}

/// Rules about the heads of the tables of disks.
fn tables(ddf: &Ddf) -> Vec<Problem> {
    let counts =
        [(Kind::PhysicalDisks, ddf.physical_disks().len()), (Kind::VirtualDisks, ddf.virtual_disks().len())];
    let rule = |(kind, used): (Kind, usize)| {
        let section = ddf.section(kind)?;
        let head = TableHead::decode(&section.bytes, ddf.endian)?;
        let room = tables::entry_count(&section.bytes, ddf.endian);
        let (said, max) = (usize::from(head.populated_entries), usize::from(head.max_entries));
        let name = kind.name();
        if max > room {
            let message = format!("{name}: max_entries is {max}, the section has room for {room}");
            return Some(Problem::error("table-size", message));
        }
        // mdadm leaves the count of virtual disks as it is when it deletes one.
        (said != used).then(|| {
            let message = format!("{name}: populated_entries is {said}, {used} entries are in use");
            Problem::warning("entry-count", message)
        })
    };
    counts.into_iter().filter_map(rule).collect()
}

/// Rules about the disks of the group, and this disk among them.
fn disks(ddf: &Ddf) -> Vec<Problem> {
    let disks = ddf.physical_disks();
    let mut problems = Vec::new();
    for (place, (index, disk)) in disks.iter().enumerate() {
        let twin = disks.iter().take(place).find(|(_, other)| other.pd_reference == disk.pd_reference);
        if let Some((other, _)) = twin {
            let message = format!(
                "physical_disks: entries {other} and {index} have the same reference {:08x}",
                disk.pd_reference
            );
            problems.push(Problem::error("duplicate-reference", message));
        }
    }
    problems.extend(own_disk(ddf, &disks));
    problems
}

fn own_disk(ddf: &Ddf, disks: &[(usize, PdEntry)]) -> Vec<Problem> {
    let Some(own) = ddf.disk_data() else { return Vec::new() };
    let Some((_, entry)) = disks.iter().find(|(_, disk)| disk.pd_reference == own.pd_reference) else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    if !volume::same_guid(&entry.pd_guid, &own.pd_guid) {
        let message =
            format!("the GUID of disk {:08x} is not the one that the table has for it", own.pd_reference);
        problems.push(Problem::warning("disk-guid", message));
    }
    if entry.pd_type & (pd_type::FOREIGN | pd_type::PASS_THROUGH) != 0 {
        let message = format!("the group counts disk {:08x} as foreign or passed through", own.pd_reference);
        problems.push(Problem::note("foreign-disk", message));
    }
    let device = ddf.size.whole_sectors();
    let end = usable(ddf, entry);
    if end > device {
        let message = format!("the device has {device} sectors, the metadata speaks of at least {end}");
        problems.push(Problem::warning("device-too-small", message));
    }
    problems
}

/// What a disk has for data. Adaptec writes 32 bits of it, and leaves the upper ones blank.
pub(super) fn usable(ddf: &Ddf, disk: &PdEntry) -> Sectors {
    const BLANK: u64 = 0xffff_ffff_0000_0000;
    let blocks = disk.configured_size;
    ddf.sectors(if blocks & BLANK == BLANK { blocks & !BLANK } else { blocks })
}

/// Rules about the configuration records.
fn records(ddf: &Ddf) -> Vec<Problem> {
    let mut problems = Vec::new();
    let disks = ddf.virtual_disks();
    for config in ddf.configs().iter().filter(|config| config.is_sound) {
        let known = disks.iter().any(|(_, disk)| volume::same_guid(&disk.vd_guid, &config.head.vd_guid));
        let of = format!("configurations[{}]", config.index);
        if !config.fits {
            let message = format!("{of}: its tables do not fit into the record");
            problems.push(Problem::error("element-count", message));
        }
        if !known {
            let guid = names::guid_text(&config.head.vd_guid);
            let message = format!("{of}: there is no virtual disk {guid}; the record is ignored");
            problems.push(Problem::note("orphan-configuration", message));
        }
    }
    if let Some((head, spares)) = ddf.spare() {
        let said = usize::from(head.populated_entries);
        if said != spares.len() {
            let message =
                format!("spare assignment: populated_entries is {said}, {} are there", spares.len());
            problems.push(Problem::warning("entry-count", message));
        }
    }
    problems
}

/// A problem of a virtual disk, with its name.
fn of_volume(disk: &VdEntry, problem: Problem) -> Problem {
    let name = escape::escape(names::volume_name(&disk.vd_name));
    let name = if name.is_empty() { names::guid_text(&disk.vd_guid) } else { name };
    Problem { message: format!("volume {name}: {}", problem.message), ..problem }
}

/// All that is wrong with a virtual disk, of which this disk has these configurations.
pub(super) fn volume(ddf: &Ddf, disk: &VdEntry, configs: &[Config]) -> Vec<Problem> {
    let mut problems = state(disk);
    for config in configs {
        problems.extend(elements(ddf, config));
        match volume::shape(ddf, &config.head) {
            Ok(shape) => {
                size(ddf, &config.head, &shape, &mut problems);
                problems.extend(doubts(&config.head, &shape));
            }
            Err(problem) => problems.push(problem),
        }
    }
    problems.extend(contradiction(configs));
    problems.extend(overlap(ddf, configs));
    let mut unique: Vec<Problem> = Vec::new();
    for problem in problems.into_iter().map(|problem| of_volume(disk, problem)) {
        if !unique.contains(&problem) {
            unique.push(problem);
        }
    }
    unique
}

/// Rules about the state of a virtual disk.
fn state(disk: &VdEntry) -> Vec<Problem> {
    const MORPHING: u8 = 0x08;
    let rules = [
        (disk.vd_state & MORPHING != 0).then(|| {
            Problem::error(
                "unsupported-migration",
                "the geometry is being changed, and how far is not recorded",
            )
        }),
        (disk.vd_state & 7 == 7).then(|| {
            Problem::warning(
                "volume-state",
                format!("vd_state is {:#04x}, expected 0 to 6", disk.vd_state & 7),
            )
        }),
        (disk.init_state & 3 == 3).then(|| {
            Problem::warning(
                "volume-state",
                format!("init_state is {:#04x}, expected 0 to 2", disk.init_state & 3),
            )
        }),
    ];
    rules.into_iter().flatten().collect()
}

/// Rules about the disks of one element.
fn elements(ddf: &Ddf, config: &Config) -> Vec<Problem> {
    let head = &config.head;
    let mut problems = Vec::new();
    let expected = usize::from(head.primary_element_count);
    if config.elements.len() != expected {
        let message =
            format!("primary_element_count is {expected}, {} disks are named", config.elements.len());
        problems.push(Problem::error("member-count", message));
    }
    if head.secondary_element_count == 0 {
        problems.push(Problem::error("element-count", "secondary_element_count is 0, expected at least 1"));
    } else if head.secondary_element_seq >= head.secondary_element_count {
        let message = format!(
            "secondary_element_seq is {}, there are {} elements",
            head.secondary_element_seq, head.secondary_element_count
        );
        problems.push(Problem::error("element-count", message));
    }
    let disks = ddf.physical_disks();
    for (rank, element) in config.elements.iter().enumerate() {
        let Some(reference) = element.reference else { continue };
        let first = config.elements.iter().position(|other| other.reference == Some(reference));
        if first.is_some_and(|first| first < rank) {
            let message =
                format!("slots {} and {rank} both have disk {reference:08x}", first.unwrap_or_default());
            problems.push(Problem::error("duplicate-disk", message));
        }
        match disks.iter().find(|(_, disk)| disk.pd_reference == reference) {
            None => {
                let message = format!("slot {rank} has disk {reference:08x}, which is not in the table");
                problems.push(Problem::warning("disk-index", message));
            }
            Some((_, disk)) => problems.extend(extent(ddf, head, element.start, disk)),
        }
    }
    problems
}

/// Whether the data of an element end where the disk's space for data does.
fn extent(ddf: &Ddf, head: &VdConfig, start: u64, disk: &PdEntry) -> Option<Problem> {
    let end = start.checked_add(head.block_count).map(|end| ddf.sectors(end));
    let usable = usable(ddf, disk);
    (end.is_none_or(|end| end > usable)).then(|| {
        let message = format!(
            "the data is {} blocks from {start} on, disk {:08x} has {usable} sectors",
            head.block_count, disk.pd_reference
        );
        Problem::error("out-of-range", message)
    })
}

/// The size that is to be used: the recorded one, but not more than has a place.
pub(super) fn size(ddf: &Ddf, head: &VdConfig, shape: &Shape, problems: &mut Vec<Problem>) -> Sectors {
    let size = ddf.sectors(head.vd_size);
    let per_member = ddf.sectors(head.block_count);
    let holds = match shape {
        Shape::Flat(geometry) | Shape::Interleaved(geometry) => capacity(geometry, per_member),
        Shape::Nested { inner, outer } => {
            let element = capacity(inner, per_member);
            // Without the others' configurations, their sizes are not known.
            if outer.chunk.is_none() { capacity(outer, element).max(size) } else { capacity(outer, element) }
        }
    };
    if size.is_zero() || holds.is_zero() {
        problems
            .push(Problem::error("volume-size", format!("the size is {size} sectors, {holds} have a place")));
    } else if size > holds && shape.geometry().level != crate::geometry::Level::Linear {
        let message = format!("the size is {size} sectors, only {holds} have a place");
        problems.push(Problem::warning("volume-size", message));
        return holds;
    }
    size
}

/// What is not certain about a level.
fn doubts(head: &VdConfig, shape: &Shape) -> Option<Problem> {
    const RAID1E: u8 = 0x11;
    match (shape, head.primary_raid_level, head.raid_level_qualifier) {
        (Shape::Nested { outer, .. }, _, _) if outer.chunk.is_some() => Some(Problem::warning(
            "disputed-layout",
            "the elements are taken to be striped by the data of a whole stripe of theirs; real sets of the kind have not been seen",
        )),
        (_, RAID1E, 1) => Some(Problem::warning(
            "disputed-layout",
            "raid1e with offset: mdadm keeps the second copy far away, the specification in the next row",
        )),
        _ => None,
    }
}

/// Whether the configurations of one virtual disk contradict each other.
fn contradiction(configs: &[Config]) -> Option<Problem> {
    let key = |config: &Config| {
        let head = &config.head;
        (
            head.primary_raid_level,
            head.raid_level_qualifier,
            head.secondary_raid_level,
            head.secondary_element_count,
            head.strip_size,
        )
    };
    let first = configs.first()?;
    let other = configs.iter().find(|other| key(other) != key(first))?;
    let message = format!("configurations[{}] and [{}] describe it otherwise", first.index, other.index);
    Some(Problem::error("contradiction", message))
}

/// Whether another virtual disk uses the same blocks of a disk.
fn overlap(ddf: &Ddf, configs: &[Config]) -> Option<Problem> {
    let all = ddf.configs();
    let others = |config: &Config| {
        let guid = config.head.vd_guid;
        let index = config.index;
        all.iter().filter(move |other| other.is_sound && other.index < index && !is_blank(&guid))
    };
    let known: Vec<VdEntry> = ddf.virtual_disks().into_iter().map(|(_, disk)| disk).collect();
    let is_known =
        |config: &&Config| known.iter().any(|disk| volume::same_guid(&disk.vd_guid, &config.head.vd_guid));
    let end = |start: u64, config: &Config| start.saturating_add(config.head.block_count);
    for config in configs {
        for other in others(config).filter(is_known) {
            for element in
                config.elements.iter().filter(|element| element.reference.is_some_and(|r| r != NONE))
            {
                let mut theirs = other.elements.iter().filter(|their| their.reference == element.reference);
                if theirs.any(|their| {
                    their.start < end(element.start, config) && element.start < end(their.start, other)
                }) {
                    let message = format!(
                        "its blocks on disk {:08x} overlap those of configurations[{}]",
                        element.reference.unwrap_or_default(),
                        other.index
                    );
                    return Some(Problem::error("overlap", message));
                }
            }
        }
    }
    None
}

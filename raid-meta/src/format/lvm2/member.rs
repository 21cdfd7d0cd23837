//! A physical volume: its label, its metadata areas, and the group that they describe.

use super::area::{MetadataArea, Role, Text, seal_header, seal_text};
use super::label::{self, Label};
use super::vg::Vg;
use super::{NAME, text, view};
use crate::device::Device;
use crate::format::claims::Claims;
use crate::format::{Found, Metadata};
use crate::model::{Area, Field, MemberView};
use crate::record::{ChecksumState, Problem};
use crate::units::{Bytes, Count};

/// Most metadata areas that are looked at; LVM makes at most two.
const MAX_AREAS: usize = 4;

/// A physical volume.
#[derive(Debug)]
pub(super) struct Lvm2Member {
    label: Label,
    areas: Vec<MetadataArea>,
    vg: Option<Vg>,
    /// What is wrong around it.
    problems: Vec<Problem>,
}

impl Lvm2Member {
    /// Reads what a label leads to.
    pub(super) fn load(device: &Device, label: Label, problems: Vec<Problem>) -> Self {
        let locations = label.metadata.entries.iter().take(MAX_AREAS).enumerate();
        let mut claims = Claims::default();
        claims.take(label.offset, label.bytes.len());
        let read = |(number, location)| MetadataArea::read(device, number, location, &mut claims);
        let areas: Vec<MetadataArea> = locations.map(read).collect();
        let mut member = Self { label, areas, vg: None, problems };
        member.problems.extend(member.label.check(crate::device::ReadAt::size(device)));
        member.vg = member.freshest();
        member
    }

    /// What the text with the highest sequence number says.
    fn freshest(&mut self) -> Option<Vg> {
        let texts = self.areas.iter().filter_map(MetadataArea::committed);
        let groups: Vec<Vg> = texts.filter_map(|text| Vg::read(text.root()?)).collect();
        let seqnos: Vec<u64> = groups.iter().map(|vg| vg.seqno).collect();
        let most = seqnos.iter().max().copied();
        if let Some(least) = seqnos.iter().min().copied().filter(|&least| Some(least) != most) {
            let message =
                format!("one metadata area has sequence number {}, another {}", Count(least), Count(most?));
            self.problems.push(Problem::warning("areas-disagree", message));
        }
        let vg = groups.into_iter().find(|vg| Some(vg.seqno) == most);
        if vg.is_none() && self.areas.iter().any(|area| area.committed().is_some()) {
            let message = "the text is well-formed, but has no group with an id, a seqno and an extent_size";
            self.problems.push(Problem::error("group-invalid", message));
        }
        vg
    }

    pub(super) fn into_found(self) -> Found {
        Found {
            offset: self.label.offset,
            version: Some(self.version()),
            problems: self.label.damage(),
            metadata: Some(Box::new(self)),
        }
    }

    pub(super) fn metadata_areas(&self) -> &[MetadataArea] {
        &self.areas
    }

    fn text_areas(text: &Text) -> impl Iterator<Item = Area> {
        let area = |(offset, bytes): (Bytes, &[u8])| Area {
            role: text.role.area_role(),
            offset,
            bytes: bytes.to_vec(),
            checksum: text.checksum,
        };
        text.parts().map(area)
    }

    fn label_checksum(&self) -> ChecksumState {
        match self.label.header.crc == self.label.computed_checksum() {
            true => ChecksumState::Ok,
            false => ChecksumState::Bad,
        }
    }
}

/// What is put before the names of a text's fields: nothing for the first text of all.
fn prefix(number: usize, role: Role) -> String {
    match (number, role) {
        (0, Role::Committed) => String::new(),
        (_, Role::Committed) => format!("mda[{number}]."),
        (_, Role::Precommitted) => format!("mda[{number}].precommitted."),
    }
}

impl Metadata for Lvm2Member {
    fn format(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> String {
        "LVM2 001".to_owned()
    }

    fn areas(&self) -> Vec<Area> {
        let mut areas = vec![Area {
            role: "label",
            offset: self.label.offset,
            bytes: self.label.bytes.clone(),
            checksum: self.label_checksum(),
        }];
        for area in self.areas.iter().filter(|area| !area.bytes.is_empty()) {
            areas.push(Area {
                role: "metadata-header",
                offset: area.offset,
                bytes: area.bytes.clone(),
                checksum: area.checksum(),
            });
            areas.extend(area.texts.iter().flat_map(Self::text_areas));
        }
        areas
    }

    fn fields(&self) -> Vec<Field> {
        let mut fields = self.label.fields();
        for (number, area) in self.areas.iter().enumerate().filter(|(_, area)| !area.bytes.is_empty()) {
            fields.extend(area.fields(number));
            fields.extend(area.texts.iter().flat_map(|text| text::fields(text, &prefix(number, text.role))));
        }
        fields
    }

    fn check(&self) -> Vec<Problem> {
        let mut problems = self.label.damage();
        problems.extend(self.problems.iter().cloned());
        problems.extend(self.areas.iter().flat_map(|area| area.problems.iter().cloned()));
        problems
    }

    fn seal(&self, areas: &mut [Area]) {
        let mut rest = areas;
        if let Some((first, after)) = std::mem::take(&mut rest).split_first_mut() {
            label::seal(&mut first.bytes);
            rest = after;
        }
        for area in self.areas.iter().filter(|area| !area.bytes.is_empty()) {
            let Some((header, after)) = std::mem::take(&mut rest).split_first_mut() else { return };
            rest = after;
            for text in &area.texts {
                let Some((pieces, after)) = std::mem::take(&mut rest).split_at_mut_checked(text.pieces.len())
                else {
                    return;
                };
                let bytes: Vec<u8> = pieces.iter().flat_map(|piece| piece.bytes.iter().copied()).collect();
                seal_text(&mut header.bytes, text.role, &bytes);
                rest = after;
            }
            seal_header(&mut header.bytes);
        }
    }

    fn copies_agree(&self) -> bool {
        let texts: Vec<_> = self.areas.iter().filter_map(|area| Some(&area.committed()?.bytes)).collect();
        texts.len() > 1 && texts.windows(2).all(|pair| pair.first() == pair.last())
    }

    fn view(&self, device: &Device) -> MemberView {
        match (&self.vg, self.label.uuid()) {
            (Some(vg), Some(uuid)) => view::member(vg, uuid, device),
            (_, uuid) => view::without_metadata(uuid, self.label.is_used()),
        }
    }
}

//! One superblock with all that hangs on it, as the registry's metadata.

use super::facts::Facts;
use super::parts::Parts;
use super::place::Place;
use super::v0::V0;
use super::v1::V1;
use super::view;
use crate::device::Device;
use crate::format::Metadata;
use crate::model::{Area, Field, MemberView};
use crate::record::Problem;

/// A superblock of either kind.
#[derive(Clone, Debug)]
pub(super) enum Superblock {
    /// 0.90.
    V0(Box<V0>),
    /// 1.x.
    V1(Box<V1>),
}

impl Superblock {
    fn facts(&self) -> Facts {
        match self {
            Self::V0(superblock) => superblock.facts(),
            Self::V1(superblock) => superblock.facts(),
        }
    }

    fn area(&self, place: &Place) -> Area {
        let (bytes, checksum) = match self {
            Self::V0(superblock) => (superblock.encode(), superblock.checksum()),
            Self::V1(superblock) => (superblock.encode(), superblock.checksum()),
        };
        Area { role: "superblock", offset: place.offset(), bytes, checksum }
    }

    fn fields(&self, place: &Place) -> Vec<Field> {
        match self {
            Self::V0(superblock) => superblock.fields(place.offset()),
            Self::V1(superblock) => superblock.fields(place.offset()),
        }
    }
}

/// What is on one device.
#[derive(Clone, Debug)]
pub(super) struct MdMember {
    place: Place,
    superblock: Superblock,
    facts: Facts,
    parts: Parts,
    problems: Vec<Problem>,
}

impl MdMember {
    /// Puts together a superblock with its problems, and reads what hangs on it.
    pub(super) fn load(
        device: &Device,
        place: Place,
        superblock: Superblock,
        problems: Vec<Problem>,
    ) -> Self {
        let facts = superblock.facts();
        let parts = match &superblock {
            Superblock::V0(_) => Parts::of_v0(device, &place, &facts),
            Superblock::V1(superblock) => Parts::of_v1(device, &place, superblock, &facts),
        };
        Self { place, superblock, facts, parts, problems }
    }
}

impl Metadata for MdMember {
    fn format(&self) -> &'static str {
        super::NAME
    }

    fn version(&self) -> String {
        self.place.version.name().to_owned()
    }

    fn areas(&self) -> Vec<Area> {
        let mut areas = vec![self.superblock.area(&self.place)];
        areas.extend(self.parts.areas(&self.facts.uuid_bytes));
        areas
    }

    fn fields(&self) -> Vec<Field> {
        let mut fields = self.superblock.fields(&self.place);
        fields.extend(self.parts.fields());
        fields
    }

    fn check(&self) -> Vec<Problem> {
        let mut problems = self.problems.clone();
        problems.extend(view::problems(&self.facts));
        problems.extend(self.parts.problems.iter().cloned());
        problems
    }

    fn seal(&self, areas: &mut [Area]) {
        super::seal::seal(areas, &self.place, &self.facts.uuid_bytes);
    }

    fn view(&self, _device: &Device) -> MemberView {
        view::view(&self.facts, &self.parts)
    }
}

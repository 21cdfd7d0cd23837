//! Every candidate on a device, with the evidence it rests on.

use crate::device::{Device, DeviceError};
use crate::format::{Format, Found, Metadata};
use crate::model::{Area, MemberView, VolumeView};
use crate::record::{AreaRecord, ChecksumState, Evidence, MemberRecord, Problem, Role, V1, VolumeRecord};
use crate::units::{Bytes, Count};

/// One metadata instance on one device window.
#[derive(Debug)]
pub struct Member {
    /// The window that it describes.
    pub device: Device,
    /// Its format.
    pub format: &'static dyn Format,
    /// What was found.
    pub found: Found,
    /// What it means; none when too little is left of it.
    pub view: Option<MemberView>,
    /// What the find rests on.
    pub evidence: Vec<Evidence>,
    /// All that is wrong with it: the format's, the view's, and what the comparison with others shows.
    pub problems: Vec<Problem>,
    /// It was found by searching ([`crate::carve`]), not where the device keeps its metadata.
    pub carved: bool,
}

impl Member {
    fn new(device: &Device, format: &'static dyn Format, found: Found) -> Self {
        let view = found.metadata.as_ref().map(|metadata| metadata.view(device));
        let mut member = Self {
            device: device.clone(),
            format,
            found,
            view,
            evidence: Vec::new(),
            problems: Vec::new(),
            carved: false,
        };
        let mut problems = member.found.problems.clone();
        if let Some(metadata) = &member.found.metadata {
            problems.extend(metadata.check());
        }
        if let Some(view) = &member.view {
            problems.extend(view.problems.iter().cloned());
            problems.extend(view.volumes.iter().flat_map(|volume| volume.problems.iter().cloned()));
        }
        for problem in problems {
            member.add_problem(problem);
        }
        member.evidence = member.own_evidence();
        member
    }

    /// Adds a problem, unless it is known already.
    pub fn add_problem(&mut self, problem: Problem) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// Whether it has a problem of that code.
    #[must_use]
    pub fn has_problem(&self, code: &str) -> bool {
        self.problems.iter().any(|problem| problem.code == code)
    }

    /// Whether the metadata can be believed: it was decoded, and the decoder found no error.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.view.is_some() && !self.found.problems.iter().any(Problem::is_error)
    }

    /// The decoded metadata.
    #[must_use]
    pub fn metadata(&self) -> Option<&dyn Metadata> {
        self.found.metadata.as_deref()
    }

    /// Where the metadata begins on the disk below the window.
    #[must_use]
    pub fn disk_offset(&self) -> Bytes {
        self.device.offset().saturating_add(self.found.offset)
    }

    /// Whether all data that the metadata speaks of fits into the window.
    #[must_use]
    pub fn data_fits(&self) -> bool {
        let volumes = self.view.iter().flat_map(|view| &view.volumes);
        volumes.filter_map(|volume| volume.own.as_ref()).all(|own| {
            own.offset
                .checked_add(own.available.max(own.length))
                .is_some_and(|end| end <= self.device.length_sectors())
        })
    }

    /// What the find rests on, from the instance alone.
    fn own_evidence(&self) -> Vec<Evidence> {
        let mut evidence = vec![Evidence::Signature];
        let areas = self.areas();
        let any = |state| areas.iter().any(|area| area.checksum == state);
        if any(ChecksumState::Ok) && !any(ChecksumState::Bad) {
            evidence.push(Evidence::Checksum);
        }
        if self.metadata().is_some_and(Metadata::copies_agree) {
            evidence.push(Evidence::Copies);
        }
        // Who the disk is in its set is no matter of bounds.
        let is_out_of_bounds = |problem: &Problem| problem.is_error() && problem.code != "slot-unknown";
        if self.view.is_some() && !self.problems.iter().any(is_out_of_bounds) {
            evidence.push(Evidence::Bounds);
        }
        evidence
    }

    fn areas(&self) -> Vec<Area> {
        self.metadata().map(Metadata::areas).unwrap_or_default()
    }

    /// The record.
    #[must_use]
    pub fn record(&self) -> MemberRecord {
        let view = self.view.as_ref();
        MemberRecord {
            v: V1,
            device: self.device.path_text(),
            device_offset_sectors: self.device.offset_sectors(),
            device_length_sectors: self.device.length_sectors(),
            serial: self.device.serial().map(|serial| crate::escape::escape(serial.as_bytes())),
            format: self.format.name().to_owned(),
            metadata_version: self.metadata().map(Metadata::version).or_else(|| self.found.version.clone()),
            set_id: view.map(|view| view.set_id.clone()).filter(|id| !id.is_empty()),
            set_name: view.and_then(|view| view.set_name.clone()),
            member_id: view.and_then(|view| view.member_id.clone()),
            generation: view.map(|view| Count(view.generation)),
            role: view.map_or(Role::Unknown, |view| view.role),
            evidence: self.evidence.clone(),
            metadata: self.areas().iter().map(area_record).collect(),
            volumes: view.map(|view| view.volumes.iter().map(volume_record).collect()).unwrap_or_default(),
            problems: self.problems.clone(),
        }
    }
}

/// The record of an area.
pub(crate) fn area_record(area: &Area) -> AreaRecord {
    AreaRecord {
        role: area.role.to_owned(),
        offset_bytes: area.offset,
        length_bytes: Bytes(area.bytes.len() as u64),
        checksum: area.checksum,
    }
}

fn volume_record(volume: &VolumeView) -> VolumeRecord {
    let geometry = volume.geometry.as_ref();
    let own = volume.own.as_ref();
    VolumeRecord {
        name: volume.name.clone(),
        uuid: Some(volume.uuid.clone()).filter(|uuid| !uuid.is_empty()),
        level: geometry.map(|geometry| geometry.level).or(volume.level),
        layout: geometry.and_then(|geometry| geometry.layout),
        chunk_sectors: geometry.and_then(|geometry| geometry.chunk),
        size_sectors: Some(volume.size),
        slots: geometry.map(|geometry| geometry.slots),
        slot: own.and_then(|own| own.slot),
        data_offset_sectors: own.map(|own| own.offset),
        data_length_sectors: own.map(|own| own.length),
        state: volume.state.clone(),
    }
}

/// Asks each of the formats what it finds on one window.
///
/// # Errors
/// A read failed.
pub fn identify(device: &Device, formats: &[&'static dyn Format]) -> Result<Vec<Member>, DeviceError> {
    let mut members = Vec::new();
    for format in formats {
        let found = format.find(device)?;
        members.extend(found.into_iter().map(|found| Member::new(device, *format, found)));
    }
    Ok(members)
}

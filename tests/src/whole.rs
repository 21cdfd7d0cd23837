//! All that the programs do with a set, in one process and in memory: probe, records, tables, pictures, and an
//! assembled array to read from.

use crate::Fixture;
use crate::sparse::SparseDisk;
use raid_meta::device::{Device, ReadAt};
use raid_meta::escape::text_to_path;
use raid_meta::format::Metadata;
use raid_meta::probe::{Options, Probe, probe};
use raid_meta::record::{ArrayMember, ArrayRecord, Record, read_records};
use raid_meta::units::{Bytes, Sectors};
use raid_table::volume::{OpenOptions, Sources, Volume};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

/// A disk of a set in memory.
#[derive(Clone, Debug)]
pub struct Disk {
    /// What records call it.
    pub path: PathBuf,
    /// Serial number.
    pub serial: Option<String>,
    /// Content.
    pub content: SparseDisk,
}

/// The disks of a set in memory.
#[derive(Clone, Debug)]
pub struct Disks(pub Vec<Disk>);

impl Disks {
    /// Loads a fixture.
    ///
    /// # Panics
    /// Its images can not be read.
    #[must_use]
    pub fn load(set: &Fixture) -> Self {
        let load = |path: &PathBuf| Disk {
            path: path.file_name().expect("an image has a name").into(),
            serial: fs::read_to_string(path.with_extension("img.serial"))
                .ok()
                .map(|text| text.trim_end().into()),
            content: SparseDisk::load(path).expect("an image can be read"),
        };
        Self(set.disks.iter().map(load).collect())
    }

    /// One disk without serial number.
    #[must_use]
    pub fn one(content: SparseDisk) -> Self {
        Self(vec![Disk { path: "disk.img".into(), serial: None, content }])
    }

    /// The same set with another content of one disk.
    #[must_use]
    pub fn with(&self, index: usize, content: SparseDisk) -> Self {
        let mut disks = self.clone();
        disks.0[index].content = content;
        disks
    }

    /// One disk of the set alone.
    #[must_use]
    pub fn only(&self, index: usize) -> Self {
        Self(vec![self.0[index].clone()])
    }

    /// Probes the set.
    #[must_use]
    pub fn probe(&self) -> Probe {
        let device = |disk: &Disk| {
            let content: Arc<dyn ReadAt> = Arc::new(disk.content.clone());
            Device::whole(&disk.path, content).with_serial(disk.serial.clone())
        };
        probe(self.0.iter().map(device), &Options::default())
    }

    /// Opens an array of the set for reading, through those of the records that it consists of; else why not.
    ///
    /// # Errors
    /// One line.
    pub fn open(&self, array: &ArrayRecord, arrays: &[ArrayRecord]) -> Result<Volume, String> {
        Volume::open_nested(array, arrays, self, OpenOptions::default()).map_err(|error| error.to_string())
    }

    /// Does with the set what the programs do. What is refused is refused; nothing else is looked at.
    ///
    /// # Panics
    /// A record can not be read back, or a problem has no code.
    pub fn walk(&self) -> Probe {
        let found = self.probe();
        for member in &found.members {
            assert!(member.problems.iter().all(|problem| is_code(&problem.code)), "{:?}", member.problems);
            if let Some(metadata) = member.metadata() {
                let _ = (metadata.fields(), metadata.check());
            }
            read_back(&Record::Member(member.record()));
        }
        for array in &found.arrays {
            assert!(array.problems.iter().all(|problem| is_code(&problem.code)), "{:?}", array.problems);
            read_back(&Record::Array(array.clone()));
            let _ = (raid_table::draw::text(array, 80, false), raid_table::draw::svg(array));
            let options = raid_table::plan::Options { degraded: true, read_only: true, ..Default::default() };
            let _ = raid_table::plan::plan(array, &found.arrays, &options);
            if let Ok(volume) = self.open(array, &found.arrays) {
                read_here_and_there(&volume);
            }
        }
        found
    }
}

fn read_back(record: &Record) {
    let line = record.to_line().expect("every record is representable");
    let read: Vec<_> = read_records("test", line.as_bytes()).collect();
    assert!(matches!(&read[..], [Ok(again)] if again == record), "{line}: {read:?}");
}

fn is_code(code: &str) -> bool {
    !code.is_empty() && code.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// The start, the middle and the end, in odd pieces.
fn read_here_and_there(volume: &Volume) {
    let size = ReadAt::size(volume).0;
    let mut buffer = vec![0; 70_001];
    for at in [0, size / 3, size / 2, size.saturating_sub(70_001)] {
        let length = usize::try_from(size - at).map_or(buffer.len(), |rest| rest.min(buffer.len()));
        let _ = volume.read(Bytes(at), &mut buffer[..length]);
    }
}

/// Members are found by their path in memory.
impl Sources for Disks {
    fn open(&self, member: &ArrayMember) -> Result<Arc<dyn ReadAt>, String> {
        let name = member.device.as_deref().ok_or("no device")?;
        let path = text_to_path(name);
        let disk = self.0.iter().find(|disk| disk.path == path).ok_or("no such disk")?;
        let device = Device::whole(&path, Arc::new(disk.content.clone()));
        let bytes = |sectors: Sectors| sectors.to_bytes().unwrap_or(Bytes::MAX);
        let offset = bytes(member.device_offset_sectors.unwrap_or_default());
        let rest = device.size().saturating_sub(offset);
        let length = member.device_length_sectors.map_or(rest, |length| bytes(length).min(rest));
        let window = device.window(offset, length).ok_or("the window is not inside of the disk")?;
        Ok(Arc::new(window))
    }
}

/// A field of the metadata of a disk: its name, where it is on the disk, and its size.
#[derive(Clone, Debug)]
pub struct Place {
    /// Name.
    pub name: String,
    /// First byte on the disk.
    pub offset: u64,
    /// Bytes.
    pub size: usize,
}

/// Every field of every metadata instance of a disk, with the format and where its first structure is.
#[must_use]
pub fn fields(found: &Probe) -> Vec<(&'static str, u64, Vec<Place>)> {
    let instances = found.members.iter().filter_map(|member| Some((member, member.metadata()?)));
    instances
        .map(|(member, metadata)| {
            let places = metadata.fields().into_iter().map(|field| Place {
                offset: member.device.offset().0 + field.offset.0,
                size: field.size as usize,
                name: field.name,
            });
            (member.format.name(), member.disk_offset().0, places.collect())
        })
        .collect()
}

/// The bytes of a disk that are metadata: first byte and length of each area.
#[must_use]
pub fn areas(found: &Probe) -> Vec<(u64, u64)> {
    let metadata = found.members.iter().filter_map(|member| Some((member, member.metadata()?)));
    let of = |(member, metadata): (&raid_meta::identify::Member, &dyn Metadata)| {
        let base = member.device.offset().0;
        metadata
            .areas()
            .into_iter()
            .map(move |area| (base + area.offset.0, area.bytes.len() as u64))
            .collect::<Vec<_>>()
    };
    metadata.flat_map(of).collect()
}

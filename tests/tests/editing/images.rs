//! Images of every format: the fixtures, captured disks, and sets that `raid-meta create` makes.

use raid_meta::format::FORMATS;
use raid_tests::{Fixture, Outcome, Run, long, run};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// An image of a disk in a directory of its own, free to be changed.
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// For undo files that are not named.
    state: TempDir,
    _fixture: Option<Fixture>,
}

impl Image {
    fn new(fixture: Fixture, disk: usize) -> Self {
        let name = format!("{} disk {disk}", fixture.name);
        let path = fixture.disks[disk].clone();
        Self { name, path, state: tempfile::tempdir().unwrap(), _fixture: Some(fixture) }
    }

    /// The first disk of a new raid1; none where the format can not be created or has none.
    fn created(format: &str) -> Option<Self> {
        let state = tempfile::tempdir().unwrap();
        let disks = [0, 1].map(|number| state.path().join(format!("disk{number}.img")));
        for (number, disk) in disks.iter().enumerate() {
            fs::File::create(disk).unwrap().set_len(64 << 20).unwrap();
            fs::write(format!("{}.serial", disk.display()), format!("SERIAL0{number}\n")).unwrap();
        }
        let create = run("raid-meta").args(["create", "--write", "--format", format, "--level", "raid1"]);
        let create =
            create.args(["--name", "made"]).args(&disks).env("XDG_STATE_HOME", state.path()).outcome();
        if create.code != Some(0) {
            eprintln!("{format}: {create}");
            return None;
        }
        let [path, _] = disks;
        Some(Self { name: format!("created {format}"), path, state, _fixture: None })
    }

    /// `raid-meta COMMAND`, with a state directory that vanishes.
    pub(crate) fn meta(&self, command: &str) -> Run {
        run("raid-meta").arg(command).env("XDG_STATE_HOME", self.state.path())
    }

    /// `raid-meta COMMAND --write`, which has to work.
    #[track_caller]
    pub(crate) fn write(&self, command: &str) -> Run {
        self.meta(command).arg("--write")
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(&self.path).unwrap()
    }

    /// A file beside the image.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.state.path().join(name)
    }

    /// Fails unless the image holds these bytes; says where the first difference is.
    #[track_caller]
    pub(crate) fn assert_is(&self, expected: &[u8], what: &str) {
        let found = self.bytes();
        assert_eq!(found.len(), expected.len(), "{}: {what}: size", self.name);
        let differs = found.iter().zip(expected).position(|(a, b)| a != b);
        assert_eq!(differs, None, "{}: {what}: first byte that differs", self.name);
    }

    /// The dump; none where nothing is found, or two formats that contradict each other.
    pub(crate) fn dump(&self) -> Option<Outcome> {
        let dump = self.meta("dump").arg(&self.path).outcome();
        matches!(dump.code, Some(0 | 3)).then_some(dump).filter(|dump| !dump.stdout.is_empty())
    }
}

/// The first disk of a fixture, where it is there.
pub(crate) fn open(name: &str) -> Option<Image> {
    Some(Image::new(Fixture::open(name)?, 0))
}

/// Runs a check on an image of each kind; fails when a format of the registry had none.
pub(crate) fn each(mut check: impl FnMut(&Image)) {
    let mut tried = std::collections::BTreeSet::new();
    for image in all() {
        for format in formats(&image) {
            tried.insert(format);
        }
        check(&image);
    }
    let untried: Vec<_> =
        FORMATS.iter().map(|format| format.name()).filter(|name| !tried.contains(*name)).collect();
    eprintln!("formats without an image: {untried:?}");
    assert!(tried.contains("md") && tried.contains("isw"), "tried: {tried:?}");
}

fn formats(image: &Image) -> Vec<String> {
    let members = run("raid-probe").arg(&image.path).outcome().records_of("member");
    members.iter().filter_map(|member| member["format"].as_str().map(str::to_owned)).collect()
}

/// A disk of each set, in a long run all disks of all sets.
fn all() -> impl Iterator<Item = Image> {
    let sets = Fixture::names().into_iter().filter_map(|name| Fixture::open(&name));
    let disks = sets.flat_map(|set| {
        let count = if long() { set.disks.len() } else { set.disks.len().min(1) };
        let name = set.name;
        (0..count).filter_map(move |disk| Some(Image::new(Fixture::open(&name)?, disk)))
    });
    disks.chain(captured()).chain(FORMATS.iter().filter_map(|format| Image::created(format.name())))
}

/// Disks that firmware made, where they are there.
fn captured() -> impl Iterator<Item = Image> {
    let folder = raid_tests::workspace().join("../shared/fixtures/captured");
    let names = fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let mut names: Vec<String> =
        names.filter_map(|name| Some(name.to_str()?.strip_suffix(".img.xz")?.to_owned())).collect();
    names.sort();
    names.into_iter().filter_map(|name| Some(Image::new(Fixture::captured(&name)?, 0)))
}

/// An image in memory as the simulated disk of a machine: the first and the last MiB, where metadata is.
pub(crate) fn simulated(path: &Path) -> raid_meta::device::SimDisk {
    use raid_meta::units::Bytes;
    const END: usize = 2 << 20;
    let bytes = fs::read(path).unwrap();
    let disk = raid_meta::device::SimDisk::new(Bytes(bytes.len() as u64));
    let last = bytes.len().saturating_sub(END);
    disk.load(Bytes(0), &bytes[..bytes.len().min(END)]);
    disk.load(Bytes(last as u64), &bytes[last..]);
    disk
}

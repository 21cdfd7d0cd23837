//! Sets that `raid-meta create` makes: every format, version, level and layout that it says it can.
//!
//! What can be made is found out by asking, so a format that learns to create is tried by every test that loops over
//! [`all`], with no code added. That something once possible does not vanish in silence is the business of the
//! tests of `create` itself.

use crate::{Outcome, run};
use raid_meta::device::{Device, SimDisk};
use raid_meta::format::create::{CreateError, NewSet};
use raid_meta::format::{FORMATS, Format};
use raid_meta::geometry::{Layout, Level, ParityLayout};
use raid_meta::units::Bytes;
use serde_json::Value;
use std::fmt;
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use tempfile::TempDir;

/// Size of every disk: what ddf needs, and nothing is written to most of it.
pub const DISK: u64 = 64 << 20;
/// The name of the volume, unless it has a number.
pub const NAME: &str = "vol0";
/// The time that the metadata records.
pub const TIME: &str = "1800000000";
/// Versions that are asked for beside a format's usual one.
const VERSIONS: [&str; 6] = ["0.90", "1.0", "1.1", "2.0", "01.00.00", "02.00.00"];
/// Numbers of disks that are tried, and how many of those that are possible are used.
const DISKS: [usize; 6] = [2, 3, 4, 5, 6, 8];
const NUMBERS_USED: usize = 2;
/// Layouts of raid10 that are tried; those with parity are all tried.
const RAID10_LAYOUTS: [&str; 6] = ["near-2", "near-3", "far-2", "offset-2", "far-2-sets", "near-2-far-2"];

/// What blkid calls the members of a format.
///
/// # Panics
/// It does not know the format, as far as is known here.
#[must_use]
pub fn blkid_type(format: &str) -> &'static str {
    match format {
        "asr" => "adaptec_raid_member",
        "ddf" => "ddf_raid_member",
        "hpt37x" => "hpt37x_raid_member",
        "hpt45x" => "hpt45x_raid_member",
        "isw" => "isw_raid_member",
        "jmicron" => "jmicron_raid_member",
        "lsi" => "lsi_mega_raid_member",
        "md" => "linux_raid_member",
        "nvidia" => "nvidia_raid_member",
        "pdc" => "promise_fasttrack_raid_member",
        "sil" => "silicon_medley_raid_member",
        "via" => "via_raid_member",
        other => panic!("what does blkid call {other}?"),
    }
}

/// How a set is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Format.
    pub format: &'static str,
    /// Version of the metadata; the format's usual one if none.
    pub version: Option<&'static str>,
    /// Level.
    pub level: Level,
    /// Layout; the format's usual one if none.
    pub layout: Option<Layout>,
    /// Number of disks.
    pub disks: usize,
    /// Name of the volume.
    pub name: String,
    /// Tells it from others that are looked at together: by its serial numbers, identities and images.
    pub number: usize,
}

/// A set on images in a folder of its own, each with its serial number beside it.
#[derive(Debug)]
pub struct MadeSet {
    /// How it was made.
    pub recipe: Recipe,
    /// The images, in the order of the slots.
    pub disks: Vec<PathBuf>,
    /// Their serial numbers.
    pub serials: Vec<String>,
    /// The array as `raid-meta create --write` printed it.
    pub array: Value,
    directory: TempDir,
}

/// Everything that can be made.
#[must_use]
pub fn all() -> Vec<Recipe> {
    static ALL: OnceLock<Vec<Recipe>> = OnceLock::new();
    ALL.get_or_init(|| FORMATS.iter().flat_map(|&format| of_format(format)).collect()).clone()
}

/// What can be made in some formats, numbered: `everything`, or each level with its usual layout, and each version as a
/// mirror.
#[must_use]
pub fn numbered(is_wanted: impl Fn(&str) -> bool, everything: bool) -> Vec<Recipe> {
    let is_usual = |recipe: &Recipe| {
        recipe.layout.is_none() && (recipe.version.is_none() || recipe.level == Level::Raid1)
    };
    let wanted = |recipe: &Recipe| is_wanted(recipe.format) && (everything || is_usual(recipe));
    let recipes = all().into_iter().filter(wanted).enumerate();
    recipes.map(|(number, recipe)| Recipe { number, name: format!("vol{number}"), ..recipe }).collect()
}

fn of_format(format: &'static dyn Format) -> Vec<Recipe> {
    let mut recipes = Vec::new();
    for level in Level::ALL {
        let usual = of_level(format, None, level, None);
        recipes.extend(usual.iter().take(NUMBERS_USED).cloned());
        for layout in layouts(level) {
            recipes.extend(of_level(format, None, level, Some(layout)).into_iter().next());
        }
        for version in VERSIONS {
            recipes.extend(of_level(format, Some(version), level, None).into_iter().take(1));
        }
    }
    recipes
}

fn of_level(
    format: &'static dyn Format,
    version: Option<&'static str>,
    level: Level,
    layout: Option<Layout>,
) -> Vec<Recipe> {
    let name = NAME.to_owned();
    let recipe = |disks| Recipe {
        format: format.name(),
        version,
        level,
        layout,
        disks,
        name: name.clone(),
        number: 0,
    };
    DISKS.into_iter().map(recipe).filter(|recipe| is_possible(format, recipe)).collect()
}

fn layouts(level: Level) -> Vec<Layout> {
    match level {
        Level::Raid4 | Level::Raid5 | Level::Raid6 => ParityLayout::ALL.map(Layout::Parity).to_vec(),
        Level::Raid10 => RAID10_LAYOUTS.iter().filter_map(|name| name.parse().ok()).collect(),
        _ => Vec::new(),
    }
}

/// Whether the format says that it can. What goes wrong on a disk, or after that, is for a test to see.
fn is_possible(format: &'static dyn Format, recipe: &Recipe) -> bool {
    let device = |index: usize| {
        let disk = SimDisk::new(Bytes(DISK));
        let path = PathBuf::from(format!("disk{index}"));
        Device::whole(&path, Arc::new(disk)).with_serial(Some(recipe.serial(index)))
    };
    let set = NewSet {
        version: recipe.version.map(str::to_owned),
        layout: recipe.layout,
        ..NewSet::new(recipe.level, recipe.name.as_str(), (0..recipe.disks).map(device).collect())
    };
    !matches!(format.create(&set), Err(CreateError::Unsupported { .. } | CreateError::Invalid { .. }))
}

impl Recipe {
    fn serial(&self, index: usize) -> String {
        format!("SERIAL{:03}{index:02}", self.number)
    }

    /// Whether Debian's mdadm 4.2 starts it. Of its own formats it does not know version 2 of ddf, its raid4 with the parity
    /// first ("qualifier 0 … is unsupported"), nor Intel's raid10 of more than four disks, and does not start ddf's
    /// concatenation (its own neither: "assembled with 0 devices but not safe to start").
    #[must_use]
    pub fn is_known_to_mdadm(&self) -> bool {
        match self.format {
            "md" => true,
            "ddf" if self.level == Level::Raid4 => {
                self.layout != Some(Layout::Parity(ParityLayout::ParityFirst))
            }
            "ddf" => self.version != Some("02.00.00") && self.level != Level::Linear,
            "isw" => self.level != Level::Raid10 || self.disks <= 4,
            _ => false,
        }
    }

    /// The arguments of `raid-meta create` that ask for it, without the disks.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments: Vec<String> =
            ["--format", self.format, "--level", self.level.name()].map(str::to_owned).to_vec();
        let mut option = |name: &str, value: Option<String>| {
            arguments.extend(value.into_iter().flat_map(|value| [name.to_owned(), value]));
        };
        option("--metadata-version", self.version.map(str::to_owned));
        option("--layout", self.layout.map(|layout| layout.to_string()));
        option("--name", Some(self.name.clone()));
        arguments
    }

    /// Blank images for it, with their serial numbers beside them.
    ///
    /// # Panics
    /// They can not be made.
    #[must_use]
    pub fn blank(&self) -> (TempDir, Vec<PathBuf>) {
        let directory = tempfile::tempdir().expect("a folder for images");
        let image = |index: usize| {
            let path = directory.path().join(format!("set{}-disk{index}.img", self.number));
            File::create(&path).and_then(|file| file.set_len(DISK)).expect("an image");
            fs::write(format!("{}.serial", path.display()), format!("{}\n", self.serial(index)))
                .expect("a serial");
            path
        };
        let disks = (0..self.disks).map(image).collect();
        (directory, disks)
    }

    /// Makes it from blank images, its redundancy taken for valid: blank disks are equal, and their parity is zero.
    ///
    /// # Panics
    /// The program does not.
    #[must_use]
    pub fn make(&self) -> MadeSet {
        self.make_with(&["--assume-clean"])
    }

    /// Makes it from blank images with more arguments.
    ///
    /// # Panics
    /// The program does not.
    #[must_use]
    pub fn make_with(&self, arguments: &[&str]) -> MadeSet {
        let (directory, disks) = self.blank();
        let outcome = self.create(&disks, &[&["--write"], arguments].concat());
        assert_eq!(outcome.code, Some(0), "{self}: {outcome}");
        let array =
            outcome.records_of("array").pop().unwrap_or_else(|| panic!("{self}: no array: {outcome}"));
        let serials = (0..self.disks).map(|index| self.serial(index)).collect();
        MadeSet { recipe: self.clone(), disks, serials, array, directory }
    }

    /// Runs `raid-meta create` for it on disks. Identities and time are always the same.
    #[must_use]
    pub fn create(&self, disks: &[PathBuf], arguments: &[&str]) -> Outcome {
        let undo = disks.first().filter(|_| arguments.contains(&"--write")).and_then(|disk| {
            (0..).map(|number: u32| disk.with_extension(format!("undo{number}"))).find(|path| !path.exists())
        });
        run("raid-meta")
            .arg("create")
            .args(self.arguments())
            .args(["--seed", &format!("made{}", self.number)])
            .args(arguments)
            .args(undo.iter().flat_map(|path| ["--undo".as_ref(), path.as_os_str()]))
            .args(disks)
            .env("SOURCE_DATE_EPOCH", TIME)
            .outcome()
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.format)?;
        if let Some(version) = self.version {
            write!(f, " {version}")?;
        }
        write!(f, " {} of {}", self.level, self.disks)?;
        self.layout.map_or(Ok(()), |layout| write!(f, " {layout}"))
    }
}

impl MadeSet {
    /// The folder that the images are in.
    #[must_use]
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }
}

//! Sets of which a disk was lost, and rebuilt onto a new one by `raid-repair rebuild`.

use crate::recipes::{DISK, MadeSet, Recipe};
use crate::{Outcome, Run, run};
use raid_meta::format::by_name;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Whether a member of such a set can be rebuilt.
///
/// # Panics
/// There is no such format.
#[must_use]
pub fn can_be_rebuilt(recipe: &Recipe) -> bool {
    let format = by_name(recipe.format).expect("a format");
    recipe.level.is_redundant() && format.can_renew()
}

/// The first block of 4096 bytes that can be written: in hpt37x the metadata of its first disk is in the array, at sector 9.
#[must_use]
pub fn first_block(recipe: &Recipe) -> u64 {
    if recipe.format == "hpt37x" { 2 } else { 0 }
}

/// A set and the disk for the place of a lost one.
#[derive(Debug)]
pub struct Lost<'a> {
    set: &'a MadeSet,
    slot: usize,
    /// The new disk.
    pub new: PathBuf,
}

impl<'a> Lost<'a> {
    /// A set without what is in a slot, and a blank disk of the same size.
    ///
    /// # Panics
    /// The disk can not be made.
    #[must_use]
    pub fn new(set: &'a MadeSet, slot: usize) -> Self {
        Self::onto(set, slot, DISK)
    }

    /// The same with a blank disk of that size.
    ///
    /// # Panics
    /// The disk can not be made.
    #[must_use]
    pub fn onto(set: &'a MadeSet, slot: usize, size: u64) -> Self {
        let folder = set.disks.first().and_then(|disk| disk.parent()).expect("a folder");
        let new = folder.join(format!("set{}-new{slot}.img", set.recipe.number));
        File::create(&new).and_then(|file| file.set_len(size)).expect("an image");
        let serial = format!("NEW{:03}{slot:02}\n", set.recipe.number);
        fs::write(format!("{}.serial", new.display()), serial).expect("a serial");
        Self { set, slot, new }
    }

    /// The disks that are left.
    #[must_use]
    pub fn left(&self) -> Vec<PathBuf> {
        let disks = self.set.disks.iter().enumerate();
        disks.filter(|(slot, _)| *slot != self.slot).map(|(_, disk)| disk.clone()).collect()
    }

    /// The disks with the new one in the place of the lost one.
    #[must_use]
    pub fn with_new(&self) -> Vec<PathBuf> {
        let mut disks = self.set.disks.clone();
        disks.get_mut(self.slot).into_iter().for_each(|disk| disk.clone_from(&self.new));
        disks
    }

    /// The rebuild, with nothing written.
    #[must_use]
    pub fn run(&self) -> Run {
        let slot = self.slot.to_string();
        run("raid-repair").args(["rebuild", "--slot", &slot, "--onto"]).arg(&self.new).args(self.left())
    }

    /// The rebuild, written.
    #[must_use]
    pub fn rebuild(&self) -> Outcome {
        self.run().arg("--write").arg("--undo").arg(self.undo()).outcome().expect_code(0)
    }

    /// Where the undo file is.
    #[must_use]
    pub fn undo(&self) -> PathBuf {
        Path::new(&format!("{}.undo", self.new.display())).to_owned()
    }
}

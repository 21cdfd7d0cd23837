//! Where the array goes: a file, or a block device that nothing of the array is on.

use super::SalvageCommand;
use crate::salvage::Target;
use raid_meta::cli::{Exit, ExitContext as _, Failure, Spec};
use raid_meta::device::{Device, lies_on};
use raid_meta::escape::{path_to_text, text_to_path};
use raid_meta::probe::probe;
use raid_meta::record::ArrayRecord;
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;
use std::time::Duration;

impl SalvageCommand {
    /// What the arguments say; refused where it is a member, or the map would be lost.
    pub(super) fn target(&self, tree: &[&ArrayRecord], further: &[PathBuf]) -> Result<Target, Failure> {
        let is_device = self.out.metadata().is_ok_and(|metadata| metadata.file_type().is_block_device());
        self.refuse_members(tree, further)?;
        let map = self.out_map.clone().or_else(|| {
            let mut name = self.out.clone().into_os_string();
            name.push(".map");
            // Beside a device it would be gone when the machine is turned off.
            (!is_device).then(|| name.into())
        });
        let map = map.ok_or_else(|| {
            let name = path_to_text(&self.out);
            Failure::usage(format!(
                "{name}: is a block device; expected --out-map, the file that its map goes to"
            ))
        })?;
        let serial = if is_device { self.device()?.serial().map(str::to_owned) } else { None };
        let sysroot = self.source.devices.sysroot().to_owned();
        let interval = Duration::from_secs(self.map_interval.into());
        Ok(Target { image: self.out.clone(), map, overwrite: self.overwrite, interval, sysroot, serial })
    }

    fn device(&self) -> Result<Device, Failure> {
        Spec::whole(&self.out).open(&self.source.devices).or_exit(Exit::System)
    }

    /// Refuses to write over a member, an image of one, or a part of one.
    fn refuse_members(&self, tree: &[&ArrayRecord], further: &[PathBuf]) -> Result<(), Failure> {
        if self.out.metadata().is_err() {
            return Ok(());
        }
        let name = path_to_text(&self.out);
        let sysroot = self.source.devices.sysroot();
        let members =
            tree.iter().flat_map(|array| &array.members).filter_map(|member| member.device.as_deref());
        for member in members.map(text_to_path).chain(further.iter().cloned()) {
            let device = path_to_text(&member);
            let how = match (lies_on(&self.out, &member, sysroot), lies_on(&member, &self.out, sysroot)) {
                (true, true) => "is".to_owned(),
                (true, false) => format!("lies on {device},"),
                (false, true) => format!("is below {device},"),
                (false, false) => continue,
            };
            return Err(Failure::new(
                Exit::No,
                format!("{name}: {how} a member of the array, not overwritten"),
            ));
        }
        Ok(())
    }

    /// Refuses a device that carries metadata of any array. One that an earlier run began to fill may: it is what the array
    /// holds.
    pub(super) fn refuse_metadata(&self, target: &Target) -> Result<(), Failure> {
        if !target.is_device() {
            return Ok(());
        }
        let found = probe([self.device()?], &raid_meta::probe::Options::default());
        let Some(member) = found.members.first() else { return Ok(()) };
        let (name, format) = (path_to_text(&self.out), member.format.name());
        Err(Failure::new(Exit::No, format!("{name}: carries {format} metadata, not overwritten")))
    }
}

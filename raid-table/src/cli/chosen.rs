//! Which arrays a command is for.

use raid_meta::cli::{Console, Source, SourceArgs, top_level};
use raid_meta::format::Format;
use raid_meta::record::ArrayRecord;

/// Formats that have tools of their own on every machine.
const LEFT_ALONE: [&str; 3] = ["md", "lvm2", "dm-raid"];

/// The arrays that are meant: the one that is named, or all. Of those on a whole machine, md's and LVM's are left to mdadm
/// and LVM, and those of other formats to what has them.
pub(super) fn arrays<'a>(
    args: &SourceArgs,
    wanted: Option<&str>,
    others: &[&'static dyn Format],
    source: &'a Source,
    console: &Console,
) -> anyhow::Result<Vec<&'a ArrayRecord>> {
    if let Some(wanted) = wanted {
        return Ok(vec![source.array(Some(wanted))?]);
    }
    let mut arrays = top_level(source.all_arrays()?)?;
    if args.is_machine() && args.devices.formats.is_empty() {
        let is_other =
            |name: &str| LEFT_ALONE.contains(&name) || others.iter().any(|format| format.name() == name);
        let is_left = |array: &ArrayRecord| array.format.as_deref().is_some_and(is_other);
        for array in arrays.iter().filter(|array| is_left(array)) {
            let format = array.format.as_deref().unwrap_or_default();
            console.note(format_args!("{}: an array of {format} is left to its own tools", array.name));
        }
        arrays.retain(|array| !is_left(array));
    }
    Ok(arrays)
}

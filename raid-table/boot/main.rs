//! `raid-probe` and `raid-table` in one program, for an initramfs: it is the one whose name it is called by, and most of what
//! they consist of is there once. See [`raid_probe::cli`] and [`raid_table::cli`].

use raid_meta::cli::{Exit, main as run};
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let path = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
    match path.file_name().and_then(|name| name.to_str()) {
        Some("raid-probe") => run::<raid_probe::cli::Probe>(),
        Some("raid-table") => run::<raid_table::cli::Table>(),
        _ => {
            eprintln!("raid-boot: is raid-probe and raid-table: call it by a link of such a name");
            Exit::Usage.into()
        }
    }
}

//! Maps RAID arrays: see [`raid_table::cli`].

fn main() -> std::process::ExitCode {
    raid_meta::cli::main::<raid_table::cli::Table>()
}

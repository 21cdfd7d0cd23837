//! Dumps, checks and compares RAID metadata: see [`raid_meta::cli::meta`].

fn main() -> std::process::ExitCode {
    raid_meta::cli::main::<raid_meta::cli::meta::Meta>()
}

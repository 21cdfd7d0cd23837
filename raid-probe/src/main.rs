//! Finds RAID metadata: see [`raid_probe::cli`].

fn main() -> std::process::ExitCode {
    raid_meta::cli::main::<raid_probe::cli::Probe>()
}

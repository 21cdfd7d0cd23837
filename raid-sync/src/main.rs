//! See [`raid_sync::cli`].

fn main() -> std::process::ExitCode {
    raid_meta::cli::main::<raid_sync::cli::Sync>()
}

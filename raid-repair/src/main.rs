//! See [`raid_repair::cli`].

fn main() -> std::process::ExitCode {
    raid_meta::cli::main::<raid_repair::cli::Repair>()
}

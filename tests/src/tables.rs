//! Device-mapper tables given to a real kernel: `tests/vm/cases/dm_tables.sh`.

use crate::vm::Vm;
use std::fmt::Write as _;

/// An array whose tables are to be tried.
#[derive(Clone, Debug)]
pub struct TableSet {
    /// Names it in the results.
    pub name: String,
    /// Size that the mapped device shall have.
    pub sectors: u64,
    /// Whether to leave out each member in turn.
    pub degraded: bool,
    /// Further arguments of `raid-pattern check`, with commas for spaces; `-` for none.
    pub pattern: &'static str,
    /// Its members: the number of a disk of the machine, or a piece of it, `NUMBER@OFFSET+LENGTH`.
    pub members: Vec<String>,
}

/// How it went.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The set.
    pub name: String,
    /// The member that was left out.
    pub missing: Option<usize>,
    /// `rw` or `ro` if the kernel took the tables and reads the pattern; `refused`; or `wrong: …`.
    pub result: String,
}

/// Runs the job on the disks that the machine was given.
///
/// # Panics
/// The job fails, or leaves out a set.
#[must_use]
pub fn try_tables(vm: Vm, sets: &[TableSet]) -> Vec<Tried> {
    let mut text = String::new();
    for TableSet { name, sectors, degraded, pattern, members } in sets {
        let _ = writeln!(text, "{name} {sectors} {} {pattern} {}", u8::from(*degraded), members.join(" "));
    }
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), text).expect("a temporary file can be written");
    let vm = vm.program("raid-probe").program("raid-table").file(file.path(), "sets");
    let outcome = vm.succeed();
    let tried: Vec<Tried> = outcome.text().lines().map(tried).collect();
    let tries = |set: &TableSet| 1 + if set.degraded { set.members.len() } else { 0 };
    assert_eq!(tried.len(), sets.iter().map(tries).sum::<usize>(), "{outcome}");
    tried
}

fn tried(line: &str) -> Tried {
    let mut words = line.splitn(3, ' ');
    let mut word = || words.next().expect("NAME MISSING RESULT").to_owned();
    Tried { name: word(), missing: word().parse().ok(), result: word() }
}

//! Arrays of every level and layout that the kernel's md knows, made and filled by the kernel, read by us.

use raid_tests::{Outcome, Pattern, TableSet, Vm, long, run, try_tables};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

const RAID5: [(&str, &str); 6] = [
    ("ls", "left-symmetric"),
    ("la", "left-asymmetric"),
    ("rs", "right-symmetric"),
    ("ra", "right-asymmetric"),
    ("parity-first", "parity-first"),
    ("parity-last", "parity-last"),
];
const RAID6: [(&str, &str); 14] = [
    ("ls", "left-symmetric"),
    ("la", "left-asymmetric"),
    ("rs", "right-symmetric"),
    ("ra", "right-asymmetric"),
    ("parity-first", "parity-first"),
    ("parity-last", "parity-last"),
    ("ddf-zero-restart", "ddf-zero-restart"),
    ("ddf-N-restart", "ddf-n-restart"),
    ("ddf-N-continue", "ddf-n-continue"),
    ("left-symmetric-6", "left-symmetric-6"),
    ("left-asymmetric-6", "left-asymmetric-6"),
    ("right-symmetric-6", "right-symmetric-6"),
    ("right-asymmetric-6", "right-asymmetric-6"),
    ("parity-first-6", "parity-first-6"),
];
const RAID10: [(&str, &str, usize); 6] = [
    ("n2", "near-2", 2),
    ("n3", "near-3", 3),
    ("f2", "far-2", 2),
    ("f3", "far-3", 3),
    ("o2", "offset-2", 2),
    ("o3", "offset-3", 3),
];
const CHUNKS_KIB: [u64; 5] = [64, 4, 32, 512, 128];
const METADATA: [&str; 4] = ["1.2", "1.0", "0.90", "1.1"];
/// Sectors of a piece of the disk that is a member; the metadata takes 2048 of them.
const SMALL: u64 = 8192;
const LARGE: u64 = 16384;

/// An array to be made.
struct Case {
    name: String,
    level: &'static str,
    /// As mdadm calls it; empty where the level has none.
    mdadm_layout: &'static str,
    layout: Option<&'static str>,
    /// Members that may be missing at once.
    redundancy: usize,
    chunk_kib: Option<u64>,
    metadata: &'static str,
    /// Length of each member in sectors.
    lengths: Vec<u64>,
}

impl Case {
    fn arguments(&self) -> String {
        let mut arguments = format!(
            "--level={} --metadata={} --raid-devices={}",
            self.level,
            self.metadata,
            self.lengths.len()
        );
        if !self.mdadm_layout.is_empty() {
            let _ = write!(arguments, " --layout={}", self.mdadm_layout);
        }
        if let Some(chunk) = self.chunk_kib {
            let _ = write!(arguments, " --chunk={chunk}");
        }
        if self.lengths.len() == 1 {
            arguments.push_str(" --force");
        }
        arguments
    }
}

/// Every case, chunk sizes and metadata versions in turn. Lengths are odd: what does not fill a chunk is not used.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |level, mdadm_layout, layout, redundancy, lengths: Option<Vec<u64>>, members: usize| {
        let turn = cases.len();
        let chunk_kib = (level != "raid1" && level != "linear").then(|| CHUNKS_KIB[turn % CHUNKS_KIB.len()]);
        let length = if chunk_kib.is_some_and(|chunk| chunk > 64) { LARGE } else { SMALL };
        let odd = |member: usize| length + [0, 1, 77, 1, 8][(member + turn) % 5];
        // 0.90 keeps no layout of a striped array of several zones, and no name of a linear one's pieces.
        let metadata = if lengths.is_some() { "1.2" } else { METADATA[turn % METADATA.len()] };
        let lengths = lengths.unwrap_or_else(|| (0..members).map(odd).collect());
        let name = format!("{level}-{}-{}", lengths.len(), turn);
        cases.push(Case { name, level, mdadm_layout, layout, redundancy, chunk_kib, metadata, lengths });
    };
    for members in 3..=5 {
        add("raid4", "", Some("parity-last"), 1, None, members);
        for (mdadm, ours) in RAID5 {
            add("raid5", mdadm, Some(ours), 1, None, members);
        }
    }
    for members in 4..=6 {
        for (mdadm, ours) in RAID6 {
            add("raid6", mdadm, Some(ours), 2, None, members);
        }
    }
    for members in 2..=5 {
        for (mdadm, ours, copies) in RAID10.into_iter().filter(|(_, _, copies)| *copies <= members) {
            add("raid10", mdadm, Some(ours), copies - 1, None, members);
        }
    }
    for members in 2..=5 {
        add("raid1", "", None, members - 1, None, members);
        add("raid0", "", None, 0, Some(vec![SMALL; members]), members);
        add(
            "linear",
            "",
            None,
            0,
            Some((0..members).map(|n| [SMALL, 9001, 6000, 12_007, SMALL][n]).collect()),
            members,
        );
    }
    let zones = [
        vec![8192, 12_288, 16_400],
        vec![16_391, 9001, 9001, 12_345],
        vec![6000, 10_000, 6001, 20_000, 20_480],
    ];
    for lengths in zones {
        for layout in ["original", "alternate"] {
            for _ in 0..CHUNKS_KIB.len() {
                add("raid0", layout, Some(layout), 0, Some(lengths.clone()), 0);
            }
        }
    }
    cases
}

/// A disk image cut into pieces.
struct Pieces {
    image: PathBuf,
    plan: String,
    /// For each case the paths of its members.
    members: Vec<Vec<String>>,
}

impl Pieces {
    fn cut(directory: &Path, cases: &[Case]) -> Self {
        let image = directory.join("disk.img");
        let (mut plan, mut members, mut at) = (String::new(), Vec::new(), 0);
        for case in cases {
            let mut pieces = Vec::new();
            let mut paths = Vec::new();
            for &length in &case.lengths {
                pieces.push(format!("{at}+{length}"));
                paths.push(format!("{}@{}+{}", image.display(), at * 512, length * 512));
                at += length.next_multiple_of(2048);
            }
            let _ = writeln!(plan, "{} {} {}", case.name, pieces.join(","), case.arguments());
            members.push(paths);
        }
        let file = File::create(&image).expect("an image can be made");
        file.set_len(at * 512).expect("an image can be made longer");
        Self { image, plan, members }
    }
}

#[test]
fn what_the_kernel_writes_in_every_layout_is_read_back_with_any_members_missing() {
    let step = if long() { 1 } else { 5 };
    // What is not built is said before the machine starts.
    let _ = (raid_tests::program("raid-probe"), raid_tests::program("raid-table"));
    let mut failures = Vec::new();
    let cases: Vec<Case> = cases().into_iter().step_by(step).collect();
    for some in cases.chunks(30) {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let pieces = Pieces::cut(directory.path(), some);
        let sizes = make(&pieces, some);
        for ((case, members), &sectors) in some.iter().zip(&pieces.members).zip(&sizes) {
            let what = differences(case, members, sectors).into_iter();
            failures.extend(what.map(|what| format!("{} ({}): {what}", case.name, case.arguments())));
        }
        failures.extend(wrong_tables(&pieces, some, &sizes));
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

/// Has the kernel make the arrays; their sizes in sectors.
fn make(pieces: &Pieces, cases: &[Case]) -> Vec<u64> {
    let plan = pieces.image.with_file_name("plan");
    fs::write(&plan, &pieces.plan).expect("a plan can be written");
    let made = Vm::case("md_layouts").disk(&pieces.image).file(&plan, "plan").seconds(900).succeed().text();
    assert_eq!(made.lines().count(), cases.len(), "{made}");
    let size = |(line, case): (&str, &Case)| {
        let mut words = line.split(' ');
        assert_eq!(words.next(), Some(case.name.as_str()), "{line}");
        words.next().and_then(|word| word.parse().ok()).expect("a size")
    };
    made.lines().zip(cases).map(size).collect()
}

/// Has the kernel read the arrays through our device-mapper tables; what is wrong.
fn wrong_tables(pieces: &Pieces, cases: &[Case], sizes: &[u64]) -> Vec<String> {
    let piece = |path: &String| path.replace(&*pieces.image.to_string_lossy(), "0");
    let set = |((turn, case), (members, &sectors)): ((usize, &Case), (&Vec<String>, &u64))| TableSet {
        name: case.name.clone(),
        sectors,
        degraded: case.redundancy > 0 && (long() || turn % 3 == 0),
        pattern: "-",
        members: members.iter().map(piece).collect(),
    };
    let sets: Vec<TableSet> =
        cases.iter().enumerate().zip(pieces.members.iter().zip(sizes)).map(set).collect();
    let tried = try_tables(Vm::case("dm_tables").snapshot(&pieces.image).seconds(900), &sets);
    // A degraded array of md's is only read: nothing would record that the missing member is out of date.
    let expected = |missing: Option<usize>| if missing.is_some() { "ro" } else { "rw" };
    let wrong = tried.iter().filter(|tried| tried.result != expected(tried.missing));
    wrong.map(|tried| format!("tables: {tried:?}, expected {}", expected(tried.missing))).collect()
}

/// How our reading of an array differs from what the kernel wrote.
fn differences(case: &Case, members: &[String], sectors: u64) -> Vec<String> {
    let mut failures = wrong_record(case, members, sectors);
    for missing in subsets(members.len(), case.redundancy) {
        let present: Vec<&String> = members
            .iter()
            .enumerate()
            .filter(|(slot, _)| !missing.contains(slot))
            .map(|(_, path)| path)
            .collect();
        let outcome = run("raid-table").arg("read").args(present).outcome();
        if let Err(message) = is_pattern(&outcome, sectors) {
            failures.push(format!("without {missing:?}: {message}"));
        }
    }
    failures
}

fn is_pattern(outcome: &Outcome, sectors: u64) -> Result<(), String> {
    if outcome.code != Some(0) {
        return Err(format!("status {:?}: {}", outcome.code, outcome.stderr));
    }
    if outcome.stdout.len() as u64 != sectors * 512 {
        return Err(format!("{} bytes, expected {}", outcome.stdout.len(), sectors * 512));
    }
    Pattern::default().check(0, &outcome.stdout)
}

/// What the array record says that the kernel does not.
fn wrong_record(case: &Case, members: &[String], sectors: u64) -> Vec<String> {
    let outcome = run("raid-probe").args(["-J", "--arrays"]).args(members).outcome();
    let records = outcome.records_of("array");
    let [record] = records.as_slice() else { return vec![format!("expected one array: {outcome}")] };
    let uneven = case.lengths.iter().any(|&length| length != case.lengths[0]);
    let layout = case.layout.filter(|_| case.level != "raid0" || uneven);
    let expected = serde_json::json!({
        "level": case.level,
        "layout": layout,
        "chunk_sectors": case.chunk_kib.map(|chunk| chunk * 2),
        "size_sectors": sectors,
        "slots": case.lengths.len(),
        "health": "optimal",
        "problems": [],
    });
    let named = case.metadata != "0.90";
    let name =
        if named { format!("md_{}", case.name) } else { record["name"].as_str().unwrap_or_default().into() };
    let fields = expected.as_object().expect("an object").iter();
    let mut wrong: Vec<String> = fields
        .filter(|(field, value)| record[field.as_str()] != **value)
        .map(|(field, value)| format!("{field} is {}, expected {value}", record[field.as_str()]))
        .collect();
    if record["name"] != name {
        wrong.push(format!("name is {}, expected {name}", record["name"]));
    }
    wrong
}

/// All sets of at most `most` of the numbers below `count`, the empty set first. In a short run of those with two or
/// more only the neighbours of 0.
fn subsets(count: usize, most: usize) -> Vec<Vec<usize>> {
    let all =
        (0..1_usize << count).map(|bits| (0..count).filter(|bit| bits >> bit & 1 == 1).collect::<Vec<_>>());
    all.filter(|set| set.len() <= most && (long() || set.len() < 2 || set[0] == 0)).collect()
}

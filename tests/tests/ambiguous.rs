//! Metadata of two formats on one device: both are reported, with what is ambiguous, and neither is chosen. Every pair
//! of formats that can be created is tried.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use raid_meta::device::Device;
use raid_meta::format::create::NewSet;
use raid_meta::format::{FORMATS, Format};
use raid_meta::geometry::Level;
use raid_meta::model::Area;
use raid_meta::probe::{Options, Probe, probe};
use raid_meta::record::{Evidence, Problem, Severity};
use raid_meta::units::Bytes;
use raid_tests::sparse::SparseDisk;
use raid_tests::{Fixture, run};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

const SIZE: u64 = 64 << 20;

fn device(disk: &SparseDisk, number: usize) -> Device {
    let device = Device::whole(Path::new(&format!("disk{number}.img")), Arc::new(disk.clone()));
    device.with_serial(Some(format!("SERIAL{number}")))
}

fn devices(disks: &[SparseDisk]) -> Vec<Device> {
    disks.iter().enumerate().map(|(number, disk)| device(disk, number)).collect()
}

/// Metadata of a new mirror of two disks, by disk; none where the format can not.
fn mirror(format: &dyn Format, disks: &[SparseDisk]) -> Option<Vec<Vec<Area>>> {
    let set = NewSet {
        version: None,
        level: Level::Raid1,
        layout: None,
        chunk: None,
        size: None,
        name: "twice".to_owned(),
        disks: devices(disks),
        spares: Vec::new(),
        identity: [3; 16],
        now: 1_700_000_000,
        in_sync: true,
        bitmap: false,
    };
    let members = format.create(&set).ok()?;
    Some(members.into_iter().map(|member| member.areas).collect())
}

fn written(disks: &[SparseDisk], members: &[Vec<Area>]) -> Vec<SparseDisk> {
    let write = |disk: &SparseDisk, area: &Area| disk.clone().with(area.offset.0, area.bytes.clone());
    disks
        .iter()
        .zip(members)
        .map(|(disk, areas)| areas.iter().fold(disk.clone(), |disk, area| write(&disk, area)))
        .collect()
}

fn overlap(a: &[Area], b: &[Area]) -> bool {
    let end = |area: &Area| area.offset.saturating_add(Bytes(area.bytes.len() as u64));
    a.iter().any(|a| b.iter().any(|b| a.offset < end(b) && b.offset < end(a)))
}

fn sound_formats(found: &Probe, disk: &str) -> Vec<&'static str> {
    let on_disk = found.members.iter().filter(|member| member.device.path() == Path::new(disk));
    let mut names: Vec<_> =
        on_disk.filter(|member| member.is_sound()).map(|member| member.format.name()).collect();
    names.sort_unstable();
    names
}

#[test]
fn two_formats_that_fit_on_one_disk_are_both_reported_and_neither_is_chosen() {
    let blank = [SparseDisk::blank(SIZE), SparseDisk::blank(SIZE)];
    let mut tried = 0;
    for (first, second) in FORMATS.iter().flat_map(|a| FORMATS.iter().map(move |b| (a, b))) {
        let Some(ours) = mirror(*first, &blank).filter(|_| first.name() != second.name()) else { continue };
        let disks = written(&blank, &ours);
        let Some(theirs) = mirror(*second, &disks) else { continue };
        let is_over = overlap(&ours[0], &theirs[0]);
        let found = probe(devices(&written(&disks, &theirs)), &Options::default());
        let mut both = [first.name(), second.name()];
        both.sort_unstable();
        let pair = format!("{} and then {}", first.name(), second.name());
        if is_over {
            assert!(
                sound_formats(&found, "disk0.img").contains(&second.name()),
                "{pair}: the later is there"
            );
        } else {
            assert_eq!(sound_formats(&found, "disk0.img"), both, "{pair}");
            assert!(found.members.iter().all(|member| member.has_problem("ambiguous-format")), "{pair}");
            let names: Vec<_> = found.arrays.iter().filter_map(|array| array.format.as_deref()).collect();
            assert!(both.iter().all(|name| names.contains(name)), "{pair}: {names:?}");
        }
        tried += 1;
    }
    eprintln!("{tried} pairs of formats");
    assert!(tried >= 6);
}

#[test]
fn what_a_format_creates_rests_on_all_that_it_has() {
    let blank = [SparseDisk::blank(SIZE), SparseDisk::blank(SIZE)];
    for format in FORMATS {
        let Some(members) = mirror(format, &blank) else { continue };
        let found = probe(devices(&written(&blank, &members)), &Options::default());
        assert_eq!(found.members.len(), 2, "{}", format.name());
        for member in &found.members {
            let name = format.name();
            let is_note = |problem: &Problem| problem.severity == Severity::Note;
            assert!(member.problems.iter().all(is_note), "{name}: {:?}", member.problems);
            for evidence in [Evidence::Signature, Evidence::Bounds, Evidence::Members] {
                assert!(member.evidence.contains(&evidence), "{name}: {evidence:?} of {:?}", member.evidence);
            }
            let areas = member.metadata().unwrap().areas();
            let has_checksum = areas.iter().any(|area| area.checksum == raid_meta::record::ChecksumState::Ok);
            assert_eq!(member.evidence.contains(&Evidence::Checksum), has_checksum, "{name}");
        }
    }
}

#[test]
fn a_disk_with_two_kinds_of_metadata_ends_with_a_no_and_both_candidates() {
    // An md member whose superblock is at the start, with Intel metadata at the end.
    let (md, isw) = (Fixture::open("md12-raid5-ls-3").unwrap(), Fixture::open("isw-raid5-3").unwrap());
    let (target, source) = (&md.disks[0], File::open(&isw.disks[0]).unwrap());
    let mut tail = vec![0; 8192];
    source.read_exact_at(&mut tail, source.metadata().unwrap().len() - 8192).unwrap();
    let file = OpenOptions::new().write(true).open(target).unwrap();
    file.write_all_at(&tail, file.metadata().unwrap().len() - 8192).unwrap();
    let outcome = run("raid-probe").arg(target).arg(format!("--serial={}=SER1", target.display())).outcome();
    let outcome = outcome.expect_code(1);
    let members = outcome.records_of("member");
    let formats: Vec<_> = members.iter().map(|member| member["format"].as_str().unwrap()).collect();
    assert_eq!(formats, ["md", "isw"], "{outcome}");
    assert!(outcome.stderr.contains("ambiguous-format"), "{outcome}");
    // A tool that needs one of them refuses, until it is told which.
    let dump = run("raid-table").arg("emit").arg(target).outcome();
    assert_ne!(dump.code, Some(0), "{dump}");
}

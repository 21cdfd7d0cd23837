//! The same through the built programs: a sample of lying disks, and what is no metadata at all.

use raid_tests::forge::mend;
use raid_tests::random::Random;
use raid_tests::sparse::SparseDisk;
use raid_tests::whole::{Disks, fields};
use raid_tests::{Fixture, Outcome, Run, long, mixed, program};
use std::ffi::OsString;

/// A program under the limits of any answer: 64 MiB of address space, a second of the processor.
pub(crate) fn limited(name: &str) -> Run {
    Run::of("prlimit").args([OsString::from("--as=67108864"), "--cpu=1".into(), program(name).into()])
}

/// Fails unless the program ended with a status of the table, and said why in lines that bear its name.
#[track_caller]
pub(crate) fn assert_answers(name: &str, outcome: &Outcome, what: &str) {
    assert!(matches!(outcome.code, Some(0..=5)), "{name}: {what}: {outcome}");
    let named = |line: &str| line.starts_with(&format!("{name}: "));
    let lines: Vec<_> = outcome.stderr.lines().collect();
    assert!(lines.iter().all(|line| named(line)), "{name}: {what}: {outcome}");
    assert!(
        outcome.code == Some(0) || !lines.is_empty() || !outcome.stdout.is_empty(),
        "{name}: {what}: no word"
    );
}

#[test]
fn the_programs_answer_whatever_a_field_says() {
    let mut random = Random::new(17);
    for name in Fixture::carried_names() {
        let fixture = Fixture::open(&name).unwrap();
        let set = Disks::load(&fixture).only(0);
        let image = fixture.disks.first().unwrap();
        let Some((format, start, places)) = fields(&set.probe()).into_iter().next() else { continue };
        for _ in 0..if long() { 64 } else { 3 } {
            let place = &places[usize::try_from(random.below(places.len() as u64)).unwrap()];
            let value = vec![
                *[0, 1, 0x7f, 0x80, 0xff].get(usize::try_from(random.below(5)).unwrap()).unwrap();
                place.size
            ];
            let wrong = set.0[0].content.clone().with(place.offset, value.clone());
            let disk = if random.below(3) > 0 { mend(format, wrong, start) } else { wrong };
            disk.store(image).unwrap();
            let what = format!("{name}: {} = {value:02x?}", place.name);
            for (program, command) in [
                ("raid-probe", &[][..]),
                ("raid-meta", &["dump"]),
                ("raid-meta", &["check"]),
                ("raid-table", &["emit"]),
            ] {
                let outcome = limited(program).args(command).args(&fixture.disks).outcome();
                assert_answers(program, &outcome, &format!("{command:?}: {what}"));
            }
            let read =
                limited("raid-table").args(["read", "--length", "65536"]).args(&fixture.disks).outcome();
            assert_answers("raid-table", &read, &format!("read: {what}"));
        }
    }
}

#[test]
fn file_systems_tables_text_and_noise_are_no_metadata() {
    let directory = tempfile::tempdir().unwrap();
    let mut images = mixed::filesystem_images(directory.path());
    eprintln!("file systems: {:?}", images.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for (name, disk) in [
        ("blank", SparseDisk::blank(10 << 20)),
        ("empty", SparseDisk::blank(0)),
        ("noise", SparseDisk::blank(1 << 20).with(0, Random::new(1).bytes(1 << 20))),
        ("text", mixed::text(100_000)),
        ("mbr", mixed::mbr_disk(1)),
        ("gpt", mixed::gpt_disk(1)),
    ] {
        let path = directory.path().join(name);
        disk.store(&path).unwrap();
        images.push((name, path));
    }
    for (name, image) in images {
        let outcome = limited("raid-probe").arg(image).outcome();
        assert!(outcome.stdout.is_empty(), "{name}: {outcome}");
        assert_eq!(outcome.code, Some(1), "{name}: {outcome}");
        assert_eq!(outcome.stderr.lines().count(), 1, "{name}: {outcome}");
    }
}

//! Backups and undo files, and what is none.

use crate::images::open;
use raid_tests::Outcome;
use std::fs;

#[test]
fn a_backup_goes_back_only_to_the_device_it_came_from_unless_told() {
    let Some(image) = open("md12-raid5-ls-3") else { return };
    let backup = image.meta("backup").arg(&image.path).outcome().expect_code(0);
    let saved = image.beside("saved");
    fs::write(&saved, &backup.stdout).unwrap();
    let other = image.beside("other.img");
    let restore =
        |arguments: &[&str]| -> Outcome { image.write("restore").args(arguments).arg(&saved).outcome() };
    let name = other.to_str().unwrap();
    fs::write(&other, vec![0; image.bytes().len()]).unwrap();
    let _ = restore(&["--onto", name]).expect_code(0);
    let dump = |path: &std::path::Path| {
        let dump = image.meta("dump").arg(path).outcome().expect_code(0);
        dump.records().iter().map(|field| field["value"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(dump(&other), dump(&image.path));
    fs::write(&other, vec![0; image.bytes().len() / 2]).unwrap();
    let refused = restore(&["--onto", name]).expect_code(1);
    assert!(refused.stderr.contains("size is "), "{refused}");
    let _ = restore(&["--force", "--onto", name]).expect_code(0);
    let map = format!("{}={name}", image.path.display());
    let _ = restore(&["--force", "--map", &map]).expect_code(0);
    let _ = restore(&["--map", "nothing=nowhere"]).expect_code(2);
    let _ = restore(&["--map", &map, "--onto", name]).expect_code(2);
}

#[test]
fn a_backup_that_was_changed_is_refused() {
    let Some(image) = open("md12-raid5-ls-3") else { return };
    let backup = image.meta("backup").arg(&image.path).outcome().expect_code(0).text();
    let original = image.bytes();
    let changed = backup.replacen("fc4e2ba9", "fc4e2baa", 1);
    assert_ne!(backup, changed);
    let outcome = image.write("restore").stdin(changed).outcome().expect_code(3);
    assert!(outcome.stderr.contains("sha256 is "), "{outcome}");
    image.assert_is(&original, "a changed backup");
}

#[test]
fn several_disks_are_saved_and_put_back_together() {
    let Some(fixture) = raid_tests::Fixture::open("isw-raid5-3") else { return };
    let state = tempfile::tempdir().unwrap();
    let meta = |command: &str| raid_tests::run("raid-meta").arg(command).env("XDG_STATE_HOME", state.path());
    let original: Vec<_> = fixture.disks.iter().map(|disk| fs::read(disk).unwrap()).collect();
    let backup = meta("backup").args(&fixture.disks).outcome().expect_code(0);
    let _ = meta("erase").arg("--write").args(&fixture.disks).outcome().expect_code(0);
    let undo: Vec<_> = fs::read_dir(state.path().join("raid-tools/undo")).unwrap().collect();
    assert_eq!(undo.len(), 1, "one undo file for one command");
    let _ = raid_tests::run("raid-probe").args(&fixture.disks).outcome().expect_code(1);
    let _ = meta("restore").arg("--write").stdin(backup.stdout).outcome().expect_code(0);
    let now: Vec<_> = fixture.disks.iter().map(|disk| fs::read(disk).unwrap()).collect();
    assert!(now == original);
}

#[test]
fn an_image_in_use_is_not_written_and_its_user_is_named() {
    let Some(image) = open("md12-raid5-ls-3") else { return };
    let original = image.bytes();
    let file = fs::File::open(&image.path).unwrap();
    let lock = nix::fcntl::Flock::lock(file, nix::fcntl::FlockArg::LockExclusiveNonblock).unwrap();
    let refused = image.write("erase").arg(&image.path).outcome().expect_code(1);
    assert!(refused.stderr.contains("in use by a program that has locked it"), "{refused}");
    drop(lock);
    image.assert_is(&original, "a locked image");
}

#[test]
fn an_undo_file_that_exists_is_not_overwritten_and_nothing_is_written_without_one() {
    let Some(image) = open("md12-raid5-ls-3") else { return };
    let (original, undo) = (image.bytes(), image.beside("undo"));
    fs::write(&undo, "precious").unwrap();
    let refused = image.write("erase").arg("--undo").arg(&undo).arg(&image.path).outcome().expect_code(4);
    assert!(refused.stderr.contains("nothing was written"), "{refused}");
    assert_eq!(fs::read_to_string(&undo).unwrap(), "precious");
    image.assert_is(&original, "no undo file");
    let missing = image.beside("no/such/folder");
    let _ = image.write("erase").arg("--undo").arg(missing).arg(&image.path).outcome().expect_code(4);
    image.assert_is(&original, "no folder for the undo file");
}

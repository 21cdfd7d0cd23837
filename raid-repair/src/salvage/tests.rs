//! The map and the image, apart from what is put into them.

use super::*;
use proptest::prelude::*;
use std::fs;
use std::path::Path;

const IDENTITY: &str = "md 0:1 raid5 left-symmetric 128 3";
const STATES: [State; 7] = [
    State::Untried,
    State::Later,
    State::Lost,
    State::Good,
    State::Reconstructed,
    State::Unsynchronised,
    State::Stale,
];

fn save(path: &Path, account: &Account) {
    let nothing = Account::default();
    let view = mapfile::View { beginning: account, rest: &nothing };
    mapfile::save(&map_at(path), IDENTITY, view).unwrap();
}

fn map_at(path: &Path) -> Target {
    Target { map: path.to_owned(), ..target(Path::new("/")) }
}

fn target(directory: &Path) -> Target {
    Target {
        image: directory.join("out"),
        map: directory.join("out.map"),
        overwrite: false,
        interval: Duration::ZERO,
        sysroot: "/".into(),
        serial: None,
    }
}

proptest! {
    #[test]
    fn a_map_is_read_back_as_it_was_saved(
        parts in proptest::collection::vec((1u64..300, proptest::sample::select(STATES.to_vec())), 1..60),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("map");
        let mut account = Account::default();
        let mut expected = Account::default();
        for (length, state) in parts {
            account.push(length, state).unwrap();
            expected.push(length, if state == State::Later { State::Untried } else { state }).unwrap();
        }
        save(&path, &account);
        prop_assert_eq!(mapfile::load(&map_at(&path), IDENTITY, account.end()).unwrap(), expected);
        prop_assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left behind");
    }

    #[test]
    fn an_image_holds_what_was_written_whatever_was_there(
        parts in proptest::collection::vec((0usize..200, 1usize..200, any::<bool>()), 1..12),
        is_new in any::<bool>(),
    ) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("image");
        let size = 400 * 1024;
        let image = if is_new {
            Output::create(&path, Bytes(size as u64), Path::new("/")).unwrap()
        } else {
            fs::write(&path, vec![0xEE; size]).unwrap();
            Output::open(&path, Bytes(size as u64), Path::new("/")).unwrap()
        };
        let mut expected = fs::read(&path).unwrap();
        let mut written = vec![false; 400];
        for (start, length, is_zero) in parts {
            // A part of a new image is written once with data at most.
            if is_new && written[start..start + length].contains(&true) {
                continue;
            }
            written[start..start + length].fill(true);
            let bytes: Vec<u8> = (0..length * 1024)
                .map(|at| if is_zero || at % 70_000 < 66_000 { 0 } else { 7 })
                .collect();
            image.write(Bytes(start as u64 * 1024), &bytes).unwrap();
            expected[start * 1024..(start + length) * 1024].copy_from_slice(&bytes);
        }
        image.flush().unwrap();
        prop_assert!(fs::read(&path).unwrap() == expected);
    }
}

#[test]
fn what_an_earlier_run_did_not_leave_is_not_gone_on_with() {
    let directory = tempfile::tempdir().unwrap();
    let target = target(directory.path());
    let open = |identity: &str, size| {
        let job = Job::open(target.clone(), identity.to_owned(), Sectors(size));
        job.map(|job| job.is_resumed()).map_err(|error| error.to_string())
    };
    assert_eq!(open(IDENTITY, 100), Ok(false));
    let message = open(IDENTITY, 100).unwrap_err();
    assert!(message.contains("exists, and there is no map"), "{message}");
    let mut account = Account::default();
    account.push(100, State::Good).unwrap();
    save(&target.map, &account);
    assert_eq!(open(IDENTITY, 100), Ok(true));
    let message = open("md 0:2 raid5 left-symmetric 128 3", 100).unwrap_err();
    assert!(message.contains("is of the array \"md 0:1 "), "{message}");
    let message = open(IDENTITY, 101).unwrap_err();
    assert!(message.ends_with("is of 51200 bytes, expected 51712"), "{message}");
    fs::write(&target.image, vec![0; 512]).unwrap();
    let message = open(IDENTITY, 100).unwrap_err();
    assert!(message.ends_with("is 512 bytes, expected 51200"), "{message}");
    fs::remove_file(&target.image).unwrap();
    let message = open(IDENTITY, 100).unwrap_err();
    assert!(message.contains("does not: not overwritten"), "{message}");
}

#[test]
fn a_map_of_somebody_else_is_not_taken_for_ours() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("map");
    let load = |text: &str| {
        fs::write(&path, text).unwrap();
        mapfile::load(&map_at(&path), "x", 2)
            .map_err(|error| error.to_string().replace(path.to_str().unwrap(), "map"))
    };
    assert_eq!(
        load("0x0 +\n0 1024 +\n").unwrap_err(),
        "map: has no line \"# raid-array\": it is not a map that salvage made"
    );
    let ours = |rest: &str| load(&format!("# raid-array x\n{rest}"));
    assert!(ours("0x0 +\n0 1024 +\n").is_ok());
    assert_eq!(
        ours("0x0 +\n0 1000 +\n").unwrap_err(),
        "map: line 3: 0x3e8 bytes at 0x0 are not whole sectors"
    );
    let message = ours("# stale 0x200 0x200\n# stale 0x0 0x200\n0x0 +\n0 1024 +\n").unwrap_err();
    assert!(message.contains("line 3: begins before the end"), "{message}");
    let message = ours("# stale 9\n0x0 +\n0 1024 +\n").unwrap_err();
    assert!(message.contains("line 2: expected \"# stale 0xSTART 0xLENGTH\""), "{message}");
    let gap = ours("0x0 +\n512 512 +\n").unwrap();
    assert_eq!(gap.pieces().next().map(|piece| piece.state), Some(State::Untried));
}

#[test]
fn a_map_of_what_is_on_one_disk_is_not_believed_of_another() {
    let directory = tempfile::tempdir().unwrap();
    let disk =
        |serial: Option<&str>| Target { serial: serial.map(str::to_owned), ..target(directory.path()) };
    let mut account = Account::default();
    account.push(8, State::Good).unwrap();
    let nothing = Account::default();
    let view = mapfile::View { beginning: &account, rest: &nothing };
    mapfile::save(&disk(Some(" WD-1 2\n")), IDENTITY, view).unwrap();
    let load = |serial| mapfile::load(&disk(serial), IDENTITY, 8);
    assert!(matches!(load(Some("WD-12")), Err(SalvageError::OtherDevice { .. })));
    for same in [Some("WD-1 2"), None] {
        assert_eq!(load(same).unwrap(), account);
    }
}

//! raid-table serve, with the clients that people use: qemu-img, qemu-io, nbdcopy and nbdinfo read what the array holds,
//! degraded too; what they write is in the overlay and nowhere else; and no client does harm to another.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

use nix::sys::signal::Signal;
use raid_tests::cost::usage_of;
use raid_tests::served::Served;
use raid_tests::{Fixture, program, run};
use std::fs;
use std::io::Write;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Sets of every kind of level that the project carries.
const SETS: [&str; 8] = [
    "isw-raid5-3",
    "lvm-raid5-3",
    "md090-raid5-4",
    "md12-raid6-ls-5",
    "md12-raid10-n2-4",
    "isw-raid1-2",
    "md12-raid0-3",
    "md12-linear-2",
];

/// Runs a client; whether it succeeded, and all that it said.
fn client(name: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(name).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{name}: {error} (is tests/install-deps done?)"));
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

#[track_caller]
fn succeeds(name: &str, arguments: &[&str]) -> String {
    let (succeeded, text) = client(name, arguments);
    assert!(succeeded, "{name} {arguments:?}: {text}");
    text
}

fn image(directory: &Path, content: &[u8]) -> String {
    let path = directory.join("expected.raw");
    fs::write(&path, content).unwrap();
    path.display().to_string()
}

fn contents(paths: &[PathBuf]) -> Vec<Vec<u8>> {
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn an_array_is_read_by_qemu_and_libnbd_with_every_member_missing_in_turn() {
    let mut degraded = 0;
    for name in SETS {
        let set = Fixture::open(name).unwrap();
        let directory = set.directory.path();
        let expected = image(directory, &set.content());
        for missing in std::iter::once(None).chain((0..set.disks.len()).map(Some)) {
            let disks: Vec<PathBuf> = set
                .disks
                .iter()
                .enumerate()
                .filter(|(place, _)| Some(*place) != missing)
                .map(|(_, disk)| disk.clone())
                .collect();
            if missing.is_some() && ["md12-raid0-3", "md12-linear-2"].contains(&name) {
                let socket = directory.join("none.sock");
                let refused = run("raid-table").args(["serve", "--socket"]).arg(&socket).args(&disks);
                let _ = refused.outcome().expect_code(1);
                assert!(!socket.exists());
                continue;
            }
            degraded += usize::from(missing.is_some());
            let served = Served::start(directory, &disks, &[]);
            succeeds("qemu-img", &["compare", "-f", "raw", "-F", "raw", &expected, &served.uri()]);
            let copy = directory.join("copy.raw").display().to_string();
            succeeds("nbdcopy", &[&served.uri(), &copy]);
            assert!(fs::read(&copy).unwrap() == set.content(), "{name} without {missing:?}");
            assert_eq!(served.stop(Signal::SIGTERM), "", "{name} without {missing:?}");
        }
    }
    assert!(degraded >= 20, "{degraded} degraded sets");
}

#[test]
fn clients_are_told_what_the_server_can() {
    let set = Fixture::open("isw-raid5-3").unwrap();
    let directory = set.directory.path();
    let served = Served::start(directory, &set.disks, &[]);
    let info: serde_json::Value =
        serde_json::from_str(&succeeds("nbdinfo", &["--json", &served.uri()])).unwrap();
    let export = &info["exports"][0];
    assert_eq!(info["structured"], true);
    assert_eq!(export["export-size"], set.content().len());
    for (ability, expected) in
        [("is_read_only", true), ("can_multi_conn", true), ("can_df", true), ("can_zero", false)]
    {
        assert_eq!(export[ability], expected, "{ability}");
    }
    assert!(succeeds("nbdinfo", &["--list", &served.uri()]).contains("isw_"));
    drop(served);
    let overlay = directory.join("overlay").display().to_string();
    let _ = fs::remove_file(directory.join("array.sock"));
    let served = Served::start(directory, &set.disks, &["--overlay", &overlay]);
    let info: serde_json::Value =
        serde_json::from_str(&succeeds("nbdinfo", &["--json", &served.uri()])).unwrap();
    for ability in ["can_zero", "can_trim", "can_fua", "can_flush", "can_multi_conn"] {
        assert_eq!(info["exports"][0][ability], true, "{ability}");
    }
    assert_eq!(served.stop(Signal::SIGINT), "");
}

#[test]
fn what_is_written_is_in_the_overlay_for_the_next_server_too_and_not_on_the_members() {
    let set = Fixture::open("md12-raid6-ls-5").unwrap();
    let directory = set.directory.path();
    let before = contents(&set.disks);
    let overlay = directory.join("overlay").display().to_string();
    let served = Served::start(directory, &set.disks[1..], &["--overlay", &overlay]);
    let written = [
        "-c",
        "write -P 0xab 0 64k",
        "-c",
        "write -P 0xcd 70001 777",
        "-c",
        "write -f -P 0xee 1M 512",
        "-c",
        "write -z 200k 100k",
        "-c",
        "discard 400k 64k",
        "-c",
        "flush",
    ];
    let uri = served.uri();
    succeeds("qemu-io", &[&["-f", "raw"][..], &written, &[&uri]].concat());
    assert_eq!(served.stop(Signal::SIGTERM), "");
    let mut expected = set.content();
    expected[..65536].fill(0xab);
    expected[70001..70778].fill(0xcd);
    expected[1 << 20..(1 << 20) + 512].fill(0xee);
    expected[200 << 10..300 << 10].fill(0);
    expected[400 << 10..464 << 10].fill(0);
    let expected = image(directory, &expected);
    // Other members are there than when it was written.
    let served = Served::start(directory, &set.disks[..4], &["--overlay", &overlay]);
    succeeds("qemu-img", &["compare", "-f", "raw", "-F", "raw", &expected, &served.uri()]);
    assert_eq!(served.stop(Signal::SIGTERM), "");
    assert!(contents(&set.disks) == before, "members were written");
    let other = Fixture::open("isw-raid5-3").unwrap();
    let refused = run("raid-table")
        .args(["serve", "--overlay", &overlay, "--socket"])
        .arg(directory.join("other.sock"))
        .args(&other.disks)
        .outcome()
        .expect_code(1);
    assert!(refused.stderr.contains("is the overlay of md_"), "{refused}");
}

#[test]
fn a_member_is_not_taken_for_an_overlay() {
    let set = Fixture::open("isw-raid5-3").unwrap();
    let before = contents(&set.disks);
    let refused = run("raid-table")
        .args(["serve", "--socket"])
        .arg(set.directory.path().join("array.sock"))
        .arg("--overlay")
        .args([&set.disks[0], &set.disks[0], &set.disks[1]])
        .outcome()
        .expect_code(1);
    assert!(refused.stderr.contains("is no overlay"), "{refused}");
    assert!(contents(&set.disks) == before);
}

#[test]
fn without_an_overlay_nothing_can_be_written() {
    let set = Fixture::open("isw-raid1-2").unwrap();
    let before = contents(&set.disks);
    let served = Served::start(set.directory.path(), &set.disks, &[]);
    let (written, _) = client("qemu-io", &["-f", "raw", "-c", "write 0 4k", &served.uri()]);
    assert!(!written);
    drop(served);
    assert!(contents(&set.disks) == before);
}

#[test]
fn what_can_not_be_read_truly_is_an_error_there_and_a_line_and_the_rest_is_served() {
    let set = Fixture::open("md12-raid5-ls-3").unwrap();
    // Both are cut: the end of the array has one member only, which is not enough.
    for disk in &set.disks[..2] {
        let length = fs::metadata(disk).unwrap().len();
        fs::File::options().write(true).open(disk).unwrap().set_len(length / 2).unwrap();
    }
    let served = Served::start(set.directory.path(), &set.disks, &[]);
    let size = set.content().len();
    let end = format!("read {} 64k", size - (64 << 10));
    for _ in 0..3 {
        let text = client("qemu-io", &["-f", "raw", "-r", "-c", &end, &served.uri()]).1;
        assert!(text.contains("Input/output error"), "{text}");
    }
    let text = succeeds("qemu-io", &["-f", "raw", "-r", "-c", "read 0 64k", &served.uri()]);
    assert!(text.contains("read 65536/65536"), "{text}");
    let said = served.stop(Signal::SIGTERM);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("array sectors") && said.contains("past the end of the device"), "{said}");
}

#[test]
fn a_client_that_says_nonsense_or_nothing_does_no_harm_to_another() {
    let set = Fixture::open("isw-raid5-3").unwrap();
    let directory = set.directory.path();
    let served = Served::start(directory, &set.disks, &[]);
    let expected = image(directory, &set.content());
    let silent = UnixStream::connect(served.socket()).unwrap();
    for nonsense in [vec![0; 100], vec![255; 100_000], b"GET / HTTP/1.0\r\n\r\n".to_vec()] {
        let mut stream = UnixStream::connect(served.socket()).unwrap();
        let _ = stream.write_all(&nonsense);
    }
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                succeeds("qemu-img", &["compare", "-f", "raw", "-F", "raw", &expected, &served.uri()])
            });
        }
    });
    drop(silent);
    assert_eq!(served.stop(Signal::SIGTERM), "");
}

#[test]
fn a_server_ends_with_its_last_client_when_told_and_stays_otherwise() {
    let set = Fixture::open("isw-raid1-2").unwrap();
    let mut served = Served::start(set.directory.path(), &set.disks, &["--once"]);
    succeeds("nbdcopy", &[&served.uri(), "null:"]);
    assert_eq!(served.ended().code(), Some(0));
    assert!(!served.socket().exists());
    let mut served = Served::start(set.directory.path(), &set.disks, &[]);
    for _ in 0..2 {
        succeeds("nbdcopy", &[&served.uri(), "null:"]);
    }
    assert!(served.is_running());
    // A client that is still there does not keep it from ending.
    let idle = UnixStream::connect(served.socket()).unwrap();
    assert_eq!(served.stop(Signal::SIGTERM), "");
    drop(idle);
}

#[test]
fn a_socket_that_is_in_use_and_a_file_are_left_alone_and_a_dead_socket_is_not() {
    let set = Fixture::open("isw-raid1-2").unwrap();
    let directory = set.directory.path();
    let served = Served::start(directory, &set.disks, &[]);
    let again = |socket: &Path| {
        run("raid-table").args(["serve", "--socket"]).arg(socket).args(&set.disks).outcome().expect_code(1)
    };
    let refused = again(served.socket());
    assert!(refused.stderr.contains("a server listens on this socket already"), "{refused}");
    assert_eq!(refused.stderr.lines().count(), 1);
    succeeds("nbdinfo", &[&served.uri()]);
    drop(served);
    assert!(again(&set.disks[0]).stderr.contains("is no socket"));
    let dead = directory.join("array.sock");
    let _ = fs::remove_file(&dead);
    drop(UnixListener::bind(&dead).unwrap());
    let served = Served::start(directory, &set.disks, &[]);
    succeeds("nbdinfo", &[&served.uri()]);
}

#[test]
fn memory_does_not_grow_with_the_array_nor_with_the_clients() {
    let directory = tempfile::tempdir().unwrap();
    let record = serde_json::json!({
        "type": "array", "v": 1, "format": null, "name": "huge", "level": "raid6", "layout": "left-symmetric",
        "chunk_sectors": 1024, "size_sectors": 8_u64 << 31, "slots": 10, "health": "degraded",
        "members": (0..10).map(|slot| {
            let path = directory.path().join(format!("disk{slot}.img"));
            fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
            serde_json::json!({
                "slot": slot, "device": if slot == 3 { None } else { Some(path) },
                "device_offset_sectors": 0, "device_length_sectors": null,
                "state": if slot == 3 { "missing" } else { "in-sync" },
                "offset_sectors": 0, "length_sectors": 1_u64 << 31,
            })
        }).collect::<Vec<_>>(),
    });
    let records = directory.path().join("records");
    fs::write(&records, format!("{record}\n")).unwrap();
    let overlay = directory.path().join("overlay");
    let mut command = Command::new(program("raid-table"));
    command.args(["serve", "--array", "huge", "--overlay"]).arg(&overlay);
    command.stdin(fs::File::open(&records).unwrap());
    let served = Served::run(command, directory.path());
    std::thread::scope(|scope| {
        for at in ["0", "5T", "7T"] {
            let uri = served.uri();
            scope.spawn(move || {
                let (read, write) = (format!("read {at} 256M"), format!("write {at} 32M"));
                succeeds("qemu-io", &["-f", "raw", "-c", &read, "-c", &write, "-c", "write -z 1T 1G", &uri])
            });
        }
    });
    let kib = usage_of(served.id()).peak_kib;
    assert!(kib < 64 << 10, "{kib} KiB");
    assert_eq!(served.stop(Signal::SIGTERM), "");
}

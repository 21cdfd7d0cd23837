//! How fast whole jobs are, on a raid6 of 8+2 in the page cache, against what does the same without an array in between or
//! what others have for it. Contenders take turns; medians by the clock; every ratio has its goal.
//!
//! `cargo bench --bench jobs -- WORD…` runs only the jobs whose names hold one of the words.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use raid_tests::bench::{Contender, Report};
use raid_tests::bench_array::BenchArray;
use raid_tests::{program, workspace};
use std::ffi::{OsStr, OsString, c_void};
use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::ptr::NonNull;
use std::thread::sleep;
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;
const SLOTS: usize = 10;
const MEMBER_BYTES: u64 = 96 << 20;
/// The member that is lost.
const LOST: usize = 3;

type Job = fn(&mut Report, &BenchArray);

/// The last one writes the metadata of the array.
const JOBS: [(&str, Job); 5] =
    [("read", read), ("scrub", scrub), ("serve", serve), ("direct", direct), ("rebuild", rebuild)];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let array = BenchArray::raid6(Path::new(env!("CARGO_TARGET_TMPDIR")), SLOTS, MEMBER_BYTES).filled();
    println!("raid6 of 8+2, chunks of 64 KiB, {} MiB of data in the page cache", array.bytes() >> 20);
    let mut report = Report::default();
    for (name, job) in JOBS {
        if words.is_empty() || words.iter().any(|word| name.contains(word.as_str())) {
            // What earlier jobs wrote would go to the disk while this one is measured.
            nix::unistd::sync();
            job(&mut report, &array);
        }
    }
    report.finish()
}

/// A program with its arguments; what it prints is thrown away.
fn command(program: impl AsRef<OsStr>, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    command
}

/// Runs a program to its end.
fn timed(command: &mut Command) -> Duration {
    let started = Instant::now();
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let elapsed = started.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    elapsed
}

/// A contender that is a program.
fn job<'a>(name: &str, mut command: Command) -> Contender<'a> {
    Contender::new(name, move || timed(&mut command))
}

/// A contender that is a program which writes a new file to its standard output.
fn writer<'a>(name: &str, mut command: Command, path: PathBuf) -> Contender<'a> {
    Contender::new(name, move || {
        let _ = fs::remove_file(&path);
        timed(command.stdout(File::create(&path).unwrap()))
    })
}

fn peer(name: &str) -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from);
    let path = target.join("peers/bin").join(name);
    assert!(path.exists(), "{}: is not there; tests/peers/fetch builds it", path.display());
    path
}

fn read(report: &mut Report, array: &BenchArray) {
    let ours =
        || command(program("raid-table"), [OsStr::new("read")].into_iter().chain(paths(&array.members)));
    let degraded = command(
        program("raid-table"),
        [OsStr::new("read")].into_iter().chain(paths(&array.without(&[LOST]))),
    );
    let mut dd = command("dd", ["bs=1M", "of=/dev/null", "status=none"]);
    dd.arg(joined("if=", &array.plain));
    let (name, other) = ("raid-table read", "dd");
    let title = "read to null";
    let contenders = [job(name, ours()), job(other, dd), job("raid-table read, one lost", degraded)];
    let medians = report.rounds(title, array.bytes(), ROUNDS, &mut warmed(array, contenders));
    report.goal(title, &medians, name, other, 1.0);

    let (title, other) = ("read to a new file", "cp");
    let copy = array.path("copy.img");
    let mut cp = command("cp", [&array.plain]);
    cp.arg(&copy);
    let cp_target = copy.clone();
    let contenders = [
        writer(name, ours(), copy.clone()),
        Contender::new(other, move || {
            let _ = fs::remove_file(&cp_target);
            timed(&mut cp)
        }),
    ];
    let medians = report.rounds(title, array.bytes(), ROUNDS, &mut warmed(array, contenders));
    report.goal(title, &medians, name, other, 0.85);
    fs::remove_file(copy).unwrap();
}

fn paths(paths: &[impl AsRef<Path>]) -> impl Iterator<Item = &OsStr> {
    paths.iter().map(|path| path.as_ref().as_os_str())
}

fn joined(before: &str, path: &Path) -> OsString {
    let mut text = OsString::from(before);
    text.push(path);
    text
}

fn scrub_command(array: &BenchArray, threads: &str, more: &[&str]) -> Command {
    let mut ours = command(program("raid-repair"), ["scrub", "-q", "--threads", threads]);
    ours.args(more).args(&array.members);
    ours
}

fn scrub(report: &mut Report, array: &BenchArray) {
    let (offset, length) = array.member_range();
    let mut test_stripe = command(peer("test_stripe"), ["test"]);
    test_stripe.arg(&array.plain).args([SLOTS.to_string().as_str(), "65536", "6", "2", "0"]);
    test_stripe.arg(length.to_string());
    for member in &array.members {
        let mut place = member.clone().into_os_string();
        place.push(format!(":{}", offset / 512));
        test_stripe.arg(place);
    }
    let [one, two, all, copied, other] = [
        "scrub, 1 thread",
        "scrub, 2 threads",
        "every byte looked at in memory",
        "every byte copied",
        "test_stripe test",
    ];
    let title = "scrub";
    let contenders = [
        job(one, scrub_command(array, "1", &[])),
        job(two, scrub_command(array, "2", &[])),
        Contender::new(all, || every_byte_seen(&array.members, offset, length)),
        Contender::new(copied, || every_byte_copied(&array.members, offset, length)),
        job(other, test_stripe),
    ];
    let medians = report.rounds(title, array.bytes(), ROUNDS, &mut warmed(array, contenders));
    report.goal(title, &medians, one, all, 0.9);
    report.goal(title, &medians, one, other, 7.0);
    report.goal(title, &medians, two, other, 12.0);
}

/// Looks at all members side by side, as a scrub has to, where they are in memory.
fn every_byte_seen(members: &[PathBuf], offset: u64, length: u64) -> Duration {
    let started = Instant::now();
    let length = usize::try_from(offset + length).unwrap();
    let maps: Vec<Mapped> = members.iter().map(|path| Mapped::new(path, length)).collect();
    let start = usize::try_from(offset).unwrap();
    let mut sum = 0;
    for at in (start..length).step_by(64 << 10) {
        for map in &maps {
            let words = map.bytes()[at..length.min(at + (64 << 10))].as_chunks::<8>().0;
            sum = words.iter().fold(sum, |sum, word| sum ^ u64::from_ne_bytes(*word));
        }
    }
    std::hint::black_box(sum);
    drop(maps);
    started.elapsed()
}

/// The beginning of a file, in memory.
struct Mapped(NonNull<c_void>, usize);

#[allow(unsafe_code, reason = "mapping a file that nobody changes meanwhile")]
impl Mapped {
    fn new(path: &Path, length: usize) -> Self {
        let file = File::open(path).unwrap();
        let (size, flags) = (NonZeroUsize::new(length).unwrap(), MapFlags::MAP_SHARED);
        // SAFETY: a new range, where the system likes.
        Self(unsafe { mmap(None, size, ProtFlags::PROT_READ, flags, file, 0) }.unwrap(), length)
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: mapped for as long as the value lives; the file is that long.
        unsafe { NonNull::slice_from_raw_parts(self.0.cast(), self.1).as_ref() }
    }
}

#[allow(unsafe_code, reason = "unmapping what the value owns")]
impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: nobody borrows it any more.
        let _ = unsafe { munmap(self.0, self.1) };
    }
}

/// Contenders that find all of the array in the page cache: the system may have taken something out of it since the last
/// round.
fn warmed<'a, const N: usize>(array: &'a BenchArray, contenders: [Contender<'a>; N]) -> [Contender<'a>; N] {
    contenders.map(|Contender { name, mut round }| {
        Contender::new(name, move || {
            every_byte_copied(&array.members, 0, MEMBER_BYTES);
            every_byte_copied(std::slice::from_ref(&array.plain), 0, array.bytes());
            round()
        })
    })
}

/// As [`every_byte_seen`], copied out of the system's memory.
fn every_byte_copied(members: &[PathBuf], offset: u64, length: u64) -> Duration {
    let started = Instant::now();
    let files: Vec<File> = members.iter().map(|path| File::open(path).unwrap()).collect();
    let mut buffers = vec![vec![0; 64 << 10]; files.len()];
    for at in (0..length).step_by(64 << 10) {
        let piece = usize::try_from(length - at).unwrap_or(64 << 10).min(64 << 10);
        for (file, buffer) in files.iter().zip(&mut buffers) {
            file.read_exact_at(&mut buffer[..piece], offset + at).unwrap();
        }
    }
    started.elapsed()
}

/// A server for as long as the value lives.
struct Served {
    child: Child,
    uri: String,
}

impl Served {
    fn start(mut server: Command, socket: &Path) -> Self {
        let child = server.spawn().unwrap_or_else(|error| panic!("{server:?}: {error}"));
        let deadline = Instant::now() + Duration::from_secs(20);
        while !socket.exists() {
            assert!(Instant::now() < deadline, "{server:?}: does not listen");
            sleep(Duration::from_millis(10));
        }
        Self { child, uri: format!("nbd+unix:///?socket={}", socket.display()) }
    }

    fn ours(array: &BenchArray, members: &[impl AsRef<Path>], socket: &str) -> Self {
        let socket = array.path(socket);
        let mut server = command(program("raid-table"), ["serve", "--socket"]);
        server.arg(&socket).args(paths(members)).stderr(Stdio::null());
        Self::start(server, &socket)
    }

    fn copied(&self) -> Command {
        command("nbdcopy", [self.uri.as_str(), "null:"])
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(report: &mut Report, array: &BenchArray) {
    let healthy = Served::ours(array, &array.members, "healthy");
    let degraded = Served::ours(array, &array.without(&[LOST]), "degraded");
    let socket = array.path("plain");
    let mut nbdkit = command("nbdkit", ["--foreground", "--readonly", "--unix"]);
    nbdkit.arg(&socket).arg("file").arg(&array.plain);
    let plain = Served::start(nbdkit, &socket);
    let [ours, lost, other] = ["raid-table serve", "raid-table serve, one lost", "nbdkit file"];
    let title = "serve to nbdcopy";
    let contenders = [job(ours, healthy.copied()), job(lost, degraded.copied()), job(other, plain.copied())];
    let medians = report.rounds(title, array.bytes(), ROUNDS, &mut warmed(array, contenders));
    report.goal(title, &medians, ours, other, 1.0);
    report.goal(title, &medians, lost, ours, 0.7);
}

/// Past the page cache, from the disk that the images are on.
fn direct(report: &mut Report, array: &BenchArray) {
    let mut fio = command("fio", ["--name=read", "--rw=read", "--bs=1M", "--direct=1", "--readonly"]);
    fio.args(["--ioengine=io_uring", "--iodepth=16", "--file_service_type=sequential"]);
    let names: Vec<&str> = array.members.iter().map(|path| path.to_str().unwrap()).collect();
    fio.arg(format!("--filename={}", names.join(":")));
    let (ours, other) = ("scrub --direct", "fio, sequential, direct");
    let title = "scrub past the page cache";
    let all = SLOTS as u64 * MEMBER_BYTES;
    let mut contenders = [job(ours, scrub_command(array, "2", &["--direct"])), job(other, fio)];
    let medians = report.rounds(title, all, ROUNDS, &mut contenders);
    report.goal(title, &medians, ours, other, 0.9);
}

/// A member onto a new file, which is durable at the end; so is the copy that it is held against.
fn rebuild(report: &mut Report, array: &BenchArray) {
    let survivors = array.without(&[LOST]);
    let new = |name: &str| {
        let path = array.path(name);
        let _ = fs::remove_file(&path);
        File::create(&path).unwrap().set_len(MEMBER_BYTES).unwrap();
        path
    };
    let ours = |threads: &str| {
        let mut rebuild =
            command(program("raid-repair"), ["rebuild", "-q", "--write", "--force", "--threads", threads]);
        rebuild.args(["--slot", &LOST.to_string(), "--onto"]).arg(array.path("new.img"));
        rebuild.arg("--undo").arg(array.path("undo")).args(paths(&survivors));
        rebuild
    };
    let rebuilt = |mut command: Command| {
        new("new.img");
        let _ = fs::remove_file(array.path("undo"));
        timed(&mut command)
    };
    let floor = || {
        let (mut cat, mut dd) = (
            command("cat", paths(&survivors)),
            command("dd", ["bs=1M", "conv=notrunc,fsync", "status=none"]),
        );
        dd.arg(joined("if=", &array.members[LOST])).arg(joined("of=", &new("copy.img")));
        timed(&mut cat) + timed(&mut dd)
    };
    let [one, two, other] = ["rebuild, 1 thread", "rebuild, 2 threads", "cat survivors, dd one member"];
    let title = "rebuild of one member";
    let mut contenders = [
        Contender::new(one, || rebuilt(ours("1"))),
        Contender::new(two, || rebuilt(ours("2"))),
        Contender::new(other, floor),
    ];
    let medians = report.rounds(title, array.bytes(), ROUNDS, &mut contenders);
    report.goal(title, &medians, one, other, 0.78);
}

//! Jobs on a real kernel: `tests/vm/run` with its disks, programs and files (see tests/vm/README.md).

use crate::program::{Outcome, Run};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Exit statuses by which the bench says that it, not the job, has failed.
const BENCH_STATUSES: [i32; 3] = [2, 124, 125];
/// What the bench takes beside the time that the job is given: building its base, and booting.
const BENCH_TIME: u64 = 180;

/// A job to be run in the virtual machine.
#[derive(Clone, Debug)]
pub struct Vm {
    job: PathBuf,
    options: Vec<OsString>,
    arguments: Vec<OsString>,
    seconds: u64,
}

impl Vm {
    /// The job `tests/vm/cases/NAME.sh`.
    #[must_use]
    pub fn case(name: &str) -> Self {
        Self {
            job: bench().join("cases").join(format!("{name}.sh")),
            options: Vec::new(),
            arguments: Vec::new(),
            seconds: 240,
        }
    }

    /// A disk that the job may change; it keeps what was written.
    #[must_use]
    pub fn disk(self, image: &Path) -> Self {
        self.disk_with(image, "")
    }

    /// A disk that stays as it is.
    #[must_use]
    pub fn snapshot(self, image: &Path) -> Self {
        self.disk_with(image, ",snapshot")
    }

    /// A disk with the bench's options, each after a comma: `,serial=TEXT,cache=directsync`. The serial is the one
    /// in `IMAGE.serial`, if that is there and the options give none.
    ///
    /// # Panics
    /// The file with the serial can not be read.
    #[must_use]
    pub fn disk_with(self, image: &Path, options: &str) -> Self {
        let mut disk = image.as_os_str().to_owned();
        let mut beside = disk.clone();
        beside.push(".serial");
        if Path::new(&beside).exists() && !options.contains("serial=") {
            let serial = std::fs::read_to_string(&beside).expect("a serial can be read");
            disk.push(format!(",serial={}", serial.trim_end()));
        }
        disk.push(options);
        self.option("--disk", disk)
    }

    /// A built program of the workspace on the job's PATH.
    #[must_use]
    pub fn program(self, name: &str) -> Self {
        self.program_at(&crate::program(name))
    }

    /// Any program on the job's PATH.
    #[must_use]
    pub fn program_at(self, path: &Path) -> Self {
        self.option("--bin", path)
    }

    /// A file or folder, and where the job finds it.
    #[must_use]
    pub fn file(self, host: &Path, guest: &str) -> Self {
        let mut file = host.as_os_str().to_owned();
        file.push(":");
        file.push(guest);
        self.option("--file", file)
    }

    /// An argument of the job.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// How long the machine may run; 240 seconds unless told.
    #[must_use]
    pub fn seconds(mut self, seconds: u64) -> Self {
        self.seconds = seconds;
        self
    }

    /// The machine's memory; 768 MiB unless told.
    #[must_use]
    pub fn memory_mib(self, mib: u32) -> Self {
        self.option("--mem", mib.to_string())
    }

    /// The machine's processors; 1 unless told.
    #[must_use]
    pub fn processors(self, number: u32) -> Self {
        self.option("--cpus", number.to_string())
    }

    fn option(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.options.push(name.into());
        self.options.push(value.into());
        self
    }

    /// Runs the job; its status may be any of its own.
    ///
    /// # Panics
    /// The emulator is not installed, the bench failed, the kernel died or the job took too long.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let emulator = Run::of("/usr/bin/env").args(["sh", "-c", "command -v qemu-system-x86_64"]).outcome();
        assert_eq!(emulator.code, Some(0), "qemu-system-x86_64 is missing: run tests/install-deps test");
        let outcome = Run::of(bench().join("run"))
            .args(["--timeout", &self.seconds.to_string()])
            .args(&self.options)
            .arg(&self.job)
            .args(&self.arguments)
            .time_limit(Duration::from_secs(self.seconds + BENCH_TIME))
            .outcome();
        let is_bench = outcome.code.is_none_or(|code| BENCH_STATUSES.contains(&code));
        assert!(!is_bench, "{}: {outcome}", self.job.display());
        outcome
    }

    /// Runs the job and expects it to end well.
    ///
    /// # Panics
    /// As [`Vm::outcome`], or the job failed.
    #[must_use]
    #[track_caller]
    pub fn succeed(&self) -> Outcome {
        self.outcome().expect_code(0)
    }
}

/// Disks that one machine is given at most.
const DISKS: usize = 48;

/// Gives sets to `look`, as many at a time as one machine takes the disks of.
pub fn in_machines<T>(sets: &[T], disks_of: impl Fn(&T) -> usize, mut look: impl FnMut(&[T])) {
    let mut rest = sets;
    while !rest.is_empty() {
        let mut disks = 0;
        let fits = |set: &&T| {
            disks += disks_of(set);
            disks <= DISKS
        };
        let (now, after) = rest.split_at(rest.iter().take_while(fits).count().max(1));
        look(now);
        rest = after;
    }
}

fn bench() -> PathBuf {
    crate::workspace().join("tests/vm")
}

//! Running a built program: with a time limit, a memory limit, and something on standard input.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

/// Longest that any program of a test may take, unless the test says otherwise.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Path of a built program of the workspace, beside the running test.
///
/// # Panics
/// The program has not been built, or one of its sources is newer than it.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().expect("a test has a path");
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    path.push(name);
    built(path, "cargo build --workspace")
}

/// Path of `raid-probe` or `raid-table` as they are built for an initramfs: `initramfs`, or `initramfs-static`.
///
/// # Panics
/// As [`program`].
#[must_use]
pub fn boot_program(folder: &str, name: &str) -> PathBuf {
    let mut path = std::env::current_exe().expect("a test has a path");
    while path.pop() && !path.ends_with("debug") && !path.ends_with("release") {}
    built(path.with_file_name(folder).join(name), "make boot boot-static")
}

fn built(path: PathBuf, how: &str) -> PathBuf {
    let stale = match fs::metadata(&path).and_then(|metadata| metadata.modified()) {
        Ok(built) => newer_source(&path, built).map(|source| format!("older than {}", source.display())),
        Err(error) => Some(error.to_string()),
    };
    if let Some(why) = stale {
        panic!("{}: {why}: build it first ({how})", path.display());
    }
    path
}

/// A source of the program that was changed after it was built, by the list that cargo leaves beside it.
fn newer_source(program: &Path, built: SystemTime) -> Option<PathBuf> {
    let list = fs::read_to_string(program.with_extension("d")).ok()?;
    let (_, sources) = list.split_once(": ")?;
    let changed = |path: &PathBuf| {
        fs::metadata(path).and_then(|metadata| metadata.modified()).is_ok_and(|modified| modified > built)
    };
    sources.split_whitespace().map(PathBuf::from).find(changed)
}

/// Starts describing a run of a program of the workspace.
#[must_use]
pub fn run(name: &str) -> Run {
    Run::of(program(name))
}

/// A run of a program: what it is given, and its limits.
#[derive(Debug)]
pub struct Run {
    program: PathBuf,
    arguments: Vec<OsString>,
    stdin: Vec<u8>,
    environment: Vec<(OsString, OsString)>,
    directory: Option<PathBuf>,
    time_limit: Duration,
    memory_limit: Option<u64>,
    cpu_limit: Option<u64>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// Exit status; none when a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What it wrote.
    pub stdout: Vec<u8>,
    /// What it said.
    pub stderr: String,
    /// How long it took.
    pub elapsed: Duration,
}

impl Run {
    /// A run of any program.
    #[must_use]
    pub fn of(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            stdin: Vec::new(),
            environment: Vec::new(),
            directory: None,
            time_limit: TIME_LIMIT,
            memory_limit: None,
            cpu_limit: None,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// What is on standard input: a pipe with these bytes. Nothing unless told.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Runs in that directory.
    #[must_use]
    pub fn directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.directory = Some(path.into());
        self
    }

    /// The test fails when the run takes longer.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Address space in bytes that the program may use; allocating beyond it ends the program.
    #[must_use]
    pub fn memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = Some(bytes);
        self
    }

    /// Seconds of computing that the program may take, however busy the machine is; a signal ends it after them.
    #[must_use]
    pub fn cpu_limit(mut self, seconds: u64) -> Self {
        self.cpu_limit = Some(seconds);
        self
    }

    /// The program with its arguments, not started: for tests that connect the pipes themselves.
    #[must_use]
    pub fn command(&self) -> Command {
        let memory = self.memory_limit.map(|bytes| format!("--as={bytes}"));
        let cpu = self.cpu_limit.map(|seconds| format!("--cpu={seconds}"));
        let limits: Vec<String> = memory.into_iter().chain(cpu).collect();
        let mut command = if limits.is_empty() {
            Command::new(&self.program)
        } else {
            let mut limited = Command::new("prlimit");
            limited.args(limits).arg(&self.program);
            limited
        };
        command.args(&self.arguments).env_remove("NO_COLOR").envs(self.environment.iter().cloned());
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// It can not be started, or takes too long.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        let stdout = collect(child.stdout.take());
        let stderr = collect(child.stderr.take());
        let mut stdin = child.stdin.take().expect("standard input is a pipe");
        let bytes = self.stdin.clone();
        // A program that does not read its input closes the pipe; that is its right.
        let feeder = thread::spawn(move || drop(stdin.write_all(&bytes)));
        let status = self.wait(&mut child, started);
        let elapsed = started.elapsed();
        feeder.join().expect("the feeding thread ends");
        Outcome {
            code: status.code(),
            signal: status.signal(),
            stdout: stdout.join().expect("the reading thread ends"),
            stderr: String::from_utf8_lossy(&stderr.join().expect("the reading thread ends")).into_owned(),
            elapsed,
        }
    }

    fn wait(&self, child: &mut Child, started: Instant) -> ExitStatus {
        loop {
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                return status;
            }
            if started.elapsed() > self.time_limit {
                let _ = child.kill();
                let _ = child.wait();
                panic!(
                    "{} {:?}: still running after {:?}",
                    self.program.display(),
                    self.arguments,
                    self.time_limit
                );
            }
            thread::sleep(Duration::from_millis(1));
        }
    }
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    let mut pipe = pipe.expect("the output is a pipe");
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

impl Outcome {
    /// Fails unless the program ended with that status; says what it printed.
    ///
    /// # Panics
    /// Another status.
    #[must_use]
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "exit status; {self}");
        self
    }

    /// The records on standard output.
    #[must_use]
    pub fn records(&self) -> Vec<serde_json::Value> {
        crate::records(&self.stdout)
    }

    /// The records of one type.
    #[must_use]
    pub fn records_of(&self, kind: &str) -> Vec<serde_json::Value> {
        let mut records = self.records();
        records.retain(|record| record.get("type").is_some_and(|found| found == kind));
        records
    }

    /// Standard output as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let start = self.stdout.get(..self.stdout.len().min(2000)).unwrap_or_default();
        write!(
            f,
            "status {:?}, signal {:?}, after {:?}\nstdout: {}\nstderr: {}",
            self.code,
            self.signal,
            self.elapsed,
            String::from_utf8_lossy(start),
            self.stderr
        )
    }
}

/// What mdadm prints of a file, in the same words everywhere.
///
/// # Panics
/// It is not installed; `tests/install-deps` installs it.
#[must_use]
pub fn mdadm(arguments: &[&str], path: &Path) -> String {
    let run = Command::new("mdadm").args(arguments).arg(path).env("TZ", "UTC").env("LC_ALL", "C").output();
    let output = run.unwrap_or_else(|error| panic!("mdadm: {error} (is tests/install-deps done?)"));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

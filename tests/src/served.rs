//! A running `raid-table serve`.

use crate::program;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Longest that a server may take to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server; killed when this goes.
#[derive(Debug)]
pub struct Served {
    child: Child,
    messages: BufReader<ChildStderr>,
    socket: PathBuf,
}

impl Served {
    /// Serves an array of disks, its socket in a folder.
    ///
    /// # Panics
    /// It does not say that clients may come.
    #[must_use]
    pub fn start<P: AsRef<Path>>(directory: &Path, disks: &[P], arguments: &[&str]) -> Self {
        let mut command = Command::new(program("raid-table"));
        command.arg("serve").args(arguments).args(disks.iter().map(AsRef::as_ref));
        command.stdin(Stdio::null());
        Self::run(command, directory)
    }

    /// Runs a command that serves, but for where, and waits for the line that says that clients may come.
    ///
    /// # Panics
    /// As [`Served::start`].
    #[must_use]
    pub fn run(mut command: Command, directory: &Path) -> Self {
        let socket = directory.join("array.sock");
        command.arg("--socket").arg(&socket).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut messages = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        messages.read_line(&mut line).unwrap();
        assert!(line.contains("served at nbd+unix:///?socket="), "{line}");
        Self { child, messages, socket }
    }

    /// Where clients find it.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("nbd+unix:///?socket={}", self.socket.display())
    }

    /// Its socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended.
    ///
    /// # Panics
    /// The system does not say.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// The status with which it ends by itself.
    ///
    /// # Panics
    /// It does not.
    pub fn ended(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "the server does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Ends it with a signal: orderly, the socket gone, and with these messages.
    ///
    /// # Panics
    /// It does not end so.
    #[must_use]
    pub fn stop(mut self, signal: Signal) -> String {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
        assert_eq!(self.ended().code(), Some(0));
        assert!(!self.socket.exists(), "the socket is still there");
        let mut rest = String::new();
        self.messages.read_to_string(&mut rest).unwrap();
        rest
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

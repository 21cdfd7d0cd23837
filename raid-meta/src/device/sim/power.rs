//! What can stop simulated disks in the middle of their work.

use crate::units::Bytes;
use nix::errno::Errno;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The calls and writes of one or more disks, counted together, and the one at which they fail. Clones are
/// the same power.
#[derive(Clone, Debug, Default)]
pub struct SimPower(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    calls: u64,
    writes: u64,
    failing_call: Option<(u64, Errno)>,
    stop: Option<Stop>,
}

#[derive(Clone, Copy, Debug)]
struct Stop {
    /// Writes that are done whole.
    after: u64,
    /// Bytes of the next one that are done too.
    torn: Bytes,
}

/// How much of a write reaches the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permission {
    All,
    /// Only so many bytes, and the caller is told this.
    First(Bytes, Errno),
}

impl SimPower {
    /// Power that stays on.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// After `writes` more writes, every write and flush fails with `EIO`. Reads go on.
    pub fn stop_after(&self, writes: u64) {
        self.tear_after(writes, Bytes::ZERO);
    }

    /// As [`SimPower::stop_after`], but the first `torn` bytes of the write after those reach the disk.
    pub fn tear_after(&self, writes: u64, torn: Bytes) {
        let mut state = self.state();
        state.stop = Some(Stop { after: state.writes.saturating_add(writes), torn });
    }

    /// The call after `calls` more calls, be it a read, a write or a flush, fails once with this error.
    pub fn fail_call(&self, calls: u64, error: Errno) {
        let mut state = self.state();
        state.failing_call = Some((state.calls.saturating_add(calls), error));
    }

    /// Nothing fails any more.
    pub fn restore(&self) {
        let mut state = self.state();
        state.stop = None;
        state.failing_call = None;
    }

    /// Calls so far: reads, writes and flushes.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Writes so far, the failed ones included.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.state().writes
    }

    /// Counts a call, and fails when it is the one to fail.
    pub(super) fn call(&self) -> io::Result<()> {
        self.state().count_call().map_err(io::Error::from)
    }

    pub(super) fn write(&self) -> io::Result<Permission> {
        let mut state = self.state();
        let number = state.writes;
        state.writes = number.saturating_add(1);
        state.count_call()?;
        Ok(match state.stop {
            Some(stop) if number == stop.after => Permission::First(stop.torn, Errno::EIO),
            Some(stop) if number > stop.after => Permission::First(Bytes::ZERO, Errno::EIO),
            _ => Permission::All,
        })
    }

    pub(super) fn flush(&self) -> io::Result<()> {
        let mut state = self.state();
        state.count_call()?;
        match state.stop {
            Some(stop) if state.writes >= stop.after => Err(Errno::EIO.into()),
            _ => Ok(()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count_call(&mut self) -> Result<(), Errno> {
        let number = self.calls;
        self.calls = number.saturating_add(1);
        match self.failing_call {
            Some((failing, error)) if failing == number => Err(error),
            _ => Ok(()),
        }
    }
}

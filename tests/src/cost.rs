//! What running a program costs: time by the clock, time of the processor, and what it reads.

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use std::fs;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What one run cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// By the clock.
    pub wall: Duration,
    /// On the processor, in the program and in the kernel for it.
    pub processor: Duration,
    /// Read system calls, and bytes read through them; none where the kernel does not count them.
    pub reads: Option<(u64, u64)>,
    /// Whether it ended with status 0.
    pub succeeded: bool,
}

/// Medians of several rounds of two programs, one round of each in turn.
#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    /// The first program.
    pub ours: Cost,
    /// The second.
    pub theirs: Cost,
}

impl Comparison {
    /// How much of the other's time by the clock the first takes.
    #[must_use]
    pub fn wall_ratio(&self) -> f64 {
        self.ours.wall.as_secs_f64() / self.theirs.wall.as_secs_f64()
    }

    /// The same of the processor's time.
    #[must_use]
    pub fn processor_ratio(&self) -> f64 {
        self.ours.processor.as_secs_f64() / self.theirs.processor.as_secs_f64()
    }
}

/// Runs two programs in turn after one round that warms the cache. Other load slows both; the medians of rounds side by side
/// are what is comparable.
///
/// # Panics
/// As [`cost`].
#[must_use]
pub fn compare(rounds: usize, mut ours: Command, mut theirs: Command) -> Comparison {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let costs = (cost(&mut ours), cost(&mut theirs));
        if round > 0 {
            first.push(costs.0);
            second.push(costs.1);
        }
    }
    Comparison { ours: median(&first), theirs: median(&second) }
}

fn median(costs: &[Cost]) -> Cost {
    let middle = |of: fn(&Cost) -> Duration| {
        let mut times: Vec<Duration> = costs.iter().map(of).collect();
        times.sort();
        times[times.len() / 2]
    };
    Cost {
        wall: middle(|cost| cost.wall),
        processor: middle(|cost| cost.processor),
        reads: costs.first().and_then(|cost| cost.reads),
        succeeded: costs.iter().all(|cost| cost.succeeded),
    }
}

/// Runs a program with its output thrown away. The processor's time is that of all children, so runs that are measured wait
/// for each other.
///
/// # Panics
/// It can not be started.
#[must_use]
pub fn cost(command: &mut Command) -> Cost {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let before = processor_time();
    let started = Instant::now();
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let id = Id::Pid(Pid::from_raw(child.id().cast_signed()));
    waitid(id, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).expect("a child can be waited for");
    let wall = started.elapsed();
    let reads = counted_reads(child.id());
    let succeeded = child.wait().expect("a child can be waited for").success();
    Cost { wall, processor: processor_time().saturating_sub(before), reads, succeeded }
}

/// What Linux counts the processor's time in where programs see it, whatever it counts in itself.
const TICK_MILLIS: u64 = 10;

/// What a process has used that is still running.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    /// The most memory that it had at a time.
    pub peak_kib: u64,
    /// On the processor, in the program and in the kernel for it.
    pub processor: Duration,
}

/// What a process that is running has used so far.
///
/// # Panics
/// There is no such process.
#[must_use]
pub fn usage_of(process: u32) -> Usage {
    let read = |name| fs::read_to_string(format!("/proc/{process}/{name}")).expect("a running process");
    let status = read("status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak_kib = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse().ok());
    // Behind the name, which may hold anything: from the third field on.
    let stat = read("stat");
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields.split_whitespace());
    let ticks: u64 =
        fields.expect("fields").skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Usage {
        peak_kib: peak_kib.expect("the peak is known"),
        processor: Duration::from_millis(ticks * TICK_MILLIS),
    }
}

fn processor_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the usage of children is known");
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(micros.cast_unsigned())
}

/// What the kernel counted for a child that has ended and was not yet taken leave of.
fn counted_reads(child: u32) -> Option<(u64, u64)> {
    let text = fs::read_to_string(format!("/proc/{child}/io")).ok()?;
    let value = |name| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    Some((value("syscr:")?, value("rchar:")?))
}

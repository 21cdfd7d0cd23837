//! How far a job is: a bar on a terminal, records where they are asked for, nothing elsewhere. All on standard error.

use super::human;
use super::text::clean;
use crate::record::{ProgressRecord, Record, V1};
use crate::units::{Bytes, Count};
use clap::{Args, ValueEnum};
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// How progress is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ProgressWhen {
    /// A bar, where standard error is a terminal
    #[default]
    Auto,
    /// JSON Lines, one record a second
    Json,
    /// Not at all
    Never,
}

/// The option of commands that take long.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct ProgressArgs {
    /// How to show on standard error how far the work is
    #[arg(long, value_name = "HOW", value_enum, default_value_t, help_heading = "Messages")]
    progress: ProgressWhen,
}

/// How often a bar is drawn.
const BAR_INTERVAL: Duration = Duration::from_millis(100);
/// How often a record is written.
const RECORD_INTERVAL: Duration = Duration::from_secs(1);
/// Cells of a bar.
const CELLS: u64 = 24;

/// Shows how far jobs are.
#[derive(Debug)]
pub struct Progress {
    style: Style,
    job: Option<Job>,
    is_drawn: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Bar,
    Records,
    Nothing,
}

/// The job that is going on.
#[derive(Debug)]
struct Job {
    name: String,
    started: Instant,
    shown: Option<Instant>,
}

impl Progress {
    /// As the options and the terminal say; nothing where the program is to be quiet.
    #[must_use]
    pub fn new(args: ProgressArgs, is_quiet: bool) -> Self {
        let style = match args.progress {
            ProgressWhen::Json => Style::Records,
            ProgressWhen::Auto if !is_quiet && io::stderr().is_terminal() => Style::Bar,
            ProgressWhen::Auto | ProgressWhen::Never => Style::Nothing,
        };
        Self { style, job: None, is_drawn: false }
    }

    /// Says how far a job is. A name that is not that of the last call begins another job.
    pub fn show(&mut self, name: &str, done: Bytes, total: Bytes) {
        if self.style == Style::Nothing {
            return;
        }
        let now = Instant::now();
        if self.job.as_ref().is_none_or(|job| job.name != name) {
            self.job = Some(Job { name: name.to_owned(), started: now, shown: None });
        }
        let interval = if self.style == Style::Bar { BAR_INTERVAL } else { RECORD_INTERVAL };
        let Some(job) = &mut self.job else { return };
        let is_due = job.shown.is_none_or(|shown| now.duration_since(shown) >= interval);
        if !is_due && done < total {
            return;
        }
        job.shown = Some(now);
        let record = job.record(now, done, total);
        match self.style {
            Style::Bar => self.draw(&record),
            _ => write_record(record),
        }
    }

    /// Takes the bar away.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.is_drawn) {
            let _ = io::stderr().write_all(b"\r\x1b[K");
        }
    }

    fn draw(&mut self, record: &ProgressRecord) {
        self.is_drawn = true;
        let _ = io::stderr().write_all(format!("\r{}\x1b[K", bar(record)).as_bytes());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Job {
    fn record(&self, now: Instant, done: Bytes, total: Bytes) -> ProgressRecord {
        let millis = u64::try_from(now.duration_since(self.started).as_millis()).unwrap_or(u64::MAX);
        let rate = done.0.saturating_mul(1000).checked_div(millis);
        let eta = rate.and_then(|rate| total.0.saturating_sub(done.0).checked_div(rate));
        ProgressRecord {
            v: V1,
            job: self.name.clone(),
            done_bytes: done,
            total_bytes: total,
            rate_bytes_per_s: rate.map(Bytes),
            eta_s: eta.map(Count),
        }
    }
}

/// A line with a bar.
fn bar(record: &ProgressRecord) -> String {
    let part =
        |of: u64| record.done_bytes.0.saturating_mul(of).checked_div(record.total_bytes.0).unwrap_or(of);
    let full = usize::try_from(part(CELLS).min(CELLS)).unwrap_or_default();
    let empty = usize::try_from(CELLS).unwrap_or_default().saturating_sub(full);
    let rate = record.rate_bytes_per_s.map(|rate| format!("  {}/s", human::size(rate.whole_sectors())));
    let eta = record.eta_s.map(|eta| format!("  {}:{:02} left", eta.0 / 60, eta.0 % 60));
    format!(
        "{}  [{}{}] {:3} %{}{}",
        clean(&record.job),
        "#".repeat(full),
        ".".repeat(empty),
        part(100),
        rate.unwrap_or_default(),
        eta.unwrap_or_default(),
    )
}

fn write_record(record: ProgressRecord) {
    if let Ok(line) = Record::Progress(record).to_line() {
        let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(done: u64, total: u64, millis: u64) -> ProgressRecord {
        let started = Instant::now();
        let job = Job { name: "disk.img".into(), started, shown: None };
        job.record(started + Duration::from_millis(millis), Bytes(done), Bytes(total))
    }

    #[test]
    fn rate_and_time_left_follow_from_what_is_done() {
        let record = record(1 << 30, 4 << 30, 2000);
        assert_eq!(record.rate_bytes_per_s, Some(Bytes(1 << 29)));
        assert_eq!(record.eta_s, Some(Count(6)));
        assert_eq!(bar(&record), "disk.img  [######..................]  25 %  512 MiB/s  0:06 left");
    }

    #[test]
    fn a_job_without_length_or_speed_is_shown_all_the_same() {
        let record = record(0, 0, 0);
        assert_eq!((record.rate_bytes_per_s, record.eta_s), (None, None));
        assert_eq!(bar(&record), "disk.img  [########################] 100 %");
        assert_eq!(self::record(0, 1 << 20, 1000).eta_s, None);
    }
}

//! Measuring things side by side: rounds in turn, medians, ratios, goals.
//!
//! A machine's speed changes from one minute to the next, and other work slows it at any time. So nothing is held against a
//! number: contenders that do the same work take turns, every one gets its median round, and the ratio of two medians
//! is held against a goal.

use std::process::ExitCode;
use std::time::{Duration, Instant};

/// One of several that do the same work: its name, and one round of it.
pub struct Contender<'a> {
    /// What it is called.
    pub name: String,
    /// One round, and how long what counts of it took.
    pub round: Box<dyn FnMut() -> Duration + 'a>,
}

impl<'a> Contender<'a> {
    /// One whose round measures itself.
    pub fn new(name: impl Into<String>, round: impl FnMut() -> Duration + 'a) -> Self {
        Self { name: name.into(), round: Box::new(round) }
    }

    /// One that is called `times` times in a round.
    pub fn hot(name: impl Into<String>, times: u32, mut work: impl FnMut() + 'a) -> Self {
        Self::new(name, move || {
            let started = Instant::now();
            for _ in 0..times {
                work();
            }
            started.elapsed() / times
        })
    }
}

/// What came of the rounds: median times by name.
pub struct Medians {
    times: Vec<(String, Duration)>,
}

impl Medians {
    /// How many times as fast the first is as the second.
    ///
    /// # Panics
    /// There is none of a name.
    #[must_use]
    pub fn ratio(&self, first: &str, second: &str) -> f64 {
        self.seconds(second) / self.seconds(first)
    }

    /// The median time of one.
    ///
    /// # Panics
    /// There is none of the name.
    #[must_use]
    pub fn seconds(&self, name: &str) -> f64 {
        let found = self.times.iter().find(|(known, _)| known == name);
        found.unwrap_or_else(|| panic!("no contender {name}")).1.as_secs_f64()
    }
}

/// All that was measured, and whether each goal was reached.
#[derive(Default)]
pub struct Report {
    goals: Vec<(String, f64, f64)>,
}

impl Report {
    /// Lets contenders take turns, after one round that warms up, and prints their rates. `bytes` is the work of a round.
    pub fn rounds(
        &self,
        title: &str,
        bytes: u64,
        rounds: usize,
        contenders: &mut [Contender<'_>],
    ) -> Medians {
        let mut times = vec![Vec::with_capacity(rounds); contenders.len()];
        for round in 0..=rounds {
            for (times, contender) in times.iter_mut().zip(contenders.iter_mut()) {
                let time = (contender.round)();
                if round > 0 {
                    times.push(time);
                }
            }
        }
        println!("{title}; medians of {rounds} rounds in turn");
        let medians = contenders.iter().zip(&mut times).map(|(contender, times)| {
            times.sort();
            let middle = times[times.len() / 2];
            println!("  {:34} {:8.2} GB/s", contender.name, bytes as f64 / middle.as_secs_f64() / 1e9);
            (contender.name.clone(), middle)
        });
        Medians { times: medians.collect() }
    }

    /// Holds the ratio of two medians against a goal.
    pub fn goal(&mut self, title: &str, medians: &Medians, first: &str, second: &str, at_least: f64) {
        self.goal_of(format!("{title}: {first} / {second}"), medians.ratio(first, second), at_least);
    }

    /// Holds a ratio against a goal.
    pub fn goal_of(&mut self, title: String, ratio: f64, at_least: f64) {
        println!("  ratio {title} = {ratio:.2}, goal at least {at_least}{}", verdict(ratio, at_least));
        self.goals.push((title, ratio, at_least));
    }

    /// Prints all ratios once more; fails when one is missed.
    #[must_use]
    pub fn finish(self) -> ExitCode {
        println!("ratios and their goals:");
        for (title, ratio, goal) in &self.goals {
            println!("  {ratio:6.2} >= {goal:5.2}  {title}{}", verdict(*ratio, *goal));
        }
        let missed = self.goals.iter().filter(|(_, ratio, goal)| ratio < goal).count();
        println!("{} of {} goals reached", self.goals.len() - missed, self.goals.len());
        if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn verdict(ratio: f64, goal: f64) -> &'static str {
    if ratio >= goal { "" } else { "  MISSED" }
}

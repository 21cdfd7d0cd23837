//! The parity of raid-table against ISA-L, lib/raid6 of Linux and rusty_erasure: the same 64 KiB blocks in the cache of one core,
//! in one process, in turn. Everybody's result is held against the reference before anything is timed.

#[path = "../../src/bench.rs"]
mod bench;
mod foreign;
mod ours;
mod stripe;
mod theirs;

use bench::{Contender, Report};
use raid_table::parity::Engine;
use std::cell::RefCell;
use std::process::ExitCode;
use stripe::Stripe;
use theirs::Linux;

const ROUNDS: usize = 201;
const TIMES: u32 = 40;
/// The blocks that are lost where two are.
const LOST: [usize; 2] = [1, 4];

type Work<'a> = (String, Box<dyn Fn(&mut Stripe) + 'a>);

fn work<'a>(name: impl Into<String>, run: impl Fn(&mut Stripe) + 'a) -> Work<'a> {
    (name.into(), Box::new(run))
}

/// Lets everybody take turns on one stripe. `writes` is what the two blocks behind the parity hold afterwards.
fn rounds(
    report: &Report,
    title: &str,
    data: usize,
    writes: Option<[usize; 2]>,
    works: &[Work<'_>],
) -> bench::Medians {
    let mut stripe = Stripe::new(data);
    ours::set_parity(&mut stripe);
    for (name, run) in works {
        ours::spoil(&mut stripe);
        run(&mut stripe);
        if let Some(expected) = writes {
            ours::assert_found(name, &stripe, expected);
        }
    }
    let bytes = stripe.bytes();
    let stripe = RefCell::new(stripe);
    let mut contenders: Vec<Contender<'_>> = Vec::new();
    for (name, run) in works {
        contenders.push(Contender::hot(name.as_str(), TIMES, || run(&mut stripe.borrow_mut())));
    }
    report.rounds(&format!("{title}, {data}+2, 64 KiB, hot"), bytes, ROUNDS, &mut contenders)
}

fn engine(name: &str) -> Option<Engine> {
    Engine::available().into_iter().find(|engine| engine.name() == name)
}

fn generation(report: &mut Report, linux: Linux, best: Engine) {
    for data in [8, 16] {
        let mut works: Vec<Work<'_>> = Engine::available()
            .into_iter()
            .map(|engine| work(engine.name(), move |stripe| ours::generate(engine, stripe)))
            .collect();
        works.push(work("ISA-L", |stripe| theirs::isal_generate(foreign::pq_gen, stripe)));
        works.push(work("ISA-L avx2", |stripe| theirs::isal_generate(foreign::pq_gen_avx2, stripe)));
        works.push(work(linux.name, |stripe| linux.generate(stripe)));
        works.push(work("rusty_erasure", theirs::rusty_generate));
        let medians = rounds(report, "P+Q generation", data, Some([data, data + 1]), &works);
        let title = format!("P+Q generation {data}+2");
        report.goal(&title, &medians, best.name(), "ISA-L", 0.95);
        report.goal(&title, &medians, best.name(), linux.name, 1.5);
        if engine("avx2").is_some() {
            report.goal(&title, &medians, "avx2", "ISA-L avx2", 1.0);
        }
    }
}

fn check(report: &mut Report, linux: Linux, best: Engine) {
    for data in [8, 16] {
        let mut works: Vec<Work<'_>> = Engine::available()
            .into_iter()
            .map(|engine| work(engine.name(), move |stripe| ours::check(engine, stripe)))
            .collect();
        works.push(work("ISA-L gen+memcmp", theirs::isal_check));
        works.push(work(linux.name, |stripe| linux.check(stripe)));
        let medians = rounds(report, "P+Q check", data, None, &works);
        let title = format!("P+Q check {data}+2");
        report.goal(&title, &medians, best.name(), "ISA-L gen+memcmp", 1.25);
        report.goal(&title, &medians, best.name(), linux.name, 4.0);
    }
}

fn recovery(report: &mut Report, linux: Linux, best: Engine) {
    let data = 8;
    let tables = theirs::isal_tables(LOST, data);
    let mut works: Vec<Work<'_>> = Engine::available()
        .into_iter()
        .map(|engine| work(engine.name(), move |stripe| ours::recover(engine, LOST, stripe)))
        .collect();
    works.push(work("ISA-L ec_encode_data", |stripe| theirs::isal_recover(&tables, LOST, stripe)));
    works.push(work(linux.name, |stripe| linux.recover(LOST, stripe)));
    let medians = rounds(report, "two data blocks from P and Q", data, Some(LOST), &works);
    let title = format!("two data blocks {data}+2");
    report.goal(&title, &medians, best.name(), "ISA-L ec_encode_data", 1.0);
    report.goal(&title, &medians, best.name(), linux.name, 5.0);
}

/// Without goals: the exclusive-or alone is as fast as memory wherever it is written well.
fn exclusive_or(report: &Report) {
    for (title, ours, theirs) in [
        (
            "P generation",
            ours::generate_p as fn(Engine, &mut Stripe),
            theirs::isal_generate_p as fn(&mut Stripe),
        ),
        ("P check", ours::check_p, theirs::isal_check_p),
    ] {
        let mut works: Vec<Work<'_>> = Engine::available()
            .into_iter()
            .map(|engine| work(engine.name(), move |stripe| ours(engine, stripe)))
            .collect();
        works.push(work("ISA-L", theirs));
        rounds(report, title, 8, None, &works);
    }
}

fn main() -> ExitCode {
    let (linux, best) = (Linux::chosen(), Engine::chosen());
    println!("raid-table uses {}, of {:?}", best.name(), Engine::available());
    let mut report = Report::default();
    generation(&mut report, linux, best);
    check(&mut report, linux, best);
    recovery(&mut report, linux, best);
    exclusive_or(&report);
    report.finish()
}

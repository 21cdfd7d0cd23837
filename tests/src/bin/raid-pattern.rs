//! Writes and checks the test pattern by which data says where it belongs: block n (4096 bytes,
//! counted from 0) is the little-endian 32-bit number n+1, 1024 times. Reading an array back is
//! then checked without a reference image, and a misplaced block names the place it came from.
//!
//! One file without dependencies, because the virtual-machine bench compiles it with `rustc` alone.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::process::ExitCode;

const HELP: &str = "\
usage: raid-pattern write FILE SECTORS [--at BLOCK] [--first BLOCK] [--add K]
       raid-pattern check FILE SECTORS|all [--at BLOCK] [--first BLOCK] [--rewritten BLOCKS --add K]
       raid-pattern range FILE [SECTORS|all]
       raid-pattern sum FILE [SECTORS|all]
       raid-pattern hold FILE

write   fill FILE (an image, a device, or - for standard output) and flush it
check   exit 1 and name the wrong blocks, unless FILE (or - for standard input) holds the pattern
range   say what FILE holds, a line for each run of blocks: zeros, pattern FROM-TO, other
sum     print a number that another content has not: quicker than a hash where all code is emulated
hold    open FILE, a block device, for this program alone, say so, and keep it until standard input ends

A sector is 512 bytes and a block 4096; block n holds n+1.
  --at BLOCK          begin at this block of FILE (0)
  --first BLOCK       the number of the block found there (the same as --at)
  --rewritten BLOCKS  blocks numbered below this were written a second time, with --add
  --add K             those blocks hold n+1+K (write: all that are written do)
";

const BLOCK: usize = 4096;
const SECTOR: u64 = 512;
const BLOCKS_AT_ONCE: usize = 256;
/// Wrong runs that `check` names before it only counts.
const RUNS_NAMED: usize = 8;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let job = match Job::parse(&arguments) {
        Ok(job) => job,
        Err(message) if message == HELP => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprint!("{message}");
            return ExitCode::from(2);
        }
    };
    let done = match job.verb {
        Verb::Write => write(&job).map(|()| true),
        Verb::Check => check(&job),
        Verb::Range => range(&job).map(|()| true),
        Verb::Sum => sum(&job).map(|()| true),
        Verb::Hold => hold(&job).map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("raid-pattern: {}: {error}", job.file);
            ExitCode::from(4)
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Verb {
    Write,
    Check,
    Range,
    Sum,
    Hold,
}

struct Job {
    verb: Verb,
    file: String,
    /// None: to the end of the file.
    length_bytes: Option<u64>,
    at: u64,
    first: u64,
    rewritten: u64,
    add: u32,
}

impl Job {
    fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut places = Vec::new();
        let (mut at, mut first, mut rewritten, mut add) = (0, None, None, 0);
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || number(argument, rest.next());
            match argument.as_str() {
                "-h" | "--help" => return Err(HELP.into()),
                "--at" => at = value()?,
                "--first" => first = Some(value()?),
                "--rewritten" => rewritten = Some(value()?),
                "--add" => add = value()?,
                option if option.starts_with("--") => return Err(wrong(option)),
                place => places.push(place),
            }
        }
        let (verb, file, sectors) = match places[..] {
            ["write", file, sectors] => (Verb::Write, file, sectors),
            ["check", file, sectors] => (Verb::Check, file, sectors),
            ["range", file, sectors] => (Verb::Range, file, sectors),
            ["range", file] => (Verb::Range, file, "all"),
            ["sum", file, sectors] => (Verb::Sum, file, sectors),
            ["sum", file] => (Verb::Sum, file, "all"),
            ["hold", file] => (Verb::Hold, file, "all"),
            _ => return Err(wrong(&places.join(" "))),
        };
        let length_bytes = match sectors {
            "all" if verb != Verb::Write => None,
            text => Some(number::<u64>("SECTORS", Some(&text.into()))? * SECTOR),
        };
        let everything = if verb == Verb::Write { u64::MAX } else { 0 };
        Ok(Self {
            verb,
            file: file.into(),
            length_bytes,
            at,
            first: first.unwrap_or(at),
            rewritten: rewritten.unwrap_or(everything),
            add: u32::try_from(add).map_err(|_| wrong("--add"))?,
        })
    }

    /// What every 32-bit word of the block with this number holds.
    fn word(&self, number: u64) -> u32 {
        let add = if number < self.rewritten { self.add } else { 0 };
        // The pattern is 32 bits wide: past 16 TiB it starts again.
        let number = u32::try_from(number % (1 << 32)).unwrap_or_default();
        number.wrapping_add(1).wrapping_add(add)
    }
}

fn number<T: std::str::FromStr>(name: &str, text: Option<&String>) -> Result<T, String> {
    text.and_then(|text| text.parse().ok()).ok_or_else(|| wrong(name))
}

fn wrong(what: &str) -> String {
    format!("raid-pattern: not understood: '{what}'; see raid-pattern --help\n")
}

fn write(job: &Job) -> io::Result<()> {
    let mut file = if job.file == "-" {
        Box::new(io::stdout().lock()) as Box<dyn Write>
    } else {
        Box::new(open_for_writing(job)?)
    };
    let mut left = job.length_bytes.unwrap_or(0);
    let mut next = job.first;
    let mut buffer = Vec::with_capacity(BLOCK * BLOCKS_AT_ONCE);
    while left > 0 {
        buffer.clear();
        for number in next..next + BLOCKS_AT_ONCE as u64 {
            buffer.extend_from_slice(&block_of(job.word(number)));
        }
        next += BLOCKS_AT_ONCE as u64;
        buffer.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        file.write_all(&buffer)?;
        left -= buffer.len() as u64;
    }
    file.flush()
}

fn open_for_writing(job: &Job) -> io::Result<Flushed> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(&job.file)?;
    file.seek(SeekFrom::Start(job.at * BLOCK as u64))?;
    Ok(Flushed(file))
}

/// A file whose flush reaches the disk.
struct Flushed(File);

impl Write for Flushed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }
}

fn block_of(word: u32) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    for place in block.chunks_exact_mut(4) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    block
}

fn check(job: &Job) -> io::Result<bool> {
    let (mut checked, mut wrong, mut named) = (0, 0, 0);
    let mut last_run: Option<Run> = None;
    let length_read = for_each_block(job, |index, block| {
        checked += 1;
        let expected = job.word(job.first + index);
        let content = Content::of(block);
        if content == Content::Same(expected) {
            return;
        }
        wrong += 1;
        let at = job.at + index;
        if last_run.as_mut().is_some_and(|run| run.extend(at, content)) {
            return;
        }
        if let Some(run) = last_run.replace(Run::new(at, content)) {
            named += 1;
            if named <= RUNS_NAMED {
                complain(job, &run);
            }
        }
    })?;
    if let Some(run) = last_run.filter(|_| named < RUNS_NAMED) {
        complain(job, &run);
    }
    if wrong > 0 {
        eprintln!("raid-pattern: {}: {wrong} of {checked} blocks are wrong", job.file);
    }
    let short = job.length_bytes.is_some_and(|length| length_read < length);
    if short {
        let asked = job.length_bytes.unwrap_or(0);
        eprintln!("raid-pattern: {}: ends after {length_read} bytes of {asked}", job.file);
    }
    Ok(wrong == 0 && !short)
}

fn complain(job: &Job, run: &Run) {
    let expected = job.word(job.first + run.from - job.at);
    eprintln!(
        "raid-pattern: {}: blocks {}-{} (from byte {}) hold {}, expected the pattern from {}",
        job.file,
        run.from,
        run.to,
        run.from * BLOCK as u64,
        run.content,
        expected.wrapping_sub(1),
    );
}

fn range(job: &Job) -> io::Result<()> {
    let mut runs: Vec<Run> = Vec::new();
    for_each_block(job, |index, block| {
        let content = Content::of(block);
        let at = job.at + index;
        if !runs.last_mut().is_some_and(|run| run.extend(at, content)) {
            runs.push(Run::new(at, content));
        }
    })?;
    let mut out = io::stdout().lock();
    for run in runs {
        writeln!(out, "{}-{} {}", run.from, run.to, run.content)?;
    }
    Ok(())
}

fn sum(job: &Job) -> io::Result<()> {
    let mut sum = Sum::default();
    let length = for_each_block(job, |_, block| sum.add(block))?;
    println!("{length}-{sum}");
    Ok(())
}

/// One number for each column of words. Each step can be undone, so a change within a word is always seen.
#[derive(Default)]
struct Sum([u64; 4]);

impl Sum {
    /// Odd, and no pattern in its bits: the first digits of pi's fraction.
    const FACTOR: u64 = 0x243f_6a88_85a3_08d3;

    fn add(&mut self, block: &[u8]) {
        for row in block.chunks(size_of_val(&self.0)) {
            for (column, word) in self.0.iter_mut().zip(row.chunks(8)) {
                let mut bytes = [0; 8];
                bytes[..word.len()].copy_from_slice(word);
                *column = (*column ^ u64::from_le_bytes(bytes)).rotate_left(29).wrapping_mul(Self::FACTOR);
            }
        }
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|column| write!(f, "{column:016x}"))
    }
}

/// What mkfs does to a disk while it works.
fn hold(job: &Job) -> io::Result<()> {
    const O_EXCL: i32 = 0o200;
    let _held = OpenOptions::new().read(true).custom_flags(O_EXCL).open(&job.file)?;
    println!("held");
    io::copy(&mut io::stdin(), &mut io::sink()).map(drop)
}

/// Calls `each` with every block (the last may be short) and its place after `--at`; returns the
/// bytes seen.
fn for_each_block(job: &Job, mut each: impl FnMut(u64, &[u8])) -> io::Result<u64> {
    let mut input = if job.file == "-" {
        Box::new(io::stdin().lock()) as Box<dyn Read>
    } else {
        let mut file = File::open(&job.file)?;
        file.seek(SeekFrom::Start(job.at * BLOCK as u64))?;
        Box::new(file)
    };
    let mut buffer = Vec::with_capacity(BLOCK * BLOCKS_AT_ONCE);
    let mut seen = 0;
    let mut index = 0;
    loop {
        let left = job.length_bytes.map_or(u64::MAX, |length| length - seen);
        let wanted = left.min((BLOCK * BLOCKS_AT_ONCE) as u64);
        buffer.clear();
        input.by_ref().take(wanted).read_to_end(&mut buffer)?;
        if buffer.is_empty() {
            return Ok(seen);
        }
        seen += buffer.len() as u64;
        for block in buffer.chunks(BLOCK) {
            each(index, block);
            index += 1;
        }
    }
}

/// What a block holds.
#[derive(Clone, Copy, PartialEq)]
enum Content {
    /// This number in every word.
    Same(u32),
    /// Words that differ.
    Other,
}

impl Content {
    fn of(block: &[u8]) -> Self {
        let Some((first, rest)) = block.split_first_chunk::<4>() else {
            return Self::Other;
        };
        // A block of equal words is itself, moved by one word.
        if block.len().is_multiple_of(4) && rest == &block[..rest.len()] {
            Self::Same(u32::from_le_bytes(*first))
        } else {
            Self::Other
        }
    }
}

/// Neighbouring blocks whose content goes on as the pattern does, or is alike.
struct Run {
    from: u64,
    to: u64,
    content: Contents,
}

struct Contents {
    first: Content,
    last: Content,
}

impl Run {
    fn new(at: u64, content: Content) -> Self {
        Self { from: at, to: at, content: Contents { first: content, last: content } }
    }

    fn extend(&mut self, at: u64, content: Content) -> bool {
        let goes_on = match (self.content.last, content) {
            (Content::Same(0), Content::Same(next)) => next == 0,
            (Content::Same(last), Content::Same(next)) => next == last.wrapping_add(1),
            (Content::Other, Content::Other) => true,
            _ => false,
        };
        if at == self.to + 1 && goes_on {
            self.to = at;
            self.content.last = content;
            return true;
        }
        false
    }
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first, self.last) {
            (Content::Same(0), _) => write!(f, "zeros"),
            (Content::Same(first), Content::Same(last)) => {
                write!(f, "pattern {}-{}", first.wrapping_sub(1), last.wrapping_sub(1))
            }
            _ => write!(f, "other"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Sum;

    fn sum(bytes: &[u8]) -> String {
        let mut sum = Sum::default();
        sum.add(bytes);
        sum.to_string()
    }

    #[test]
    fn a_changed_byte_and_bytes_in_other_places_make_another_sum() {
        let bytes: Vec<u8> = (0..=255).collect();
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert_ne!(sum(&changed), sum(&bytes), "{place}");
            let mut swapped = bytes.clone();
            swapped.swap(place, (place + 32) % 256);
            assert_ne!(sum(&swapped), sum(&bytes), "{place}");
        }
    }
}

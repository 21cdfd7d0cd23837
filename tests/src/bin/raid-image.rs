//! Turns a disk image into text and back.
//!
//! For disks that hold little: metadata, and blocks of 4096 bytes that are one 32-bit number repeated, as
//! `raid-pattern` writes them and as the parity of such blocks is. The text can be read, searched and compared, and
//! a change to one byte of an image is a change to one line:
//!
//! ```text
//! size 25165824
//! hex 0x1000 fc4e2ba9010000…      these bytes, from this offset
//! fill 0x2200 512 0xffffffff      from this offset, as many bytes of one repeated number
//! run 256 16 1                    from block 256, 16 blocks of the numbers 1, 2, …
//! words 272 0x3 0x7 0x1           from block 272, a block of each of these numbers
//! ```
//!
//! All else is zero, `#` begins a comment. One file without dependencies, so that `rustc` alone compiles it.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::process::ExitCode;

const HELP: &str = "\
usage: raid-image text FILE > TEXT      the image FILE as text
       raid-image unpack TEXT FILE      the image FILE, sparse, from text
";

const BLOCK: usize = 4096;
/// Bytes in a line of `hex`.
const HEX_LINE: usize = 32;
/// Numbers in a line of `words`.
const WORDS_LINE: usize = 16;
/// Shortest run worth a line of its own.
const SHORTEST_RUN: usize = 4;
/// Longest `fill`, in bytes; and longest `run`, in blocks.
const MAX_FILL: u32 = 1 << 20;
const MAX_RUN: u32 = 1 << 20;
/// Largest image that a text may ask for.
const MAX_SIZE: u64 = 1 << 40;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["text", file] => File::open(file)
            .and_then(to_text)
            .and_then(|text| io::stdout().write_all(text.as_bytes()))
            .map_err(|error| format!("{file}: {error}")),
        ["unpack", text, file] => unpack(text, file),
        ["-h" | "--help"] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("raid-image: {message}");
            ExitCode::from(4)
        }
    }
}

fn unpack(text: &str, file: &str) -> Result<(), String> {
    let source = std::fs::read_to_string(text).map_err(|error| format!("{text}: {error}"))?;
    let parts = parse(&source).map_err(|message| format!("{text}: {message}"))?;
    write_parts(&parts, file).map_err(|error| format!("{file}: {error}"))
}

/// One line of a text.
#[derive(Debug, PartialEq)]
enum Part {
    Size(u64),
    Bytes(u64, Vec<u8>),
    /// First block, and what each word of it and the blocks after it is.
    Words(u64, Vec<u32>),
}

/// The text of an image.
fn to_text(mut image: impl Read) -> io::Result<String> {
    let mut text = String::new();
    let mut words = Words::default();
    let mut size = 0;
    loop {
        let mut block = Vec::with_capacity(BLOCK);
        image.by_ref().take(BLOCK as u64).read_to_end(&mut block)?;
        if block.is_empty() {
            break;
        }
        match word_of(&block) {
            Some(word) if word != 0 => words.add(size / BLOCK as u64, word, &mut text),
            Some(_) => {}
            None => {
                words.flush(&mut text);
                hex_lines(size, &block, &mut text);
            }
        }
        size += block.len() as u64;
    }
    words.flush(&mut text);
    Ok(format!("size {size}\n{text}"))
}

/// The number that a whole block repeats.
fn word_of(block: &[u8]) -> Option<u32> {
    repeated(block).filter(|_| block.len() == BLOCK)
}

/// The number that bytes repeat.
fn repeated(bytes: &[u8]) -> Option<u32> {
    let first = *bytes.first_chunk::<4>()?;
    let words = bytes.chunks_exact(4);
    let is_whole = words.remainder().is_empty();
    words.into_iter().all(|word| word == first).then_some(u32::from_le_bytes(first)).filter(|_| is_whole)
}

/// Writes the bytes of a block: `fill` where lines repeat one number, `hex` for the rest.
fn hex_lines(offset: u64, block: &[u8], text: &mut String) {
    let mut at = 0;
    while at < block.len() {
        let rest = &block[at..];
        let line = &rest[..HEX_LINE.min(rest.len())];
        let alike = rest.chunks_exact(HEX_LINE).take_while(|other| *other == line).count();
        let length = match repeated(line).filter(|_| alike > 1) {
            Some(word) => {
                if word != 0 {
                    let _ = writeln!(text, "fill {:#x} {} {word:#x}", offset + at as u64, alike * HEX_LINE);
                }
                alike * HEX_LINE
            }
            None => {
                hex_line(offset + at as u64, line, text);
                line.len()
            }
        };
        at += length;
    }
}

fn hex_line(offset: u64, bytes: &[u8], text: &mut String) {
    if bytes.iter().any(|&byte| byte != 0) {
        let _ = write!(text, "hex {offset:#x} ");
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        text.push('\n');
    }
}

/// Neighbouring blocks, each of one number.
#[derive(Default)]
struct Words {
    first: u64,
    words: Vec<u32>,
}

impl Words {
    fn add(&mut self, block: u64, word: u32, text: &mut String) {
        if block != self.first + self.words.len() as u64 {
            self.flush(text);
        }
        if self.words.is_empty() {
            self.first = block;
        }
        self.words.push(word);
    }

    /// Writes what has come together: runs where the numbers count up, lists between them.
    fn flush(&mut self, text: &mut String) {
        let words = std::mem::take(&mut self.words);
        let mut listed = 0;
        let mut at = 0;
        while at < words.len() {
            let run = run_length(&words[at..]);
            if run >= SHORTEST_RUN {
                self.list(listed, &words[listed..at], text);
                let _ = writeln!(text, "run {} {run} {}", self.first + at as u64, words[at]);
                listed = at + run;
            }
            at += run;
        }
        self.list(listed, &words[listed..], text);
    }

    fn list(&self, from: usize, words: &[u32], text: &mut String) {
        for (line, words) in words.chunks(WORDS_LINE).enumerate() {
            let _ = write!(text, "words {}", self.first + (from + line * WORDS_LINE) as u64);
            for word in words {
                let _ = write!(text, " {word:#x}");
            }
            text.push('\n');
        }
    }
}

fn run_length(words: &[u32]) -> usize {
    1 + words.windows(2).take_while(|pair| pair[1] == pair[0].wrapping_add(1)).count()
}

/// The lines of a text, each checked against the size, which comes first.
fn parse(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut size = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let part = parse_line(line).ok_or_else(|| format!("line {number}: not understood: {line}"))?;
        if let Part::Size(bytes) = part {
            size = Some(bytes);
        }
        if size.is_none_or(|size| size > MAX_SIZE || end_of(&part) > size) {
            return Err(format!("line {number}: past the size, expected 'size BYTES' before: {line}"));
        }
        parts.push(part);
    }
    Ok(parts)
}

fn parse_line(line: &str) -> Option<Part> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["size", size] => size.parse().ok().map(Part::Size),
        ["hex", offset, digits] => Some(Part::Bytes(hex_number(offset)?, hex_bytes(digits)?)),
        ["fill", offset, length, word] => {
            let (length, word): (u32, u32) = (length.parse().ok()?, hex_number(word)?.try_into().ok()?);
            let is_sane = length % 4 == 0 && length <= MAX_FILL;
            let bytes = || word.to_le_bytes().repeat(length as usize / 4);
            is_sane.then(|| Some(Part::Bytes(hex_number(offset)?, bytes())))?
        }
        ["run", block, count, word] => {
            let (count, word): (u32, u32) = (count.parse().ok()?, word.parse().ok()?);
            let in_bounds = count <= MAX_RUN;
            let numbers = || (0..count).map(|more| word.wrapping_add(more)).collect();
            in_bounds.then(|| Some(Part::Words(block.parse().ok()?, numbers())))?
        }
        ["words", block, ref words @ ..] => {
            let numbers: Option<Vec<u32>> =
                words.iter().map(|word| hex_number(word)?.try_into().ok()).collect();
            Some(Part::Words(block.parse().ok()?, numbers?))
        }
        _ => None,
    }
}

fn hex_number(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

fn hex_bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16).ok()
        })
        .collect()
}

fn end_of(part: &Part) -> u64 {
    match part {
        Part::Size(_) => 0,
        Part::Bytes(offset, bytes) => offset.saturating_add(bytes.len() as u64),
        Part::Words(block, words) => block.saturating_add(words.len() as u64).saturating_mul(BLOCK as u64),
    }
}

fn write_parts(parts: &[Part], path: &str) -> io::Result<()> {
    let mut file = File::create(path)?;
    for part in parts {
        match part {
            Part::Size(size) => file.set_len(*size)?,
            Part::Bytes(offset, bytes) => {
                file.seek(SeekFrom::Start(*offset))?;
                file.write_all(bytes)?;
            }
            Part::Words(block, words) => {
                file.seek(SeekFrom::Start(block * BLOCK as u64))?;
                for word in words {
                    file.write_all(&word.to_le_bytes().repeat(BLOCK / 4))?;
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An image with metadata, a run, parity, a short last block.
    fn image() -> Vec<u8> {
        let mut image = vec![0; 20 * BLOCK + 100];
        image[BLOCK + 10..BLOCK + 14].copy_from_slice(b"meta");
        image[BLOCK + 64..BLOCK + 1024].fill(0xff);
        let numbers = [7, 7, 3, 100, 101, 102, 103, 104, 0x8000_0000, u32::MAX, 0, 1];
        for (block, number) in image.chunks_exact_mut(BLOCK).skip(4).zip(numbers) {
            block.copy_from_slice(&u32::to_le_bytes(number).repeat(BLOCK / 4));
        }
        image[20 * BLOCK + 99] = 0xff;
        image
    }

    fn build(text: &str) -> Vec<u8> {
        let path = std::env::temp_dir().join(format!("raid-image-test-{}", std::process::id()));
        let path = path.to_str().unwrap();
        write_parts(&parse(text).unwrap(), path).unwrap();
        let bytes = std::fs::read(path).unwrap();
        std::fs::remove_file(path).unwrap();
        bytes
    }

    #[test]
    fn an_image_comes_back_from_its_text() {
        let text = to_text(image().as_slice()).unwrap();
        assert!(text.contains("fill 0x1040 960 0xffffffff\n"), "{text}");
        assert!(text.contains("run 7 5 100\n"), "{text}");
        assert!(text.contains("words 4 0x7 0x7 0x3\n"), "{text}");
        assert_eq!(build(&text), image());
    }

    #[test]
    fn what_is_not_understood_or_too_large_is_refused_with_its_line() {
        for bad in [
            "hex 0x0 00",
            "size 10\nhex 0x8 001122",
            "size 10\nhex 0x0 0",
            "size 8192\nrun 1 2 1",
            "size 99999999999999999",
            "size 4096\nwords 0 5",
            "size 1\nmore",
        ] {
            let message = parse(bad).unwrap_err();
            assert!(message.contains(&format!("line {}", bad.lines().count())), "{bad}: {message}");
        }
        assert!(parse("# nothing\nsize 0 # empty\n").is_ok());
    }
}

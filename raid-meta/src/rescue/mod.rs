//! Map files of GNU ddrescue: which parts of a device could be read.
//!
//! A map is lines of text. Those that begin with `#` are comments. The first other line says where the program was and
//! what it was doing, `POSITION STATUS [PASS]`; every further one is a block, `POSITION SIZE STATUS`, in bytes and
//! in order. Numbers are as in C: decimal, `0x` or octal. `+` is finished; `?` was not tried; `*`, `/` and `-` failed, in large
//! pieces, in smaller ones, or as single sectors. (GNU ddrescue manual, "Mapfile structure".)
//!
//! A map is read line by line, whatever its size. What is kept of it is bounded by who keeps it.

mod readable;

pub use readable::Readable;

use crate::escape::escape;
use crate::units::Bytes;
use std::io::{self, BufRead};

/// What became of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// `?`: not tried yet.
    Untried,
    /// `*`: failed in a large piece, not trimmed.
    Untrimmed,
    /// `/`: failed, its sectors not tried one by one.
    Unscraped,
    /// `-`: can not be read.
    Bad,
    /// `+`: read.
    Finished,
}

impl Status {
    /// The character.
    #[must_use]
    pub fn symbol(self) -> char {
        match self {
            Self::Untried => '?',
            Self::Untrimmed => '*',
            Self::Unscraped => '/',
            Self::Bad => '-',
            Self::Finished => '+',
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "?" => Self::Untried,
            "*" => Self::Untrimmed,
            "/" => Self::Unscraped,
            "-" => Self::Bad,
            "+" => Self::Finished,
            _ => return None,
        })
    }
}

/// A part of a device with one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// First byte.
    pub start: Bytes,
    /// Length, not zero.
    pub length: Bytes,
    /// What became of it.
    pub status: Status,
}

impl Block {
    /// The byte after the last.
    #[must_use]
    pub fn end(&self) -> Bytes {
        self.start.saturating_add(self.length)
    }
}

/// A line of a map that means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// What follows the `#`, at most 1 KiB of it.
    Comment(&'a str),
    /// A block: behind all before it, and not overlapping them.
    Block(Block),
}

/// Why a map can not be used.
#[derive(Debug, thiserror::Error)]
pub enum MapError {
    /// It can not be read.
    #[error("{name}: {error}")]
    Io {
        /// Which map.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// A line is not what it should be.
    #[error("{name}: line {line}: {message}")]
    Line {
        /// Which map.
        name: String,
        /// Line number, from 1.
        line: u64,
        /// What is wrong with it.
        message: String,
    },
    /// It ends before it says anything.
    #[error("{name}: is no map file: no status line, expected \"POSITION STATUS\" before the blocks")]
    Empty {
        /// Which map.
        name: String,
    },
}

/// Longest line that is kept; of a longer comment, what is beyond is dropped.
const MAX_LINE: usize = 1024;
/// Largest byte position; that of ddrescue too.
const MAX_POSITION: u64 = i64::MAX.cast_unsigned();

/// Reads a map, and gives its comments and blocks to `sink` in order. What `sink` refuses is an error of that line.
///
/// # Errors
/// The first line that is none of a map; blocks that are not in order, overlap, or are empty; a map without any line.
pub fn read_map(
    name: &str,
    mut input: impl BufRead,
    mut sink: impl FnMut(Line<'_>) -> Result<(), String>,
) -> Result<(), MapError> {
    let mut buffer = Vec::with_capacity(MAX_LINE);
    let mut reader = Reader { has_status: false, end: 0 };
    for line in 1.. {
        let bad = |message| MapError::Line { name: name.to_owned(), line, message };
        let whole = match next_line(&mut input, &mut buffer) {
            Ok(None) => break,
            Ok(Some(whole)) => whole,
            Err(error) => return Err(MapError::Io { name: name.to_owned(), error }),
        };
        let text = String::from_utf8_lossy(&buffer);
        let comment = text.strip_prefix('#');
        if !whole && comment.is_none() {
            return Err(bad(format!("longer than {MAX_LINE} bytes, and no comment")));
        }
        let found = match comment {
            Some(comment) => Some(Line::Comment(comment)),
            None => reader.line(&text).map_err(bad)?.map(Line::Block),
        };
        found.map_or(Ok(()), &mut sink).map_err(bad)?;
    }
    if reader.has_status { Ok(()) } else { Err(MapError::Empty { name: name.to_owned() }) }
}

/// Reads a line into the buffer without its end; whether all of it fits. None at the end of the input.
fn next_line(input: &mut impl BufRead, buffer: &mut Vec<u8>) -> io::Result<Option<bool>> {
    buffer.clear();
    let (mut is_whole, mut is_any) = (true, false);
    loop {
        let available = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            available => available?,
        };
        if available.is_empty() {
            return Ok(is_any.then_some(is_whole));
        }
        is_any = true;
        let end = available.iter().position(|&byte| byte == b'\n');
        let line = available.get(..end.unwrap_or(available.len())).unwrap_or_default();
        let kept = line.len().min(MAX_LINE.saturating_sub(buffer.len()));
        is_whole &= kept == line.len();
        buffer.extend_from_slice(line.get(..kept).unwrap_or_default());
        let used = line.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            return Ok(Some(is_whole));
        }
    }
}

/// What the lines so far came to.
struct Reader {
    has_status: bool,
    /// End of the last block.
    end: u64,
}

impl Reader {
    /// The block of a line; none when it has none.
    fn line(&mut self, text: &str) -> Result<Option<Block>, String> {
        let mut words = text.split_ascii_whitespace();
        let words = [words.next(), words.next(), words.next(), words.next()];
        match (self.has_status, words) {
            (_, [None, ..]) => Ok(None),
            (false, [Some(position), Some(status), pass, None]) => {
                let is_known = matches!(status, "?" | "*" | "/" | "-" | "F" | "G" | "+");
                if !is_known || number(position).is_none() || pass.is_some_and(|pass| number(pass).is_none())
                {
                    return Err(format!("{}, expected \"POSITION STATUS [PASS]\"", quoted(text)));
                }
                self.has_status = true;
                Ok(None)
            }
            (false, _) => Err(format!("{}, expected \"POSITION STATUS [PASS]\"", quoted(text))),
            (true, [Some(start), Some(length), Some(status), None]) => {
                self.block(start, length, status, text).map(Some)
            }
            (true, _) => Err(format!("{}, expected \"POSITION SIZE STATUS\"", quoted(text))),
        }
    }

    fn block(&mut self, start: &str, length: &str, status: &str, text: &str) -> Result<Block, String> {
        let numbers = number(start).zip(number(length));
        let Some(((start, length), status)) = numbers.zip(Status::from_word(status)) else {
            return Err(format!("{}, expected \"POSITION SIZE STATUS\" with one of ? * / - +", quoted(text)));
        };
        let end = start.checked_add(length).filter(|&end| end <= MAX_POSITION);
        let Some(end) = end else {
            return Err(format!("a block of {length:#x} bytes at {start:#x} ends beyond {MAX_POSITION:#x}"));
        };
        if length == 0 {
            return Err(format!("the block at {start:#x} is empty"));
        }
        if start < self.end {
            let before = self.end;
            return Err(format!(
                "the block at {start:#x} begins before the end of the one before it, {before:#x}"
            ));
        }
        self.end = end;
        Ok(Block { start: Bytes(start), length: Bytes(length), status })
    }
}

/// A number as in C, not negative.
fn number(word: &str) -> Option<u64> {
    let lower = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
    let found = match lower {
        Some(digits) if !digits.starts_with('+') => u64::from_str_radix(digits, 16),
        Some(_) => return None,
        None if !word.starts_with(|digit: char| digit.is_ascii_digit()) => return None,
        None if word.starts_with('0') => u64::from_str_radix(word, 8),
        None => word.parse(),
    };
    found.ok().filter(|&number| number <= MAX_POSITION)
}

/// The start of a line, for a message.
fn quoted(text: &str) -> String {
    const SHOWN: usize = 40;
    let shown: String = text.chars().take(SHOWN).collect();
    format!("found \"{}\"", escape(shown.as_bytes()))
}

#[cfg(test)]
mod tests;

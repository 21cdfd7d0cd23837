//! The words of a line: splitting, quoting, and taking them one by one.

use raid_meta::escape::escape;
use raid_meta::units::Sectors;
use std::fmt::{self, Write as _};
use std::str::FromStr;

/// A line that is not one of device-mapper's, as far as this project knows them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// A target type that is not among those of [`super::Target`].
    #[error("unknown target '{found}'")]
    UnknownTarget {
        /// The type found.
        found: String,
    },
    /// The line ends too early.
    #[error("{target}: the line ends where {expected} should be")]
    Ends {
        /// Target type.
        target: &'static str,
        /// What should follow.
        expected: &'static str,
    },
    /// A word is not what should be there.
    #[error("{target}: found '{found}', expected {expected}")]
    Word {
        /// Target type.
        target: &'static str,
        /// The word.
        found: String,
        /// What should be there.
        expected: &'static str,
    },
    /// There are words after the last one that the target takes.
    #[error("{target}: '{found}' follows the last parameter")]
    Extra {
        /// Target type.
        target: &'static str,
        /// The first word too many.
        found: String,
    },
    /// A count does not agree with what is counted.
    #[error("{target}: the line says {said} {what}, found {counted}")]
    Count {
        /// Target type.
        target: &'static str,
        /// What is counted.
        what: &'static str,
        /// The number in the line.
        said: u64,
        /// The number found.
        counted: u64,
    },
}

/// Splits a line as the kernel does: at blanks, a backslash takes the next character as it is.
pub(super) fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => word.get_or_insert_default().push(characters.next().unwrap_or('\\')),
            blank if blank.is_ascii_whitespace() || blank == '\u{b}' => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

/// Writes a word so that [`split`] gives it back.
pub(super) fn quote(word: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for character in word.chars() {
        if character == '\\' || character.is_ascii_whitespace() || character == '\u{b}' {
            f.write_char('\\')?;
        }
        f.write_char(character)?;
    }
    Ok(())
}

/// The words of a line, taken from the front; knows the target for its errors.
pub(super) struct Words<'a> {
    target: &'static str,
    rest: std::iter::Peekable<std::slice::Iter<'a, String>>,
}

impl<'a> Words<'a> {
    pub(super) fn new(target: &'static str, words: &'a [String]) -> Self {
        Self { target, rest: words.iter().peekable() }
    }

    pub(super) fn target(&self) -> &'static str {
        self.target
    }

    pub(super) fn peek(&mut self) -> Option<&'a str> {
        self.rest.peek().map(|word| word.as_str())
    }

    /// The next word.
    pub(super) fn word(&mut self, expected: &'static str) -> Result<&'a str, TargetError> {
        let target = self.target;
        self.rest.next().map(String::as_str).ok_or(TargetError::Ends { target, expected })
    }

    /// The next word, as a value of that type.
    pub(super) fn parse<T: FromStr>(&mut self, expected: &'static str) -> Result<T, TargetError> {
        let word = self.word(expected)?;
        word.parse().map_err(|_| self.unexpected(word, expected))
    }

    /// The next word, as a count of sectors.
    pub(super) fn sectors(&mut self, expected: &'static str) -> Result<Sectors, TargetError> {
        self.parse(expected).map(Sectors)
    }

    /// The next word, when it is the given one.
    pub(super) fn take_if(&mut self, wanted: &str) -> bool {
        self.rest.next_if(|word| word.as_str() == wanted).is_some()
    }

    /// The error for a word.
    pub(super) fn unexpected(&self, found: &str, expected: &'static str) -> TargetError {
        TargetError::Word { target: self.target, found: escape(found.as_bytes()), expected }
    }

    /// Nothing may be left.
    pub(super) fn end(mut self) -> Result<(), TargetError> {
        match self.peek() {
            None => Ok(()),
            Some(found) => Err(TargetError::Extra { target: self.target, found: escape(found.as_bytes()) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Quoted<'a>(&'a str);

    impl fmt::Display for Quoted<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            quote(self.0, f)
        }
    }

    #[test]
    fn words_are_split_as_the_kernel_does() {
        assert_eq!(split("  a  b\\ c\\\\ d\t"), ["a", "b c\\", "d"]);
        assert_eq!(split("\\ "), [" "]);
        assert_eq!(split("end\\"), ["end\\"]);
        assert!(split(" ").is_empty());
    }

    proptest! {
        #[test]
        fn a_quoted_word_is_one_word_again(words in prop::collection::vec("[ -~\\\\\t\u{b}é]{1,8}", 0..5)) {
            let line: Vec<String> = words.iter().map(|word| Quoted(word).to_string()).collect();
            prop_assert_eq!(split(&line.join(" ")), words);
        }
    }
}

//! The data that says where it belongs: block n (4096 bytes, from 0) is the little-endian 32-bit number n+1, repeated.
//! `raid-pattern` writes it; this says what bytes read back from an array are.

/// Bytes in a block.
const BLOCK: usize = 4096;
/// Runs of wrong blocks that are named.
const RUNS_NAMED: usize = 6;

/// What the blocks of an array hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pattern {
    /// Blocks numbered below this were written a second time.
    pub rewritten: u64,
    /// Those hold n+1+`add`.
    pub add: u32,
    /// Or n+1 as before, because nobody knows how far the second time came; sectors of a block may differ in it.
    pub torn: bool,
}

impl Pattern {
    fn word(self, block: u64) -> u32 {
        let add = if block < self.rewritten { self.add } else { 0 };
        self.first_word(block).wrapping_add(add)
    }

    fn first_word(self, block: u64) -> u32 {
        u32::try_from(block).expect("a test array is small").wrapping_add(1)
    }

    /// Whether the bytes are the pattern from a block on; if not, what the first wrong blocks hold.
    ///
    /// # Errors
    /// They are not.
    pub fn check(self, first: u64, bytes: &[u8]) -> Result<(), String> {
        let mut wrong = Vec::new();
        for (number, block) in (first..).zip(bytes.chunks(BLOCK)) {
            let expected = self.word(number);
            let is_right = |sector: &[u8]| {
                holds(sector, expected) || self.torn && holds(sector, self.first_word(number))
            };
            if !block.chunks(512).all(is_right) {
                wrong.push((number, content(block)));
            }
        }
        if wrong.is_empty() {
            return Ok(());
        }
        Err(format!("{} of {} blocks are wrong: {}", wrong.len(), bytes.len().div_ceil(BLOCK), runs(&wrong)))
    }
}

fn holds(block: &[u8], word: u32) -> bool {
    let word = word.to_le_bytes();
    block.chunks(4).all(|place| word.starts_with(place))
}

/// The word that the block holds throughout.
fn content(block: &[u8]) -> Option<u32> {
    let word = u32::from_le_bytes(*block.first_chunk()?);
    holds(block, word).then_some(word)
}

fn runs(wrong: &[(u64, Option<u32>)]) -> String {
    let goes_on = |before: &(u64, Option<u32>), after: &(u64, Option<u32>)| {
        let same = match (before.1, after.1) {
            (Some(before), Some(after)) => after == before.wrapping_add(1) || (before == 0 && after == 0),
            (before, after) => before == after,
        };
        after.0 == before.0 + 1 && same
    };
    let name = |run: &[(u64, Option<u32>)]| {
        let (from, to) = (run[0].0, run[run.len() - 1].0);
        match run[0].1 {
            Some(0) => format!("{from}-{to} are zero"),
            Some(word) => format!("{from}-{to} hold those from {}", word.wrapping_sub(1)),
            None => format!("{from}-{to} hold something else"),
        }
    };
    let named: Vec<String> = wrong.chunk_by(goes_on).take(RUNS_NAMED).map(name).collect();
    named.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(word: u32) -> Vec<u8> {
        word.to_le_bytes().repeat(BLOCK / 4)
    }

    #[test]
    fn the_pattern_is_recognised_and_a_misplaced_block_named() {
        let bytes: Vec<u8> = (8..12).flat_map(|number| block(number + 1)).collect();
        assert_eq!(Pattern::default().check(8, &bytes), Ok(()));
        assert!(Pattern::default().check(8, &bytes[..5000]).is_ok());
        let message = Pattern::default().check(7, &bytes).unwrap_err();
        assert_eq!(message, "4 of 4 blocks are wrong: 7-10 hold those from 8");
    }

    #[test]
    fn rewritten_blocks_hold_another_number() {
        let bytes: Vec<u8> = [block(101), block(102), block(3)].concat();
        assert!(Pattern { rewritten: 2, add: 100, torn: false }.check(0, &bytes).is_ok());
        assert!(Pattern { rewritten: 3, add: 100, torn: false }.check(0, &bytes).is_err());
        assert!(Pattern::default().check(0, &vec![0; 2 * BLOCK]).unwrap_err().contains("0-1 are zero"));
    }
}

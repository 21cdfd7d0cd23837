//! The reader of ddrescue's maps: any bytes give blocks in order or an error that names its line, in bounded memory; and what
//! is said to be readable is what the blocks say.
#![no_main]

use libfuzzer_sys::fuzz_target;
use raid_meta::rescue::{Line, Readable, Status, read_map};
use raid_meta::units::{SECTOR_BYTES, Sectors};

/// Ranges that are kept.
const LIMIT: usize = 64;

fuzz_target!(|input: &[u8]| {
    let mut blocks = Vec::new();
    let read = read_map("map", input, |line| {
        match line {
            Line::Comment(text) => assert!(text.len() <= 4096),
            Line::Block(block) => blocks.push(block),
        }
        Ok(())
    });
    for pair in blocks.windows(2) {
        assert!(pair[0].end() <= pair[1].start && pair[0].length.0 > 0);
    }
    let readable = Readable::read("map", input, LIMIT);
    let Ok(readable) = readable else { return };
    assert!(read.is_ok() && readable.ranges() <= LIMIT + 1);
    for block in blocks {
        let is_finished = block.status == Status::Finished;
        let first = Sectors(block.start.0.div_ceil(SECTOR_BYTES));
        if is_finished && first.0 < block.end().0 / SECTOR_BYTES {
            assert!(readable.at(first).0);
        }
        if !is_finished {
            assert!(!readable.at(Sectors(block.start.0 / SECTOR_BYTES)).0);
        }
    }
});

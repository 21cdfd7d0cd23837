//! Every kind of instructions that this processor has, against the reference.

use super::*;
use crate::layout::tests::config;
use crate::parity::{Agreement, Weighted, reference};
use proptest::prelude::*;

/// Blocks of one length that lie anywhere, each with bytes of its neighbours around it.
#[derive(Clone, Debug)]
struct Blocks {
    length: usize,
    buffers: Vec<(usize, Vec<u8>)>,
    present: Vec<bool>,
}

impl Blocks {
    fn get(&self, index: usize) -> &[u8] {
        let (offset, buffer) = &self.buffers[index];
        &buffer[*offset..offset + self.length]
    }

    fn all(&self) -> Vec<&[u8]> {
        (0..self.buffers.len()).map(|index| self.get(index)).collect()
    }

    fn with_gaps(&self) -> Vec<Option<&[u8]>> {
        (0..self.buffers.len()).map(|index| self.present[index].then(|| self.get(index))).collect()
    }

    /// A target as long as the blocks, full of something else, with guards on both sides.
    fn target(&self) -> Target {
        Target { bytes: vec![0xee; self.length + 2 * GUARD + 3] }
    }
}

const GUARD: usize = 67;

struct Target {
    bytes: Vec<u8>,
}

impl Target {
    fn get(&mut self) -> &mut [u8] {
        let length = self.bytes.len() - 2 * GUARD - 3;
        &mut self.bytes[GUARD..GUARD + length]
    }

    /// The bytes, after a look at the guards.
    fn take(mut self) -> Vec<u8> {
        let found = self.get().to_vec();
        self.get().fill(0xee);
        assert!(self.bytes.iter().all(|byte| *byte == 0xee), "something was written beside the target");
        found
    }
}

/// Lengths around whole and several vectors, the empty one too.
fn lengths() -> impl Strategy<Value = usize> {
    prop_oneof![0..70usize, 120..140usize, 250..262usize, 500..520usize, 1000..1100usize]
}

fn counts() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 1..=16usize, 1 => 250..=255usize]
}

fn blocks(counts: impl Strategy<Value = usize>) -> impl Strategy<Value = Blocks> {
    (counts, lengths(), any::<u64>()).prop_map(|(count, length, seed)| {
        let mut state = seed | 1;
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        };
        let buffers = (0..count)
            .map(|_| {
                let offset = usize::from(next() % 64);
                (offset, (0..offset + length).map(|_| next()).collect())
            })
            .collect();
        Blocks { length, buffers, present: (0..count).map(|_| next() % 4 != 0).collect() }
    })
}

/// Runs a function with a target, and gives what it wrote.
/// Every engine with blocks from everywhere.
fn all_ways() -> impl Iterator<Item = (Engine, Access)> {
    let ways = |engine| [Access::Cached, Access::Streamed].map(|access| (engine, access));
    Engine::available().into_iter().flat_map(ways)
}

fn written(blocks: &Blocks, write: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut target = blocks.target();
    write(target.get());
    target.take()
}

fn written_two(blocks: &Blocks, write: impl FnOnce(&mut [u8], &mut [u8])) -> [Vec<u8>; 2] {
    let (mut first, mut second) = (blocks.target(), blocks.target());
    write(first.get(), second.get());
    [first.take(), second.take()]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn sums_are_those_of_the_reference(blocks in blocks(counts())) {
        let (all, gaps) = (blocks.all(), blocks.with_gaps());
        let p = written(&blocks, |p| reference::generate_p(p, &all));
        let pq = written_two(&blocks, |p, q| reference::generate_pq(p, q, &gaps));
        for engine in Engine::available() {
            prop_assert_eq!(&written(&blocks, |p| engine.generate_p(p, &all)), &p, "{:?}", engine);
            prop_assert_eq!(&written_two(&blocks, |p, q| engine.generate_pq(p, q, &gaps)), &pq, "{:?}", engine);
        }
    }

    #[test]
    fn one_changed_bit_anywhere_is_seen(blocks in blocks(counts()), place: prop::sample::Index, bit in 0..8u8) {
        let (all, gaps) = (blocks.all(), blocks.with_gaps());
        let mut sum = written(&blocks, |p| reference::generate_p(p, &all));
        let [mut p, mut q] = written_two(&blocks, |p, q| reference::generate_pq(p, q, &gaps));
        for (engine, access) in all_ways() {
            prop_assert!(engine.p_agrees(&sum, &all, access), "{engine:?}");
            prop_assert!(engine.pq_agree(&p, &q, &gaps, access).both(), "{engine:?}");
        }
        if blocks.length == 0 {
            return Ok(());
        }
        let at = place.index(blocks.length);
        for (engine, access) in all_ways() {
            for parity in [&mut sum, &mut p, &mut q] {
                parity[at] ^= 1 << bit;
            }
            prop_assert!(!engine.p_agrees(&sum, &all, access), "{engine:?}");
            prop_assert_eq!(engine.pq_agree(&p, &q, &gaps, access), Agreement { p: false, q: false }, "{:?}", engine);
            p[at] ^= 1 << bit;
            prop_assert_eq!(engine.pq_agree(&p, &q, &gaps, access), Agreement { p: true, q: false }, "{:?}", engine);
            for parity in [&mut sum, &mut q] {
                parity[at] ^= 1 << bit;
            }
        }
    }

    #[test]
    fn any_two_lost_blocks_come_back(blocks in blocks(2..=16usize)) {
        let all: Vec<Option<&[u8]>> = blocks.all().into_iter().map(Some).collect();
        let [p, q] = written_two(&blocks, |p, q| reference::generate_pq(p, q, &all));
        for engine in Engine::available() {
            for (a, b) in (0..all.len()).flat_map(|a| (0..all.len()).map(move |b| (a, b))) {
                let mut rest = all.clone();
                (rest[a], rest[b]) = (None, None);
                let (a, b) = (u8::try_from(a).unwrap(), u8::try_from(b).unwrap());
                let (found, expected) = if a == b {
                    let found = written_two(&blocks, |x, p| engine.recover_data_and_p(x, p, a, &q, &rest));
                    (found, [blocks.get(a.into()), &p])
                } else {
                    let found = written_two(&blocks, |x, y| engine.recover_two(x, y, [a, b], &p, &q, &rest));
                    (found, [blocks.get(a.into()), blocks.get(b.into())])
                };
                prop_assert_eq!(&found[..], &expected[..], "{:?}: {} and {}", engine, a, b);
            }
        }
    }

    #[test]
    fn combinations_are_those_of_the_reference(blocks in blocks(counts()), weights in prop::collection::vec(any::<u8>(), 255)) {
        let terms = blocks.all().into_iter().zip(&weights).map(|(block, &weight)| Weighted { weight, block });
        let terms: Vec<Weighted<'_>> = terms.collect();
        let ones: Vec<Weighted<'_>> = terms.iter().map(|term| Weighted { weight: 1, ..*term }).collect();
        for terms in [&terms, &ones] {
            let expected = written(&blocks, |target| reference::combine(target, terms));
            for engine in Engine::available() {
                prop_assert_eq!(&written(&blocks, |target| engine.combine(target, terms)), &expected, "{:?}", engine);
            }
        }
        for factor in [0, 1, 2, weights[0], 255] {
            let expected = written(&blocks, |target| reference::multiply_into(target, terms[0].block, factor));
            for engine in Engine::available() {
                let found = written(&blocks, |target| engine.multiply_into(target, terms[0].block, factor));
                prop_assert_eq!(&found, &expected, "{:?}, factor {}", engine, factor);
            }
        }
    }
}

#[test]
fn the_portable_way_is_always_there_and_the_last() {
    let names: Vec<&str> = Engine::available().iter().map(|engine| engine.name()).collect();
    assert_eq!(names.last(), Some(&"portable"));
    assert!(names.contains(&Engine::chosen().name()), "{names:?}");
}

#[test]
fn every_product_of_every_way_is_that_of_the_field() {
    let bytes: Vec<u8> = (0..=255).collect();
    for (engine, factor) in
        Engine::available().into_iter().flat_map(|engine| (0..=255).map(move |factor| (engine, factor)))
    {
        let mut found = vec![0; bytes.len()];
        engine.multiply_into(&mut found, &bytes, factor);
        let expected: Vec<u8> = bytes.iter().map(|&byte| crate::parity::multiply(factor, byte)).collect();
        assert_eq!(found, expected, "{engine:?}, factor {factor}");
    }
}

#[test]
#[should_panic(expected = "blocks of a stripe are of one length")]
fn a_block_that_is_too_short_is_never_read() {
    let _ =
        Engine::chosen().pq_agree(&[0; 256], &[0; 256], &[Some(&[0; 256]), Some(&[0; 255])], Access::Cached);
}

#[test]
fn the_worked_example_is_right_in_every_way() {
    let byte = |byte: u8| vec![byte; 300];
    let data = [byte(0x11), byte(0x22), byte(0x33), byte(0xa5)];
    let data: Vec<Option<&[u8]>> = data.iter().map(|block| Some(block.as_slice())).collect();
    for engine in Engine::available() {
        let (mut p, mut q) = (byte(0), byte(0));
        engine.generate_pq(&mut p, &mut q, &data);
        assert_eq!((&p, &q), (&byte(0xa5), &byte(0xd8)), "{engine:?}");
        let ddf = [data[0], None, None, data[1], data[2], data[3]];
        engine.generate_pq(&mut p, &mut q, &ddf);
        assert_eq!((&p, &q), (&byte(0xa5), &byte(0x12)), "{engine:?}");
        let (mut x, mut y) = (byte(0), byte(0));
        engine.recover_two(&mut x, &mut y, [0, 4], &p, &q, &[None, None, None, data[1], None, data[3]]);
        assert_eq!((x, y), (byte(0x11), byte(0x33)), "{engine:?}");
    }
}

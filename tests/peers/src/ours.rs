//! What raid-table does with a stripe.

use crate::stripe::{BLOCK, Stripe};
use raid_table::parity::{Access, Engine, reference};

/// P and Q into their places, byte by byte: what all others are held against.
pub fn set_parity(stripe: &mut Stripe) {
    let count = stripe.data();
    let (data, p, q) = stripe.split(count);
    let data: Vec<Option<&[u8]>> = data.into_iter().map(Some).collect();
    reference::generate_pq(p, q, &data);
}

pub fn generate(engine: Engine, stripe: &mut Stripe) {
    let count = stripe.data();
    let (data, p, q) = stripe.split(count + 2);
    let data: Vec<Option<&[u8]>> = data[..count].iter().copied().map(Some).collect();
    engine.generate_pq(p, q, &data);
}

pub fn generate_p(engine: Engine, stripe: &mut Stripe) {
    let count = stripe.data();
    let (data, p, _) = stripe.split(count + 2);
    engine.generate_p(p, &data[..count]);
}

pub fn check(engine: Engine, stripe: &mut Stripe) {
    let count = stripe.data();
    let blocks =
        |range: std::ops::Range<usize>| range.map(|index| Some(stripe.block(index))).collect::<Vec<_>>();
    let agreement =
        engine.pq_agree(stripe.block(count), stripe.block(count + 1), &blocks(0..count), Access::Cached);
    assert!(agreement.both(), "{engine:?} finds fault with a sound stripe");
}

pub fn check_p(engine: Engine, stripe: &mut Stripe) {
    let data: Vec<&[u8]> = (0..stripe.data()).map(|index| stripe.block(index)).collect();
    assert!(
        engine.p_agrees(stripe.block(stripe.data()), &data, Access::Cached),
        "{engine:?} finds fault with a sound stripe"
    );
}

/// The data of two exponents, into the two blocks behind the parity.
pub fn recover(engine: Engine, lost: [usize; 2], stripe: &mut Stripe) {
    let count = stripe.data();
    let (blocks, x, y) = stripe.split(count + 2);
    let data = (0..count).map(|index| (!lost.contains(&index)).then_some(blocks[index]));
    let data: Vec<Option<&[u8]>> = data.collect();
    let exponents = lost.map(|lost| lost.to_le_bytes()[0]);
    engine.recover_two(x, y, exponents, blocks[count], blocks[count + 1], &data);
}

/// Whether the two blocks behind the parity are now the ones that are named.
pub fn assert_found(name: &str, stripe: &Stripe, expected: [usize; 2]) {
    for (found, expected) in (stripe.data() + 2..).zip(expected) {
        assert!(stripe.block(found) == stripe.block(expected), "{name}: block {expected} is wrong");
    }
}

/// Spoils the two blocks behind the parity, so that what is found there was computed.
pub fn spoil(stripe: &mut Stripe) {
    let count = stripe.data();
    let (_, x, y) = stripe.split(count + 2);
    assert_eq!((x.len(), y.len()), (BLOCK, BLOCK));
    x.fill(0xee);
    y.fill(0xee);
}

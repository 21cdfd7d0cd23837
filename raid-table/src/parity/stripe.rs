//! The blocks of a stripe in the order in which parity is computed.

use super::{Access, Agreement, RecoverError, p_agrees, pq_agree, recover, recover_data_and_p, recover_two};
use crate::layout::{Role, Row};
use raid_meta::units::Slot;

/// The blocks of a stripe by what they are to it. Those that are not there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stripe<'a> {
    /// Data, by exponent: as [`super::generate_pq`] takes it. Where there is no Q, in slot order.
    pub data: Vec<Option<&'a [u8]>>,
    /// P.
    pub p: Option<&'a [u8]>,
    /// Q.
    pub q: Option<&'a [u8]>,
}

impl<'a> Stripe<'a> {
    /// Sorts blocks that are given in slot order.
    #[must_use]
    pub fn new(row: &Row, blocks: &[Option<&'a [u8]>]) -> Self {
        let mut stripe = Self { data: Vec::with_capacity(blocks.len()), ..Self::default() };
        for (role, &block) in row.roles().zip(blocks) {
            match role {
                Role::P => stripe.p = block,
                Role::Q => stripe.q = block,
                Role::Data { .. } if row.q().is_none() => stripe.data.push(block),
                Role::Data { exponent, .. } => stripe.set(exponent, block),
            }
        }
        stripe
    }

    fn set(&mut self, exponent: u8, block: Option<&'a [u8]>) {
        let position = usize::from(exponent);
        if self.data.len() <= position {
            self.data.resize(position + 1, None);
        }
        self.data[position] = block;
    }

    /// Whether the parity is that of the data. Parity that is not there agrees; the data has to be complete.
    ///
    /// # Panics
    /// The blocks differ in length.
    #[must_use]
    pub fn agreement(&self, access: Access) -> Agreement {
        match (self.p, self.q) {
            (Some(p), Some(q)) => pq_agree(p, q, &self.data, access),
            (Some(p), None) => {
                let data: Vec<&[u8]> = self.data.iter().flatten().copied().collect();
                Agreement { p: p_agrees(p, &data, access), q: true }
            }
            (None, Some(q)) => self.q_alone(q),
            (None, None) => Agreement { p: true, q: true },
        }
    }

    fn q_alone(&self, q: &[u8]) -> Agreement {
        let terms: Vec<super::Weighted<'_>> = (0..=u8::MAX)
            .zip(&self.data)
            .filter_map(|(exponent, block)| {
                block.map(|block| super::Weighted { weight: super::power(exponent), block })
            })
            .collect();
        let mut computed = vec![0; q.len()];
        super::combine(&mut computed, &terms);
        Agreement { p: true, q: computed == q }
    }
}

/// Computes the blocks of two slots, as [`recover`] does that of one; in one pass over the others where there is one.
///
/// # Errors
/// As [`recover`].
pub fn recover_pair(
    row: &Row,
    blocks: &[Option<&[u8]>],
    first: (Slot, &mut [u8]),
    second: (Slot, &mut [u8]),
) -> Result<(), RecoverError> {
    let ((a, x), (b, y)) = (first, second);
    let mut others = blocks.to_vec();
    for slot in [a, b] {
        if let Some(block) = others.get_mut(slot.index()) {
            *block = None;
        }
    }
    let length = x.len();
    let whole = y.len() == length
        && others.len() == row.roles().count()
        && others.iter().flatten().all(|block| block.len() == length)
        && others.iter().filter(|block| block.is_none()).count() == 2;
    let stripe = Stripe::new(row, &others);
    match (row.role(a), row.role(b), stripe.p, stripe.q) {
        (Some(Role::Data { exponent: i, .. }), Some(Role::Data { exponent: j, .. }), Some(p), Some(q))
            if whole =>
        {
            recover_two(x, y, [i, j], p, q, &stripe.data);
        }
        (Some(Role::Data { exponent, .. }), Some(Role::P), None, Some(q)) if whole => {
            recover_data_and_p(x, y, exponent, q, &stripe.data);
        }
        (Some(Role::P), Some(Role::Data { exponent, .. }), None, Some(q)) if whole => {
            recover_data_and_p(y, x, exponent, q, &stripe.data);
        }
        _ => {
            recover(row, &others, a, x)?;
            recover(row, &others, b, y)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Map;
    use crate::layout::tests::config;
    use proptest::prelude::*;
    use raid_meta::geometry::{Geometry, Level, ParityLayout};
    use raid_meta::units::{ChunkSectors, Sectors};

    fn row(layout: ParityLayout, slots: u32, stripe: u64) -> Row {
        let chunk = ChunkSectors::new(8);
        let geometry = Geometry { level: Level::Raid6, layout: Some(layout.into()), chunk, slots };
        let lengths = vec![Sectors(8 * 100); Slot(slots).index()];
        Map::new(&geometry, &lengths, Sectors::ZERO).unwrap().row(stripe).unwrap()
    }

    /// Blocks of a stripe in slot order, parity computed.
    fn blocks(row: &Row, bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut blocks: Vec<Vec<u8>> = bytes.chunks(7).map(<[u8]>::to_vec).collect();
        for parity in [Some(row.p()), row.q()].into_iter().flatten() {
            let given: Vec<Option<&[u8]>> = blocks.iter().map(|block| Some(block.as_slice())).collect();
            let mut computed = vec![0; 7];
            recover(row, &given, parity, &mut computed).unwrap();
            blocks[parity.index()] = computed;
        }
        blocks
    }

    fn given(blocks: &[Vec<u8>]) -> Vec<Option<&[u8]>> {
        blocks.iter().map(|block| Some(block.as_slice())).collect()
    }

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn stripes_of_every_layout_agree_until_a_block_is_changed(
            layout in prop::sample::select(ParityLayout::ALL.to_vec()),
            slots in 4..=12u32,
            number in 0..100u64,
            bytes in prop::collection::vec(any::<u8>(), 84),
        ) {
            let row = row(layout, slots, number);
            let mut blocks = blocks(&row, &bytes[..7 * Slot(slots).index()]);
            prop_assert!(Stripe::new(&row, &given(&blocks)).agreement(Access::Cached).both());
            for changed in (0..slots).map(Slot) {
                blocks[changed.index()][3] ^= 0x5a;
                let found = Stripe::new(&row, &given(&blocks)).agreement(Access::Cached);
                let (p, q) = (changed == row.p(), Some(changed) == row.q());
                prop_assert_eq!(found, Agreement { p: q, q: p }, "slot {:?}", changed);
                let mut without_p = given(&blocks);
                without_p[row.p().index()] = None;
                prop_assert_eq!(Stripe::new(&row, &without_p).agreement(Access::Cached), Agreement { p: true, q: p });
                blocks[changed.index()][3] ^= 0x5a;
            }
        }

        #[test]
        fn any_two_blocks_are_recovered_together(
            layout in prop::sample::select(ParityLayout::ALL.to_vec()),
            slots in 4..=12u32,
            number in 0..100u64,
            bytes in prop::collection::vec(any::<u8>(), 84),
        ) {
            let row = row(layout, slots, number);
            let blocks = blocks(&row, &bytes[..7 * Slot(slots).index()]);
            for (a, b) in (0..slots).flat_map(|a| (0..slots).map(move |b| (Slot(a), Slot(b)))) {
                let (mut x, mut y) = ([0xee; 7], [0xee; 7]);
                recover_pair(&row, &given(&blocks), (a, &mut x), (b, &mut y)).unwrap();
                prop_assert_eq!((&x[..], &y[..]), (&blocks[a.index()][..], &blocks[b.index()][..]));
            }
        }
    }

    #[test]
    fn a_pair_that_can_not_be_recovered_is_refused() {
        let row = row(ParityLayout::LeftSymmetric, 5, 0);
        let block = [0u8; 2];
        let mut blocks = [Some(&block[..]); 5];
        blocks[2] = None;
        let (mut x, mut y) = ([0; 2], [0; 2]);
        let lost = recover_pair(&row, &blocks, (Slot(0), &mut x), (Slot(1), &mut y));
        assert!(matches!(lost, Err(RecoverError::TooManyLost { .. })), "{lost:?}");
        let mut short = [0; 1];
        let length = recover_pair(&row, &blocks, (Slot(2), &mut short), (Slot(1), &mut y));
        assert!(matches!(length, Err(RecoverError::Length { .. })), "{length:?}");
        let few = recover_pair(&row, &blocks[..3], (Slot(0), &mut x), (Slot(1), &mut y));
        assert!(few.is_err());
    }
}

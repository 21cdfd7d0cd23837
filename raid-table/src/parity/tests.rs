//! Recovery: worked examples, and every loss of every layout.

use super::*;
use crate::layout::Map;
use crate::layout::tests::config;
use crate::parity::syndromes;
use proptest::prelude::*;
use raid_meta::geometry::{Geometry, Level, ParityLayout};
use raid_meta::units::{ChunkSectors, Sectors};

fn row(level: Level, layout: ParityLayout, slots: u32, stripe: u64) -> Row {
    let chunk = ChunkSectors::new(8);
    let geometry = Geometry { level, layout: Some(layout.into()), chunk, slots };
    let lengths = vec![Sectors(8 * 100); Slot(slots).index()];
    Map::new(&geometry, &lengths, Sectors::ZERO).unwrap().row(stripe).unwrap()
}

/// Bytes of one stripe in slot order, with the data given in slot order too.
fn stripe(row: &Row, data: &[u8]) -> Vec<u8> {
    let mut data = data.iter();
    let mut terms = Vec::new();
    let mut blocks: Vec<Vec<u8>> = Vec::new();
    for role in row.roles() {
        blocks.push(match role {
            Role::Data { .. } => vec![*data.next().unwrap()],
            Role::P | Role::Q => vec![0],
        });
    }
    for (role, block) in row.roles().zip(&blocks) {
        if let Role::Data { exponent, .. } = role {
            terms.push(Weighted { weight: power(exponent), block });
        }
    }
    let (mut p, mut q) = ([0], [0]);
    syndromes(&mut p, &mut q, &terms);
    let bytes = row.roles().zip(&blocks).map(|(role, block)| match role {
        Role::P => p[0],
        Role::Q => q[0],
        Role::Data { .. } => block[0],
    });
    bytes.collect()
}

/// What recovery gives for a slot of a stripe of which other slots are lost too.
fn recovered(row: &Row, stripe: &[u8], lost: &[u32], wanted: u32) -> Result<u8, RecoverError> {
    let blocks: Vec<Option<&[u8]>> = (0..)
        .zip(stripe)
        .map(|(slot, byte)| (!lost.contains(&slot)).then_some(std::slice::from_ref(byte)))
        .collect();
    let mut target = [0x99];
    recover(row, &blocks, Slot(wanted), &mut target)?;
    Ok(target[0])
}

#[test]
fn worked_example_left_symmetric() {
    let row = row(Level::Raid6, ParityLayout::LeftSymmetric, 6, 1);
    let bytes = stripe(&row, &[0x11, 0x22, 0x33, 0xa5]);
    assert_eq!(bytes, [0x11, 0x22, 0x33, 0xa5, 0xa5, 0xd8]);
    assert_eq!(recovered(&row, &bytes, &[1, 4], 1), Ok(0x22), "data and P");
    assert_eq!(recovered(&row, &bytes, &[1, 4], 4), Ok(0xa5));
    assert_eq!(recovered(&row, &bytes, &[1, 3], 1), Ok(0x22), "two data");
    assert_eq!(recovered(&row, &bytes, &[1, 3], 3), Ok(0xa5));
    assert_eq!(recovered(&row, &bytes, &[3, 5], 5), Ok(0xd8), "data and Q");
    let weights = Recovery::plan(&row, |slot| slot != Slot(3), Slot(1)).unwrap();
    assert_eq!(weights.terms()[2..], [(Slot(4), 0xa6), (Slot(5), 0xdd)]);
}

#[test]
fn worked_example_left_asymmetric_has_exponents_that_are_not_the_order_of_the_data() {
    let row = row(Level::Raid6, ParityLayout::LeftAsymmetric, 6, 2);
    let bytes = stripe(&row, &[0x11, 0x22, 0x33, 0xa5]);
    assert_eq!(bytes, [0x11, 0x22, 0x33, 0xa5, 0x8a, 0xa5]);
    assert_eq!(recovered(&row, &bytes, &[0, 3], 0), Ok(0x11));
}

#[test]
fn worked_example_ddf_counts_parity_as_zero_blocks() {
    let row = row(Level::Raid6, ParityLayout::DdfZeroRestart, 6, 1);
    let bytes = stripe(&row, &[0x11, 0x22, 0x33, 0xa5]);
    assert_eq!(bytes, [0x11, 0xa5, 0x12, 0x22, 0x33, 0xa5]);
    assert_eq!(recovered(&row, &bytes, &[3, 1], 3), Ok(0x22));
    assert_eq!(recovered(&row, &bytes, &[0, 4], 0), Ok(0x11));
    assert_eq!(recovered(&row, &bytes, &[0, 4], 4), Ok(0x33));
}

#[test]
fn one_lost_block_needs_no_q_and_no_multiplication() {
    let row = row(Level::Raid6, ParityLayout::LeftSymmetric, 6, 1);
    let plan = Recovery::plan(&row, |_| true, Slot(2)).unwrap();
    assert_eq!(plan.terms(), [(Slot(0), 1), (Slot(1), 1), (Slot(3), 1), (Slot(4), 1)]);
}

#[test]
fn what_can_not_be_recovered_says_why() {
    let raid5 = row(Level::Raid5, ParityLayout::LeftSymmetric, 4, 7);
    let error = |found: Result<u8, RecoverError>| found.unwrap_err().to_string();
    let expected = "stripe 7: 2 data blocks are lost, and 1 parity blocks are left";
    assert_eq!(error(recovered(&raid5, &[0; 4], &[1, 2], 1)), expected);
    assert_eq!(error(recovered(&raid5, &[0; 4], &[], 4)), "stripe 7: no slot 4");
    let mut target = [0; 2];
    let blocks: [Option<&[u8]>; 4] = [None, Some(&[0; 2]), Some(&[0; 3]), Some(&[0; 2])];
    let found = recover(&raid5, &blocks, Slot(0), &mut target).unwrap_err();
    assert_eq!(found.to_string(), "stripe 7: slot 2 has 3 bytes, expected 2");
    let raid6 = row(Level::Raid6, ParityLayout::LeftSymmetric, 5, 0);
    assert!(recovered(&raid6, &[0; 5], &[0, 1, 2], 1).is_err());
}

fn levels() -> impl Strategy<Value = (Level, ParityLayout, u32)> {
    let layouts = prop::sample::select(ParityLayout::ALL.to_vec());
    (layouts, any::<bool>(), 2..=20u32).prop_map(|(layout, raid6, slots)| {
        if raid6 || layout.is_raid6_only() {
            (Level::Raid6, layout, slots.max(4))
        } else {
            (Level::Raid5, layout, slots)
        }
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_loss_that_parity_covers_is_recovered(
        (level, layout, slots) in levels(),
        number in 0..100u64,
        data in prop::collection::vec(any::<u8>(), 20),
    ) {
        let row = row(level, layout, slots, number);
        let bytes = stripe(&row, &data);
        for first in 0..slots {
            for second in first..slots {
                let lost = [first, second];
                for wanted in lost {
                    let found = recovered(&row, &bytes, &lost, wanted);
                    if level == Level::Raid6 || first == second {
                        prop_assert_eq!(found, Ok(bytes[Slot(wanted).index()]), "{:?} lost", lost);
                    } else {
                        prop_assert!(found.is_err());
                    }
                }
            }
        }
    }

    #[test]
    fn blocks_of_any_length_are_recovered_byte_by_byte(length in 0..70usize, seed: u8) {
        let row = row(Level::Raid6, ParityLayout::RightSymmetric, 7, 3);
        let byte = |slot: usize, at: usize| u8::try_from((slot * 31 + at * 7 + usize::from(seed)) % 256).unwrap();
        let data = |at: usize| (0..7).map(|slot| byte(slot, at)).collect::<Vec<u8>>();
        let stripes: Vec<Vec<u8>> = (0..length).map(|at| stripe(&row, &data(at))).collect();
        let columns: Vec<Vec<u8>> =
            (0..7).map(|slot| stripes.iter().map(|stripe| stripe[slot]).collect()).collect();
        let mut blocks: Vec<Option<&[u8]>> = columns.iter().map(|column| Some(column.as_slice())).collect();
        (blocks[0], blocks[5]) = (None, None);
        for wanted in [0, 5] {
            let mut target = vec![0xee; length];
            recover(&row, &blocks, Slot(wanted), &mut target).unwrap();
            prop_assert_eq!(&target, &columns[Slot(wanted).index()]);
        }
    }
}

//! Reading the parameters of a raid target, in any order: target versions 1.9 and 1.10 had another one.

use super::device::Device;
use super::raid::{Journal, JournalMode, Leg, Raid, Raid10Format, RaidParams, RaidType, SyncMode};
use super::words::{TargetError, Words};
use raid_meta::geometry::Level;

impl Raid {
    pub(super) fn read(words: &mut Words<'_>) -> Result<Self, TargetError> {
        let name = words.word("a raid type")?;
        let kind = RaidType::from_name(name).ok_or_else(|| words.unexpected(name, "a raid type"))?;
        let said: u64 = words.parse("a number of parameters")?;
        let chunk = words.sectors("a chunk in sectors")?;
        let (mut params, counted) = read_params(words)?;
        params.raid10_use_near_sets |= is_printed_without_near_sets(kind, said, counted);
        let written = 1 + params.words().len() as u64;
        if said != written {
            return Err(TargetError::Count {
                target: "raid",
                what: "parameters",
                said,
                counted: counted + 1,
            });
        }
        Ok(Self { kind, chunk, params, legs: read_legs(words)? })
    }
}

/// The kernel counts `raid10_use_near_sets` and does not print it.
fn is_printed_without_near_sets(kind: RaidType, said: u64, counted: u64) -> bool {
    kind.level() == Level::Raid10 && counted.checked_add(2) == Some(said)
}

/// All parameters up to the number of devices, and how many words they are.
fn read_params(words: &mut Words<'_>) -> Result<(RaidParams, u64), TargetError> {
    let mut params = RaidParams::default();
    let mut counted: u64 = 0;
    // A parameter begins with a name, the devices with their number.
    while words.peek().is_some_and(|word| !word.starts_with(|first: char| first.is_ascii_digit())) {
        let name = words.word("a parameter")?;
        counted = counted.saturating_add(read_param(name, words, &mut params)?);
    }
    Ok((params, counted))
}

/// One parameter; the number of its words.
fn read_param(name: &str, words: &mut Words<'_>, params: &mut RaidParams) -> Result<u64, TargetError> {
    match name {
        "sync" | "nosync" | "raid10_use_near_sets" => {
            read_flag(name, params);
            return Ok(1);
        }
        "rebuild" => params.rebuild.push(words.parse("a member's index")?),
        "daemon_sleep" => params.daemon_sleep = Some(words.parse("milliseconds")?),
        "min_recovery_rate" => params.min_recovery_rate = Some(words.parse("a rate")?),
        "max_recovery_rate" => params.max_recovery_rate = Some(words.parse("a rate")?),
        "write_mostly" => params.write_mostly.push(words.parse("a member's index")?),
        "max_write_behind" => params.max_write_behind = Some(words.sectors("sectors")?),
        "stripe_cache" => params.stripe_cache = Some(words.sectors("sectors")?),
        "region_size" => params.region_size = Some(words.sectors("sectors")?),
        "raid10_copies" => params.raid10_copies = Some(words.parse("a number of copies")?),
        "raid10_format" => params.raid10_format = Some(read_format(words)?),
        "delta_disks" => params.delta_disks = Some(words.parse("a number of members")?),
        "data_offset" => params.data_offset = Some(words.sectors("sectors")?),
        "journal_dev" => params.journal = Some(Journal { device: words.parse("a device")?, mode: None }),
        "journal_mode" => read_journal_mode(words, params)?,
        other => return Err(words.unexpected(other, "a parameter or the number of devices")),
    }
    Ok(2)
}

fn read_flag(name: &str, params: &mut RaidParams) {
    match name {
        "sync" => params.sync = Some(SyncMode::Sync),
        "nosync" => params.sync = Some(SyncMode::NoSync),
        _ => params.raid10_use_near_sets = true,
    }
}

fn read_format(words: &mut Words<'_>) -> Result<Raid10Format, TargetError> {
    let expected = "'near', 'far' or 'offset'";
    let word = words.word(expected)?;
    Raid10Format::ALL
        .into_iter()
        .find(|format| format.name() == word)
        .ok_or_else(|| words.unexpected(word, expected))
}

fn read_journal_mode(words: &mut Words<'_>, params: &mut RaidParams) -> Result<(), TargetError> {
    let expected = "'writethrough' or 'writeback' after a journal_dev";
    let word = words.word(expected)?;
    let mode = JournalMode::ALL.into_iter().find(|mode| mode.name() == word);
    match (&mut params.journal, mode) {
        (Some(journal), Some(mode)) => {
            journal.mode = Some(mode);
            Ok(())
        }
        _ => Err(words.unexpected(word, expected)),
    }
}

fn read_legs(words: &mut Words<'_>) -> Result<Vec<Leg>, TargetError> {
    let count: u64 = words.parse("a number of devices")?;
    let device = |words: &mut Words<'_>, expected| -> Result<Option<Device>, TargetError> {
        if words.take_if("-") { Ok(None) } else { words.parse(expected).map(Some) }
    };
    (0..count)
        .map(|_| {
            let meta = device(words, "a metadata device or '-'")?;
            Ok(Leg { meta, data: device(words, "a data device or '-'")? })
        })
        .collect()
}

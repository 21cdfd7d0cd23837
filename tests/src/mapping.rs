//! Device-mapper tables of any program, understood as far as to say on which sectors of which disks an array
//! sector is. Two tables that look different mean the same if they give the same places.
//!
//! This is written apart from the tables of the tools, so that the two can not be wrong together.

use std::collections::{BTreeMap, BTreeSet};

/// Tables by the name of their device.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    devices: BTreeMap<String, Vec<Line>>,
}

#[derive(Clone, Debug)]
struct Line {
    start: u64,
    length: u64,
    target: Target,
}

type Leg = (String, u64);

#[derive(Clone, Debug)]
enum Target {
    Linear(Leg),
    Striped {
        chunk: u64,
        legs: Vec<Leg>,
    },
    Mirror(Vec<Leg>),
    /// A parity disk that rotates or not, by the kernel's name.
    Parity {
        layout: Rotation,
        chunk: u64,
        legs: Vec<Leg>,
    },
    /// Copies beside each other.
    Near {
        copies: u64,
        chunk: u64,
        legs: Vec<Leg>,
    },
    /// What is not understood: its words, which are equal only to the same words.
    Opaque(String),
}

/// Where parity is, and where data begins.
#[derive(Clone, Copy, Debug)]
enum Rotation {
    Left { symmetric: bool },
    Right { symmetric: bool },
    First,
    Last,
}

/// A sector of a disk.
pub type Place = (String, u64);

impl Mapping {
    /// Reads `NAME: START LENGTH TARGET …`, a line each; a line without a name goes on with the one before. A name
    /// with `(null)` has no table, and lines that begin with `ERROR:` are none.
    ///
    /// # Errors
    /// The line that is not understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut devices: BTreeMap<String, Vec<Line>> = BTreeMap::new();
        let mut name = String::new();
        let is_table = |line: &&str| !line.trim().is_empty() && !line.starts_with("ERROR:");
        for line in text.lines().filter(is_table) {
            let table = match line.split_once(": ") {
                Some((device, table)) => {
                    device.clone_into(&mut name);
                    table
                }
                None => line,
            };
            if table.trim() == "(null)" {
                continue;
            }
            let parsed = parse_line(table).ok_or_else(|| format!("not understood: {line}"))?;
            devices.entry(name.clone()).or_default().push(parsed);
        }
        Ok(Self { devices })
    }

    /// The names of all devices.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.devices.keys().map(String::as_str)
    }

    /// Size of a device; none if there is no such device.
    #[must_use]
    pub fn size(&self, name: &str) -> Option<u64> {
        self.devices.get(name)?.iter().map(|line| line.start + line.length).max()
    }

    /// The places of a sector of a device: one for each copy of it.
    #[must_use]
    pub fn places(&self, name: &str, sector: u64) -> BTreeSet<Place> {
        let is_in = |line: &&Line| (line.start..line.start + line.length).contains(&sector);
        let line = self.devices.get(name).and_then(|lines| lines.iter().find(is_in));
        let Some(line) = line else { return BTreeSet::new() };
        let below = line.target.places(sector - line.start);
        below.into_iter().flat_map(|(device, sector)| self.resolve(&device, sector)).collect()
    }

    fn resolve(&self, device: &str, sector: u64) -> BTreeSet<Place> {
        match device.strip_prefix("/dev/mapper/") {
            Some(name) => self.places(name, sector),
            None => BTreeSet::from([(device.to_owned(), sector)]),
        }
    }
}

impl Target {
    fn places(&self, sector: u64) -> Vec<Place> {
        let at = |leg: &Leg, sector: u64| (leg.0.clone(), leg.1 + sector);
        match self {
            Self::Linear(leg) => vec![at(leg, sector)],
            Self::Mirror(legs) => legs.iter().map(|leg| at(leg, sector)).collect(),
            Self::Striped { chunk, legs } => {
                let (number, within, count) = (sector / chunk, sector % chunk, legs.len() as u64);
                let row = number / count;
                legs.get(index(number % count)).map(|leg| at(leg, row * chunk + within)).into_iter().collect()
            }
            Self::Parity { layout, chunk, legs } => {
                let (number, within, count) = (sector / chunk, sector % chunk, legs.len() as u64);
                let (row, place) = (number / (count - 1), number % (count - 1));
                let slot = layout.slot(row, place, count);
                legs.get(index(slot)).map(|leg| at(leg, row * chunk + within)).into_iter().collect()
            }
            Self::Near { copies, chunk, legs } => {
                let (first, within, count) = (sector / chunk * copies, sector % chunk, legs.len() as u64);
                let copy = |number: u64| {
                    legs.get(index(number % count)).map(|leg| at(leg, number / count * chunk + within))
                };
                (first..first + copies).filter_map(copy).collect()
            }
            Self::Opaque(words) => vec![(words.clone(), sector)],
        }
    }
}

impl Rotation {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "raid5_ls" => Self::Left { symmetric: true },
            "raid5_la" => Self::Left { symmetric: false },
            "raid5_rs" => Self::Right { symmetric: true },
            "raid5_ra" => Self::Right { symmetric: false },
            "raid4" | "raid5_0" => Self::First,
            "raid5_n" => Self::Last,
            _ => return None,
        })
    }

    /// The slot of the data chunk `place` of a row.
    fn slot(self, row: u64, place: u64, count: u64) -> u64 {
        let (parity, symmetric) = match self {
            Self::Left { symmetric } => (count - 1 - row % count, symmetric),
            Self::Right { symmetric } => (row % count, symmetric),
            Self::First => (0, false),
            Self::Last => (count - 1, false),
        };
        match symmetric {
            true => (parity + 1 + place) % count,
            false => place + u64::from(place >= parity),
        }
    }
}

fn index(number: u64) -> usize {
    usize::try_from(number).expect("few disks")
}

fn parse_line(text: &str) -> Option<Line> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (start, length) = (words.first()?.parse().ok()?, words.get(1)?.parse().ok()?);
    let (kind, rest) = (*words.get(2)?, words.get(3..)?);
    let target = parse_target(kind, rest).unwrap_or_else(|| Target::Opaque(text.to_owned()));
    Some(Line { start, length, target })
}

fn parse_target(kind: &str, rest: &[&str]) -> Option<Target> {
    Some(match kind {
        "linear" => Target::Linear(legs(rest).pop()?),
        "striped" => Target::Striped { chunk: rest.get(1)?.parse().ok()?, legs: legs(rest.get(2..)?) },
        "mirror" => {
            let log: usize = rest.get(1)?.parse().ok()?;
            let count: usize = rest.get(log + 2)?.parse().ok()?;
            Target::Mirror(legs(rest.get(log + 3..log + 3 + 2 * count)?))
        }
        "raid45" => {
            let log: usize = rest.get(1)?.parse().ok()?;
            let rest = rest.get(log + 2..)?;
            let (layout, chunk) = (Rotation::parse(rest.first()?)?, rest.get(2)?.parse().ok()?);
            Target::Parity { layout, chunk, legs: legs(rest.get(5..)?) }
        }
        "raid" => parse_raid(rest)?,
        _ => return None,
    })
}

/// The kernel's own raid: `LEVEL #PARAMETERS CHUNK … #DEVICES (METADATA DATA)…`.
fn parse_raid(rest: &[&str]) -> Option<Target> {
    let count: usize = rest.get(1)?.parse().ok()?;
    let chunk = rest.get(2)?.parse().ok()?;
    let parameters = rest.get(3..count + 2)?;
    let devices = rest.get(count + 3..)?.chunks_exact(2);
    let legs = devices.map(|pair| (pair.last().map_or("", |device| device).to_owned(), 0)).collect();
    let value = |name: &str| parameters.iter().skip_while(|&&word| word != name).nth(1).copied();
    Some(match *rest.first()? {
        "raid1" => Target::Mirror(legs),
        "raid10" if value("raid10_format").is_none_or(|format| format == "near") => {
            Target::Near { copies: value("raid10_copies").unwrap_or("2").parse().ok()?, chunk, legs }
        }
        kind => Target::Parity { layout: Rotation::parse(kind)?, chunk, legs },
    })
}

/// `DEVICE OFFSET` pairs.
fn legs(words: &[&str]) -> Vec<Leg> {
    let pair = |pair: &[&str]| Some(((*pair.first()?).to_owned(), pair.get(1)?.parse().ok()?));
    words.chunks_exact(2).filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str, name: &str, sector: u64) -> Vec<(String, u64)> {
        Mapping::parse(text).unwrap().places(name, sector).into_iter().collect()
    }

    fn place(disk: &str, sector: u64) -> (String, u64) {
        (disk.to_owned(), sector)
    }

    #[test]
    fn a_mirror_over_stripes_is_a_stripe_over_mirrors() {
        let over = "a: 0 64 striped 2 8 d0 1 d2 1\nb: 0 64 striped 2 8 d1 1 d3 1\n\
                    set: 0 64 mirror core 2 64 nosync 2 /dev/mapper/a 0 /dev/mapper/b 0 1 handle_errors";
        let under = "m0: 0 33 raid raid1 2 0 nosync 2 - d0 - d1\nm1: 0 33 raid raid1 2 0 nosync 2 - d2 - d3\n\
                     set: 0 64 striped 2 8 /dev/mapper/m0 1 /dev/mapper/m1 1";
        for sector in 0..64 {
            assert_eq!(places(over, "set", sector), places(under, "set", sector), "{sector}");
        }
        assert_eq!(places(over, "set", 9), [place("d2", 2), place("d3", 2)]);
    }

    #[test]
    fn parity_rotates_to_the_left_and_data_follows_it_or_not() {
        let ls = "s: 0 64 raid45 core 2 64 nosync raid5_ls 1 8 3 -1 d0 5 d1 5 d2 5";
        assert_eq!(places(ls, "s", 0), [place("d0", 5)]);
        assert_eq!(places(ls, "s", 16), [place("d2", 13)]);
        let la = "s: 0 64 raid raid5_la 4 8 nosync region_size 64 3 - d0 - d1 - d2";
        assert_eq!(places(la, "s", 16), [place("d0", 8)]);
        assert_eq!(places(la, "s", 24), [place("d2", 8)]);
    }

    #[test]
    fn copies_are_near_each_other() {
        let near = "s: 0 64 raid raid10 3 8 raid10_copies 2 3 - d0 - d1 - d2";
        assert_eq!(places(near, "s", 9), [place("d0", 9), place("d2", 1)]);
    }

    #[test]
    fn lines_without_a_name_go_on_unknown_targets_are_themselves_and_other_lines_are_errors() {
        let text = "s: 0 8 linear d0 3\n8 8 linear d1 4\n";
        assert_eq!(places(text, "s", 9), [place("d1", 5)]);
        assert_eq!(Mapping::parse(text).unwrap().size("s"), Some(16));
        assert_eq!(places("s: 0 8 zero\n", "s", 3), [place("0 8 zero", 3)]);
        assert!(Mapping::parse("s: what\n").is_err());
        let without = Mapping::parse("ERROR: no table: none\ns: (null)\n").unwrap();
        assert_eq!(without.size("s"), None);
    }
}

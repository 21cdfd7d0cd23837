//! What `mdadm --examine` prints of a disk with Intel metadata, line by line against our dump of it.

use raid_tests::{Vm, run};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Lines that have no counterpart in the metadata, and why.
const NOT_IN_THE_METADATA: [(&str, &str); 1] =
    [("Usable Size", "the disk's size less what mdadm keeps free; compared as a bound")];
/// What mdadm keeps free at the end of a disk at most, in sectors.
const MOST_RESERVED: u64 = 10_402;

/// Runs mdadm on all disks of a set; what it says of each.
pub(crate) fn examine(disks: &[PathBuf], options: &str) -> Vec<String> {
    let vm =
        disks.iter().fold(Vm::case("examine"), |vm, disk| vm.disk_with(disk, &format!(",snapshot{options}")));
    let text = vm.succeed().text();
    let parts: Vec<String> = text.split("=== ").skip(1).map(str::to_owned).collect();
    assert_eq!(parts.len(), disks.len(), "{text}");
    parts
}

/// What our dump of a disk and mdadm say differently; empty if nothing.
pub(crate) fn differences(disk: &Path, mdadm: &str, sector: u64) -> Vec<String> {
    let dump = Dump::of(disk, sector);
    let mut section = Section::Container;
    let mut wrong = Vec::new();
    let mut compared = 0;
    for line in mdadm.lines().skip(2) {
        if let Some(next) = Section::begins(line, &section, &dump) {
            section = next;
        }
        let Some((key, value)) = line.split_once(" : ").map(|(key, value)| (key.trim(), value.trim())) else {
            if !is_heading(line) {
                wrong.push(format!("not understood: {line:?}"));
            }
            continue;
        };
        compared += 1;
        match dump.as_mdadm(&section, key) {
            Some(ours) if agrees(key, value, &ours, sector) => {}
            Some(ours) => wrong.push(format!("{section:?} {key}: mdadm says {value:?}, the dump {ours:?}")),
            None => wrong.push(format!("{section:?} {key}: {value:?} has no counterpart")),
        }
    }
    if compared < 15 {
        wrong.push(format!("only {compared} lines were compared: {mdadm}"));
    }
    wrong.iter().map(|what| format!("{}: {what}", disk.display())).collect()
}

/// Which part of the text a line is in.
#[derive(Clone, Debug, PartialEq)]
enum Section {
    Container,
    Disk(usize),
    Volume(usize),
    BadBlocks,
    Migration,
}

impl Section {
    fn begins(line: &str, current: &Self, dump: &Dump) -> Option<Self> {
        if let Some(rest) = line.trim().strip_prefix("Disk") {
            let (number, _) = rest.split_once(" Serial : ")?;
            return Some(Self::Disk(number.parse().ok()?));
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix("]:")) {
            let index = (0..)
                .find(|index| dump.text(&format!("dev[{index}].volume")).is_none_or(|text| text == name));
            return index.map(Self::Volume);
        }
        match line.split(':').next()? {
            "Bad Block Management Log" => Some(Self::BadBlocks),
            "Migration Record Information" => Some(Self::Migration),
            // The disks after the last volume are not part of it.
            _ if line.is_empty() && *current != Self::Container => Some(current.clone()),
            _ => None,
        }
    }
}

fn is_heading(line: &str) -> bool {
    let headings =
        ["[", "Bad Block Management Log", "Migration Record Information", "Examine one of first two disks"];
    let line = line.trim();
    line.is_empty() || headings.iter().any(|heading| line.starts_with(heading))
}

fn agrees(key: &str, mdadm: &str, ours: &str, sector: u64) -> bool {
    if NOT_IN_THE_METADATA.iter().any(|(name, _)| *name == key) {
        let [usable, total]: [u64; 2] = [mdadm, ours].map(first_number);
        return usable <= total && total - usable <= MOST_RESERVED;
    }
    // On 4Kn mdadm prints the sum that it has after turning the sizes into sectors of 512 bytes.
    if key == "Checksum" && sector == 4096 {
        return mdadm.ends_with(" correct") && ours.ends_with(" correct");
    }
    // Sizes are followed by what they are in other units.
    mdadm == ours || mdadm.split_once(" (").is_some_and(|(size, units)| units.contains("iB ") && size == ours)
}

fn first_number(text: &str) -> u64 {
    text.split(' ')
        .next()
        .and_then(|word| word.parse().ok())
        .unwrap_or_else(|| panic!("not a number: {text}"))
}

/// `raid-meta dump` of a disk.
struct Dump {
    fields: BTreeMap<String, (Value, Option<String>)>,
    serial: String,
    sector: u64,
}

impl Dump {
    fn of(disk: &Path, sector: u64) -> Self {
        let sector_size = ["--sector-size".to_owned(), sector.to_string()];
        let outcome =
            run("raid-meta").args(["dump", "-J"]).args(sector_size).arg(disk).outcome().expect_code(0);
        let field = |record: Value| {
            let name = record["name"].as_str().expect("a field has a name").to_owned();
            (name, (record["value"].clone(), record["meaning"].as_str().map(str::to_owned)))
        };
        let fields = outcome.records_of("field").into_iter().map(field).collect();
        let serial = std::fs::read_to_string(format!("{}.serial", disk.display())).expect("a serial");
        Self { fields, serial: serial.trim_end().to_owned(), sector }
    }

    /// Text, also where it is in two sectors.
    fn text(&self, name: &str) -> Option<String> {
        let text = |name: &str| Some(self.fields.get(name)?.0.as_str()?.to_owned());
        text(name).or_else(|| Some(text(&format!("{name}.part[0]"))? + &text(&format!("{name}.part[1]"))?))
    }

    fn number(&self, name: &str) -> Option<u64> {
        let value = &self.fields.get(name)?.0;
        value.as_u64().or_else(|| u64::from_str_radix(value.as_str()?.strip_prefix("0x")?, 16).ok())
    }

    /// A number in a low and a high half.
    fn long(&self, name: &str) -> Option<u64> {
        let high = self.number(&format!("{name}_hi")).or_else(|| self.number(&format!("{name}_high")));
        let low = ["_lo", "_low", ""].iter().find_map(|end| self.number(&format!("{name}{end}")))?;
        Some(high.unwrap_or(0) << 32 | low)
    }

    /// What it means; that of a field in two sectors is behind the words that say so.
    fn meaning(&self, name: &str) -> Option<&str> {
        let meaning = |name: &str| self.fields.get(name)?.1.as_deref();
        meaning(name).or_else(|| Some(meaning(&format!("{name}.part[0]"))?.split_once(": ")?.1))
    }

    /// The value that mdadm has under this key, made of our fields.
    fn as_mdadm(&self, section: &Section, key: &str) -> Option<String> {
        match *section {
            Section::Container => self.container(key),
            Section::Disk(index) => self.disk(index, key),
            Section::Volume(index) => self.volume(index, key),
            Section::BadBlocks => self.bad_blocks(key),
            Section::Migration => self.migration(key),
        }
    }

    fn container(&self, key: &str) -> Option<String> {
        let hex = |name| self.number(name).map(|number| format!("{number:08x}"));
        let decimal = |name| self.number(name).map(|number| number.to_string());
        match key {
            "Magic" => Some(self.text("magic")?.trim_end().to_owned()),
            "Version" => self.text("version"),
            "Orig Family" => hex("orig_family_num"),
            "Family" => hex("family_num"),
            "Generation" => hex("generation_num"),
            "Creation Time" => self.creation_time(),
            "Attributes" => Some("All supported".to_owned()),
            "UUID" => {
                let meanings = ["orig_family_num", "family_num"].map(|name| self.meaning(name));
                meanings
                    .into_iter()
                    .flatten()
                    .find_map(|text| text.strip_prefix("container UUID "))
                    .map(str::to_owned)
            }
            "Checksum" => Some(format!("{} correct", hex("check_sum")?)),
            "MPB Sectors" => Some(self.number("mpb_size")?.div_ceil(self.sector).to_string()),
            "Disks" => decimal("num_disks"),
            "RAID Devices" => decimal("num_raid_devs"),
            _ => None,
        }
    }

    /// As the C library prints a time, from the seconds and from our own rendering of them.
    fn creation_time(&self) -> Option<String> {
        const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let day = usize::try_from(self.number("creation_time")? / 86_400 % 7).ok()?;
        let (date, time) = self.meaning("creation_time")?.trim_end_matches('Z').split_once('T')?;
        let mut date = date.split('-');
        let (year, month, day_of_month) = (date.next()?, date.next()?, date.next()?);
        let month = MONTHS[month.parse::<usize>().ok()?.checked_sub(1)?];
        Some(format!("{} {month} {:>2} {time} {year}", DAYS[day], day_of_month.trim_start_matches('0')))
    }

    fn disk(&self, index: usize, key: &str) -> Option<String> {
        let name = |field: &str| format!("disk[{index}].{field}");
        match key {
            "State" => {
                let status = self.number(&name("status"))?;
                let words = [(1, "spare"), (2, "active"), (4, "failed")];
                let set: Vec<&str> =
                    words.iter().filter(|(bit, _)| status & bit != 0).map(|(_, word)| *word).collect();
                Some(set.join(" "))
            }
            "Id" => Some(format!("{:08x}", self.number(&name("scsi_id"))?)),
            "Usable Size" => Some(self.long(&name("total_blocks"))?.to_string()),
            _ if key == format!("Disk{index:02} Serial") => self.text(&name("serial")),
            _ => None,
        }
    }

    fn volume(&self, index: usize, key: &str) -> Option<String> {
        let field = |field: &str| format!("dev[{index}].{field}");
        let number = |name: &str| self.number(&field(name)).map(|number| number.to_string());
        let long = |name: &str| self.long(&field(name)).map(|number| number.to_string());
        match key {
            "Subarray" => Some(index.to_string()),
            "UUID" => self.meaning(&field("volume"))?.strip_prefix("volume UUID ").map(str::to_owned),
            "RAID Level" => self.of_maps(index, |map| self.level(map)),
            "Members" => {
                self.of_maps(index, |map| Some(self.number(&format!("{map}num_members"))?.to_string()))
            }
            "Slots" => self.of_maps(index, |map| self.slots(map)),
            "Failed disk" => Some(match self.number(&field("vol.map[0].failed_disk_num"))? {
                0xff => "none".to_owned(),
                slot => slot.to_string(),
            }),
            "This Slot" => self.this_slot(index),
            "Sector Size" => Some(self.sector.to_string()),
            "Array Size" => long("size"),
            "Per Dev Size" => long("vol.map[0].blocks_per_member"),
            "Sector Offset" => long("vol.map[0].pba_of_lba0"),
            "Num Stripes" => long("vol.map[0].num_data_stripes"),
            "Chunk Size" => self.of_maps(index, |map| {
                let blocks = self.number(&format!("{map}blocks_per_strip"))?;
                Some(format!("{} KiB", blocks * self.sector / 1024))
            }),
            "Reserved" => number("reserved_blocks"),
            "Migrate State" => self.migrate_state(index),
            "Map State" => {
                self.of_maps(index, |map| self.meaning(&format!("{map}map_state")).map(str::to_owned))
            }
            "Checkpoint" => self.checkpoint(index),
            "Dirty State" => {
                let dirty = self.number(&field("vol.dirty"))? & 1 == 1;
                Some(if dirty { "dirty" } else { "clean" }.to_owned())
            }
            "RWH Policy" => self.write_hole_policy(index),
            "Volume ID" => number("my_vol_raid_dev_num"),
            _ => None,
        }
    }

    /// `new <-- old` where the volume has two maps.
    fn of_maps(&self, index: usize, value: impl Fn(&str) -> Option<String>) -> Option<String> {
        let new = value(&format!("dev[{index}].vol.map[0]."))?;
        Some(match value(&format!("dev[{index}].vol.map[1].")) {
            Some(old) => format!("{new} <-- {old}"),
            None => new,
        })
    }

    fn level(&self, map: &str) -> Option<String> {
        let level = self.number(&format!("{map}raid_level"))?;
        let members = self.number(&format!("{map}num_members"))?;
        Some(if level == 1 && members > 2 { 10 } else { level }.to_string())
    }

    fn slots(&self, map: &str) -> Option<String> {
        let slots = 0..self.number(&format!("{map}num_members"))?;
        let entry = |slot| self.number(&format!("{map}disk_ord_tbl[{slot}]"));
        let letters: Option<String> =
            slots.map(|slot| Some(if entry(slot)? & 0x0100_0000 == 0 { 'U' } else { '_' })).collect();
        Some(format!("[{}]", letters?))
    }

    fn this_slot(&self, index: usize) -> Option<String> {
        let own = (0..)
            .map_while(|disk| self.text(&format!("disk[{disk}].serial")))
            .position(|text| text == self.serial);
        let map = |number| format!("dev[{index}].vol.map[{number}].");
        let entry = |map: &str, slot| self.number(&format!("{map}disk_ord_tbl[{slot}]"));
        let is_own = |slot: &u64| {
            entry(&map(0), *slot).is_some_and(|entry| own.is_some_and(|own| entry & 0xff_ffff == own as u64))
        };
        let members = self.number(&format!("{}num_members", map(0)))?;
        let Some(slot) = (0..members).find(is_own) else { return Some("?".to_owned()) };
        let out_of_sync = entry(&map(1), slot).or_else(|| entry(&map(0), slot))? & 0x0100_0000 != 0;
        Some(format!("{slot}{}", if out_of_sync { " (out-of-sync)" } else { "" }))
    }

    fn migrate_state(&self, index: usize) -> Option<String> {
        let field = |field: &str| self.number(&format!("dev[{index}].{field}"));
        if field("vol.migr_state")? == 0 {
            return Some("idle".to_owned());
        }
        let verb = match field("vol.migr_type")? {
            0 => "initialize",
            1 => "rebuild",
            2 if field("status")? & 0x80 != 0 => "repair",
            2 => "check",
            3 => "general migration",
            _ => "state change",
        };
        Some(verb.to_owned())
    }

    /// The unit, and how large units are: of a general migration only the disks with the record know.
    fn checkpoint(&self, index: usize) -> Option<String> {
        let unit = self.long(&format!("dev[{index}].vol.curr_migr_unit"))?;
        let is_general = self.number(&format!("dev[{index}].vol.migr_type"))? == 3;
        let knows = self.this_slot(index).is_some_and(|slot| slot == "0" || slot == "1");
        Some(match (is_general, knows) {
            (true, true) => format!("{unit} ({})", self.number("migration.blocks_per_unit")?),
            (true, false) => format!("{unit} (N/A)"),
            (false, _) => format!("{unit} ({})", self.sync_unit(index)?),
        })
    }

    /// Sectors of a member in a unit of a resync or rebuild.
    fn sync_unit(&self, index: usize) -> Option<u64> {
        let map = |field: &str| self.number(&format!("dev[{index}].vol.map[0].{field}"));
        let chunk = map("blocks_per_strip")? * self.sector / 512;
        let is_rebuild = self.number(&format!("dev[{index}].vol.migr_type"))? == 1;
        let level = self.level(&format!("dev[{index}].vol.map[0]."))?;
        Some(match (is_rebuild, level.as_str()) {
            (_, "1") | (true, "10") => 512,
            (false, "10") => 2 * chunk,
            (false, _) => chunk * map("num_members")?,
            (true, _) => chunk.max(128),
        })
    }

    fn write_hole_policy(&self, index: usize) -> Option<String> {
        let words = [
            "off",
            "PPL distributed",
            "PPL journaling drive",
            "Multiple distributed PPLs",
            "Multiple PPLs on journaling drive",
            "off",
            "Write-intent bitmap",
        ];
        let policy = self.number(&format!("dev[{index}].rwh_policy"))?;
        words.get(usize::try_from(policy).ok()?).map(|&word| word.to_owned())
    }

    fn bad_blocks(&self, key: &str) -> Option<String> {
        match key {
            "Log Size" => Some(self.number("bbm_log_size")?.to_string()),
            "Signature" => Some(format!("{:x}", self.number("bbm.signature")?)),
            "Entry Count" => Some(self.number("bbm.entry_count")?.to_string()),
            _ => None,
        }
    }

    fn migration(&self, key: &str) -> Option<String> {
        let long = |name: &str| self.long(&format!("migration.{name}")).map(|number| number.to_string());
        match key {
            "Status" => Some(match self.number("migration.rec_status")? {
                0 => "Normal".to_owned(),
                _ => "Contains Data".to_owned(),
            }),
            "Current Unit" => long("curr_migr_unit"),
            "Family" => long("family_num"),
            "Ascending" => long("ascending_migr"),
            "Blocks Per Unit" => long("blocks_per_unit"),
            "Dest. Depth Per Unit" => long("dest_depth_per_unit"),
            "Checkpoint Area pba" => long("ckpt_area_pba"),
            "First member lba" => long("dest_1st_member_lba"),
            "Total Number of Units" => long("num_migr_units"),
            "Size of volume" => long("post_migr_vol_cap"),
            "Record was read from" => long("ckpt_read_disk_num"),
            _ => None,
        }
    }
}

/// Names and identities of the volumes that mdadm found, against the records of raid-probe.
pub(crate) fn assert_volumes_known(disks: &[PathBuf], mdadm: &[String]) {
    let outcome = run("raid-probe").args(["-J", "--arrays"]).args(disks).outcome().expect_code(0);
    let arrays = outcome.records_of("array");
    let mut expected: Vec<(&str, &str)> = Vec::new();
    for text in mdadm {
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix("]:")) else {
                continue;
            };
            let uuid =
                lines.find_map(|line| line.trim().strip_prefix("UUID : ")).expect("a volume has a UUID");
            expected.push((name, uuid));
        }
    }
    expected.sort_unstable();
    expected.dedup();
    let mut found: Vec<(&str, &str)> = arrays
        .iter()
        .map(|array| (array["volume"].as_str().unwrap_or("-"), array["uuid"].as_str().unwrap_or("-")))
        .collect();
    found.sort_unstable();
    assert_eq!(found, expected, "{outcome}");
}

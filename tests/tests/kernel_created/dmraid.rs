//! What Debian's dmraid says of new sets, and whether its tables mean what ours mean.

use crate::differences::{Difference, hold_against_table};
use raid_tests::mapping::Mapping;
use raid_tests::recipes::{MadeSet, Recipe, blkid_type, numbered};
use raid_tests::{Vm, in_machines, run};
use std::collections::BTreeMap;
use std::path::Path;

/// What dmraid calls the format.
fn dmraid_format(format: &str) -> &str {
    if format == "ddf" { "ddf1" } else { format }
}

/// What dmraid may call a set of the level.
fn dmraid_types(level: &str) -> &'static [&'static str] {
    match level {
        "linear" => &["linear"],
        "raid0" => &["stripe"],
        "raid1" => &["mirror"],
        "raid4" => &["raid4"],
        "raid5" => &["raid5_ls", "raid5_la", "raid5_rs", "raid5_ra"],
        "raid10" => &["raid10", "raid01"],
        _ => &[],
    }
}

/// Formats that dmraid does not know.
const UNKNOWN: [&str; 1] = ["md"];

#[test]
fn blkid_and_dmraid_see_what_was_made() {
    let recipes = numbered(|format| !UNKNOWN.contains(&format), false);
    let sets: Vec<MadeSet> = recipes.iter().map(Recipe::make).collect();
    let mut found: Vec<Difference> = Vec::new();
    in_machines(
        &sets,
        |set| set.disks.len(),
        |sets| {
            let disks = sets.iter().flat_map(|set| &set.disks);
            let vm = disks.fold(Vm::case("created").seconds(900), |vm, disk| vm.snapshot(disk));
            let says = Says::parse(&vm.succeed().text());
            found.extend(sets.iter().flat_map(|set| says.differences(set)));
        },
    );
    hold_against_table(&recipes, &found);
}

/// The sections of what the job printed.
struct Says {
    text: String,
    sections: BTreeMap<String, String>,
}

impl Says {
    fn parse(text: &str) -> Self {
        let sections = text.split("=== ").skip(1).filter_map(|section| section.split_once('\n'));
        let sections = sections.map(|(name, lines)| (name.to_owned(), lines.to_owned())).collect();
        Self { text: text.to_owned(), sections }
    }

    fn section(&self, name: &str) -> &str {
        self.sections.get(name).unwrap_or_else(|| panic!("no section {name}: {}", self.text))
    }

    /// The row of the comma-separated section that begins with that.
    fn row(&self, section: &str, first: &str) -> Option<Vec<&str>> {
        let mut rows =
            self.section(section).lines().map(|line| line.split(',').map(str::trim).collect::<Vec<_>>());
        rows.find(|row| row.first() == Some(&first))
    }

    fn differences(&self, set: &MadeSet) -> Vec<Difference> {
        let mut found = Vec::new();
        for disk in &set.disks {
            let name = label(disk);
            let kind = blkid_type(set.recipe.format);
            let expected =
                [("blkid", format!("{name}: TYPE=\"{kind}\"")), ("wipefs", format!("{name},{kind}"))];
            for (program, expected) in expected {
                let lines: Vec<&str> =
                    self.section(program).lines().filter(|line| line.starts_with(name)).collect();
                if lines != [expected] {
                    found.push(difference(set, program, format!("on {name} is {lines:?}")));
                }
            }
            found.extend(self.device(set, name));
        }
        found.extend(self.set(set));
        found.extend(self.table(set));
        found
    }

    fn device(&self, set: &MadeSet, disk: &str) -> Option<Difference> {
        let Some(row) = self.row("devices", disk) else {
            return Some(difference(set, "device", format!("dmraid -r does not list {disk}")));
        };
        let (format, status) = (row.get(1).copied(), row.get(4).copied());
        let is_right = format == Some(dmraid_format(set.recipe.format)) && status == Some("ok");
        (!is_right).then(|| difference(set, "device", format!("dmraid -r: {row:?}")))
    }

    fn set(&self, set: &MadeSet) -> Vec<Difference> {
        let Some(row) = self.row("sets", name_of(set)) else {
            return vec![difference(set, "set", format!("dmraid -s does not list it: {}", self.of_set(set)))];
        };
        let cell = |at: usize| row.get(at).copied().unwrap_or_default();
        let wrong = [
            ("type", !dmraid_types(set.recipe.level.name()).contains(&cell(1))),
            ("status", cell(2) != "ok"),
            ("size", cell(4) != super::sectors(set).to_string()),
        ];
        let story =
            format!("we say {} sectors, dmraid -s: {row:?}, {}", super::sectors(set), self.of_set(set));
        let wrong = wrong.into_iter().filter(|(_, is_wrong)| *is_wrong);
        wrong.map(|(what, _)| difference(set, what, story.clone())).collect()
    }

    /// Sectors up to the end of the smaller of the two, in steps that hit all chunks and all rows.
    fn table(&self, set: &MadeSet) -> Vec<Difference> {
        let theirs = Mapping::parse(self.section("tables")).unwrap_or_else(|message| panic!("{message}"));
        let (ours, name) = (ours(set), name_of(set));
        let our_size = ours.size(name).unwrap_or_else(|| panic!("{}: no table for {name}", set.recipe));
        let Some(size) = theirs.size(name) else {
            return vec![difference(set, "table", format!("dmraid -tay has none: {}", self.of_set(set)))];
        };
        let mut found = Vec::new();
        if size != our_size {
            let message = format!("dmraid maps {size} sectors, we {our_size}: {}", self.of_set(set));
            found.push(difference(set, "table-size", message));
        }
        let places = |sector| (theirs.places(name, sector), ours.places(name, sector));
        let differs = |&sector: &u64| places(sector).0 != places(sector).1;
        found.extend((0..size.min(our_size)).step_by(61).find(differs).map(|sector| {
            let (theirs, ours) = places(sector);
            let message = format!("sector {sector}: dmraid has it on {theirs:?}, we on {ours:?}");
            difference(set, "table", format!("{message}: {}", self.of_set(set)))
        }));
        found
    }

    /// All that dmraid says that has the set's name in it.
    fn of_set(&self, set: &MadeSet) -> String {
        let sections =
            ["sets", "tables", "complaints"].into_iter().flat_map(|name| self.section(name).lines());
        sections.filter(|line| line.contains(name_of(set))).collect::<Vec<_>>().join("; ")
    }
}

fn name_of(set: &MadeSet) -> &str {
    set.array["name"].as_str().unwrap()
}

fn difference(set: &MadeSet, what: &'static str, message: String) -> Difference {
    Difference { recipe: set.recipe.to_string(), what, message }
}

fn ours(set: &MadeSet) -> Mapping {
    let outcome = run("raid-table").args(["-o", "dmsetup"]).args(&set.disks).outcome().expect_code(0);
    Mapping::parse(&outcome.text()).unwrap_or_else(|message| panic!("{message}: {outcome}"))
}

/// The name of a disk in what the job prints.
fn label(disk: &Path) -> &str {
    disk.to_str().unwrap()
}

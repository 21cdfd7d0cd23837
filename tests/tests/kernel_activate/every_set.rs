//! Every set that is carried, and of each vendor format what `raid-meta create` makes: `tests/vm/cases/activate_sets.sh`.

use super::{array_on, is_redundant, text, uuid};
use raid_tests::recipes::{MadeSet, Recipe, numbered};
use raid_tests::{Fixture, Vm, fill_from, in_machines, long};
use serde_json::Value;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

/// Size of the arrays that are made: whole chunks of two, three or four disks.
const SIZE: &str = "12M";

/// A set on images that are there for as long as it is.
struct Set {
    what: String,
    disks: Vec<PathBuf>,
    array: Value,
    /// The members to do without, each alone.
    losses: Vec<usize>,
    /// Whether mdadm assembles it.
    mdadm: bool,
    /// The block from which on there is data: in hpt37x sector 9 of the array is the metadata of its first disk.
    from: u64,
    /// Further arguments of `raid-pattern check`.
    pattern: &'static str,
    _made: Option<MadeSet>,
    _carried: Option<Fixture>,
}

impl Set {
    fn is_degraded(&self) -> bool {
        self.array["health"] != "optimal"
    }

    /// What the job is to say of it.
    fn expected(&self) -> String {
        let mut text = format!("ok {}", self.what);
        if self.is_degraded() {
            return text + " degraded";
        }
        text += " whole";
        for slot in &self.losses {
            let _ = write!(text, " without-{slot}");
        }
        text + if self.mdadm { " written mdadm" } else { " written" }
    }

    /// Its line for the job; its disks come after `before` others.
    fn line(&self, before: usize) -> String {
        let losses = self.losses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let losses = match losses.as_str() {
            _ if self.is_degraded() => "degraded",
            "" => "-",
            losses => losses,
        };
        let (name, uuid) = (text(&self.array, "name"), uuid(&self.array));
        let (size, mdadm) = (&self.array["size_sectors"], u8::from(self.mdadm));
        let disks: Vec<String> = (before..before + self.disks.len()).map(|disk| disk.to_string()).collect();
        let (what, from, pattern, disks) = (&self.what, self.from, self.pattern, disks.join(" "));
        format!("{what} {name} {uuid} {size} {losses} {mdadm} {from} {pattern} {disks}\n")
    }
}

/// One, another for each set; in a long run each. (`kernel_tables` tries each with the same tables.)
fn losses(array: &Value, at: usize) -> Vec<usize> {
    let members = array["members"].as_array().unwrap();
    let used: Vec<usize> = (0..members.len()).filter(|slot| members[*slot]["split"] == false).collect();
    match is_redundant(array) {
        false => Vec::new(),
        true if long() => used,
        true => vec![used[at % used.len()]],
    }
}

fn carried(name: &str, at: usize) -> Set {
    let set = Fixture::open(name).unwrap();
    let array = array_on(&set.disks);
    Set {
        what: name.to_owned(),
        disks: set.disks.clone(),
        losses: losses(&array, at),
        array,
        mdadm: !name.starts_with("lvm"),
        from: 0,
        pattern: if name.contains("stale") { "--rewritten,2048,--add,10240" } else { "-" },
        _made: None,
        _carried: Some(set),
    }
}

fn made(recipe: &Recipe, at: usize) -> Set {
    let set = recipe.make_with(&["--assume-clean", "--size", SIZE]);
    let from = if recipe.format == "hpt37x" { 2 } else { 0 };
    fill_from(&set.array, from);
    Set {
        what: recipe.to_string().replace(' ', "-"),
        disks: set.disks.clone(),
        array: set.array.clone(),
        losses: losses(&set.array, at),
        mdadm: recipe.is_known_to_mdadm(),
        from,
        pattern: "-",
        _made: Some(set),
        _carried: None,
    }
}

/// Activates sets, many in one machine.
fn activate(sets: &[Set]) {
    in_machines(sets, |set| set.disks.len(), activate_together);
}

fn activate_together(sets: &[Set]) {
    let mut vm = Vm::case("activate_sets").program("raid-probe").program("raid-table").seconds(900);
    let (mut lines, mut disks) = (String::new(), 0);
    for set in sets {
        vm = set.disks.iter().fold(vm, |vm, disk| vm.snapshot(disk));
        lines += &set.line(disks);
        disks += set.disks.len();
    }
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("sets"), lines).unwrap();
    let outcome = vm.file(&directory.path().join("sets"), "sets").arg("sets").succeed();
    let text = outcome.text();
    let found: Vec<&str> = text.lines().collect();
    let expected: Vec<String> = sets.iter().map(Set::expected).collect();
    assert_eq!(found, expected, "{outcome}");
}

/// Formats whose sets are carried.
const CARRIED: [&str; 4] = ["md", "ddf", "isw", "lvm2"];

fn is_reshaping(name: &str) -> bool {
    name.contains("reshape")
}

#[test]
fn every_carried_set() {
    let names = Fixture::carried_names().into_iter().filter(|name| !is_reshaping(name));
    let sets: Vec<Set> = names.enumerate().map(|(at, name)| carried(&name, at)).collect();
    assert!(sets.len() >= 19, "{} sets are carried", sets.len());
    activate(&sets);
}

#[test]
fn every_redundant_level_of_every_vendor_format() {
    let is_wanted = |format: &str| long() || !CARRIED.contains(&format);
    let mut recipes = numbered(is_wanted, false);
    if !long() {
        recipes.retain(|recipe| recipe.level.is_redundant());
        recipes.dedup_by_key(|recipe| (recipe.format, recipe.level));
    }
    let sets: Vec<Set> = recipes.iter().enumerate().map(|(at, recipe)| made(recipe, at)).collect();
    activate(&sets);
}

#[test]
fn lvm_is_left_alone_and_a_reshape_is_refused() {
    let names = Fixture::carried_names().into_iter().filter(|name| name.starts_with("lvm"));
    let mut sets: Vec<Fixture> = names.filter_map(|name| Fixture::open(&name)).collect();
    let volumes = sets.len();
    sets.push(Fixture::open("isw-raid5-reshape-3to4").unwrap());
    let (reshaping, disks) =
        (&sets[volumes], sets[..volumes].iter().map(|set| set.disks.len()).sum::<usize>());
    let images = sets.iter().flat_map(|set| &set.disks);
    let vm = images.fold(Vm::case("activate_refused").program("raid-table"), |vm, disk| vm.snapshot(disk));
    let vm = vm.arg(volumes.to_string()).arg(text(&array_on(&reshaping.disks), "name"));
    let numbers = disks..disks + reshaping.disks.len();
    assert_eq!(numbers.fold(vm, |vm, disk| vm.arg(disk.to_string())).succeed().text(), "ok\n");
}

/// Its data begins at the first sector, as that of md's version 1.0 and most vendors' mirrors does.
#[test]
fn a_member_that_something_else_has_is_refused_with_what_has_it() {
    let set = Fixture::open("isw-raid1-2").unwrap();
    let vm = Vm::case("activate_used").program("raid-table").arg(text(&array_on(&set.disks), "name"));
    assert_eq!(set.disks.iter().fold(vm, |vm, disk| vm.snapshot(disk)).succeed().text(), "ok\n");
}

//! Sets with a disk that `raid-repair rebuild` made, seen by mdadm and the kernel, or by dmraid: whole, with nothing to be done.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

use raid_tests::rebuilt::{Lost, can_be_rebuilt, first_block};
use raid_tests::recipes::{MadeSet, Recipe, numbered};
use raid_tests::{Vm, fill_from, in_machines, long};

/// What dmraid takes for something else, whoever made it: see `tests/dmraid-differences.md`. And its table of nvidia's raid5
/// the kernel refuses: "Region size is smaller than the chunk size".
const MISTAKEN: [&str; 7] = [
    "jmicron raid5 of 3",
    "jmicron raid5 of 4",
    "jmicron raid10 of 6",
    "lsi raid10 of ",
    "nvidia raid5 of ",
    "sil raid10 of ",
    "sil raid5 of ",
];

fn rebuilt(format: &str) {
    let recipes = numbered(|name| name == format, long());
    let known = recipes.iter().filter(|recipe| can_be_rebuilt(recipe) && recipe.is_known_to_mdadm());
    are_whole("rebuilt", &known.map(Recipe::make).collect::<Vec<_>>(), name, |set| {
        format!("ok {} {}\n", set.recipe, set.recipe.level.name())
    });
}

/// Shows sets with a rebuilt disk to a job, which is told of each what it is, its name and its size, and prints a line for
/// each.
fn are_whole(case: &str, sets: &[MadeSet], name: fn(&MadeSet) -> String, line: fn(&MadeSet) -> String) {
    assert!(!sets.is_empty(), "{case}: nothing can be rebuilt");
    in_machines(
        sets,
        |set| set.disks.len(),
        |sets| {
            let mut vm = Vm::case(case).seconds(900);
            for set in sets {
                fill_from(&set.array, first_block(&set.recipe));
                let lost = Lost::new(set, set.recipe.number % set.disks.len());
                let _ = lost.rebuild();
                vm = lost.with_new().iter().fold(vm, |vm, disk| vm.disk(disk));
                let size = set.array["size_sectors"].as_u64().unwrap().to_string();
                vm = vm.arg(set.recipe.to_string()).arg(name(set)).arg(size);
            }
            let text = vm.succeed().text();
            for set in sets {
                assert!(text.contains(&line(set)), "{}: {text}", set.recipe);
            }
        },
    );
}

/// By what the array is found: its volume's name, or its UUID if it has none.
fn name(set: &MadeSet) -> String {
    let text = |field: &str| set.array[field].as_str().map(str::to_owned);
    text("volume").or_else(|| text("uuid")).unwrap()
}

#[test]
fn mdadm_and_the_kernel_find_a_rebuilt_md_set_whole() {
    rebuilt("md");
}

#[test]
fn mdadm_and_the_kernel_find_a_rebuilt_isw_set_whole() {
    rebuilt("isw");
}

#[test]
fn mdadm_and_the_kernel_find_a_rebuilt_ddf_set_whole() {
    rebuilt("ddf");
}

#[test]
fn dmraid_finds_rebuilt_sets_of_the_vendors_whole() {
    let recipes = numbered(|name| !["md", "isw", "ddf"].contains(&name), long());
    let is_mistaken = |recipe: &Recipe| MISTAKEN.iter().any(|set| recipe.to_string().starts_with(set));
    let known = recipes.iter().filter(|recipe| can_be_rebuilt(recipe) && !is_mistaken(recipe));
    let name = |set: &MadeSet| set.array["name"].as_str().unwrap().to_owned();
    are_whole("rebuilt_dmraid", &known.map(Recipe::make).collect::<Vec<_>>(), name, |set| {
        format!("ok {}, {} disks\n", set.recipe, set.disks.len())
    });
}

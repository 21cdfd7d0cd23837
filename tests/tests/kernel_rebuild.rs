//! Sets with a disk that `raid-repair rebuild` made, seen by mdadm and the kernel: whole, with nothing to be done.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

use raid_tests::rebuilt::{Lost, can_be_rebuilt};
use raid_tests::recipes::{MadeSet, Recipe, numbered};
use raid_tests::{Vm, fill, in_machines, long};

fn rebuilt(format: &str) {
    let recipes = numbered(|name| name == format, long());
    let known = recipes.iter().filter(|recipe| can_be_rebuilt(recipe) && recipe.is_known_to_mdadm());
    let sets: Vec<MadeSet> = known.map(Recipe::make).collect();
    assert!(!sets.is_empty(), "{format}: nothing can be rebuilt");
    in_machines(
        &sets,
        |set| set.disks.len(),
        |sets| {
            let mut vm = Vm::case("rebuilt").seconds(900);
            for set in sets {
                fill(&set.array);
                let lost = Lost::new(set, set.recipe.number % set.disks.len());
                let _ = lost.rebuild();
                vm = lost.with_new().iter().fold(vm, |vm, disk| vm.disk(disk));
                let size = set.array["size_sectors"].as_u64().unwrap().to_string();
                vm = vm.arg(set.recipe.to_string()).arg(name(set)).arg(size);
            }
            let text = vm.succeed().text();
            for set in sets {
                let line = format!("ok {} {}\n", set.recipe, set.recipe.level.name());
                assert!(text.contains(&line), "{}: {text}", set.recipe);
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

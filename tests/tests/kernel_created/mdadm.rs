//! mdadm reads and assembles new sets, and the kernel gives back what was written to them in userspace.

use raid_tests::recipes::{MadeSet, Recipe, numbered};
use raid_tests::{Vm, fill, in_machines, long};

/// What mdadm says of metadata that it reads and does not like.
const COMPLAINTS: [&str; 4] = ["- expected", "incorrect", "bad checksum", "not supported"];

fn assembles(format: &str) {
    let recipes = numbered(|name| name == format, long());
    let sets: Vec<MadeSet> = recipes.iter().map(Recipe::make).collect();
    assert!(!sets.is_empty(), "{format}: nothing can be made");
    in_machines(
        &sets,
        |set| set.disks.len(),
        |sets| {
            let mut vm = Vm::case("created_md").seconds(900);
            for set in sets {
                fill(&set.array);
                vm = set.disks.iter().fold(vm, |vm, disk| vm.disk(disk));
                let size = match set.recipe.is_known_to_mdadm() {
                    true => super::sectors(set).to_string(),
                    false => "refused".to_owned(),
                };
                vm = vm.arg(set.recipe.to_string()).arg(set.disks.len().to_string()).arg(name(set)).arg(size);
            }
            let text = vm.succeed().text();
            for set in sets {
                let how = if set.recipe.is_known_to_mdadm() { set.recipe.level.name() } else { "refused" };
                assert!(text.contains(&format!("\nok {} {how}\n", set.recipe)), "{}: {text}", set.recipe);
            }
            for complaint in COMPLAINTS {
                assert!(!text.contains(complaint), "{complaint}: {text}");
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
fn mdadm_assembles_new_isw_sets() {
    assembles("isw");
}

#[test]
fn mdadm_assembles_new_ddf_sets() {
    assembles("ddf");
}

#[test]
fn mdadm_assembles_new_md_sets() {
    assembles("md");
}

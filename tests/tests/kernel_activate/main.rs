//! Arrays activated in a real kernel, and taken down again: a few in every way that `raid-table` has, and all sets briefly.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

mod deep;
mod every_set;

use raid_tests::run;
use serde_json::Value;
use std::path::PathBuf;

/// The array on these disks, as `raid-probe` prints it.
fn array_on(disks: &[PathBuf]) -> Value {
    run("raid-probe").args(disks).outcome().expect_code(0).records_of("array").pop().unwrap()
}

fn text(array: &Value, field: &str) -> String {
    array[field].as_str().unwrap().to_owned()
}

/// The dm uuid of its device.
fn uuid(array: &Value) -> String {
    match text(array, "format").as_str() {
        "md" => format!("RAIDTABLE-md-{}", text(array, "uuid").replace(':', "_")),
        "lvm2" => format!("LVM-{}{}", text(array, "set_id"), text(array, "uuid"))
            .replace('-', "")
            .replacen("LVM", "LVM-", 1),
        _ => format!("DMRAID-{}", text(array, "name")),
    }
}

fn is_redundant(array: &Value) -> bool {
    !matches!(text(array, "level").as_str(), "raid0" | "linear")
}

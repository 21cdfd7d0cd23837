//! The committed manual, completions and schema are those of the code, and the schema is that of what is printed.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test")]

use jsonschema::Validator;
use raid_tests::{Fixture, Run, generated, run, workspace};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

#[test]
fn the_committed_files_are_up_to_date() {
    for file in generated::all().unwrap() {
        let committed = fs::read(workspace().join(&file.path)).unwrap_or_default();
        assert!(committed == file.bytes, "{} is out of date: make man", file.path.display());
    }
}

#[test]
fn no_page_or_completion_is_left_over() {
    let known: BTreeSet<_> =
        generated::all().unwrap().into_iter().map(|file| workspace().join(file.path)).collect();
    for folder in ["man", "man/completions/bash", "man/completions/zsh", "man/completions/fish"] {
        for entry in fs::read_dir(workspace().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            assert!(path.is_dir() || known.contains(&path), "{} belongs to no program", path.display());
        }
    }
}

#[test]
fn every_page_has_the_exit_status_table() {
    let pages = generated::all()
        .unwrap()
        .into_iter()
        .filter(|file| file.path.extension().is_some_and(|ext| ext == "1"));
    for page in pages {
        let text = String::from_utf8(page.bytes).unwrap();
        assert!(text.contains(".SH \"EXIT STATUS\""), "{}", page.path.display());
    }
}

fn validator() -> Validator {
    let path = workspace().join("raid-meta/schema/records.schema.json");
    jsonschema::validator_for(&serde_json::from_slice(&fs::read(path).unwrap()).unwrap()).unwrap()
}

#[track_caller]
fn assert_valid(validator: &Validator, record: &Value) {
    let errors: Vec<String> =
        validator.iter_errors(record).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{record}\n{errors:#?}");
}

#[test]
fn everything_that_is_printed_is_as_the_schema_says() {
    let validator = validator();
    let mut kinds = BTreeSet::new();
    for name in Fixture::names() {
        let Some(fixture) = Fixture::open(&name) else { return };
        let disks = &fixture.disks;
        let last = disks.last().unwrap();
        let runs: [Run; 5] = [
            run("raid-probe").args(disks),
            run("raid-probe").arg("--list-formats"),
            run("raid-meta").arg("dump").args(disks),
            run("raid-meta").arg("check").args(disks),
            run("raid-meta").arg("diff").arg(&disks[0]).arg(last),
        ];
        for run in runs {
            let outcome = run.outcome();
            for record in outcome.records() {
                assert_valid(&validator, &record);
                kinds.insert(record["type"].as_str().unwrap().to_owned());
            }
        }
    }
    let printed = ["array", "difference", "field", "format", "member", "verdict"];
    assert!(printed.iter().all(|kind| kinds.contains(*kind)), "{kinds:?}");
}

#[test]
fn the_schema_refuses_what_is_no_record() {
    let validator = validator();
    let good = serde_json::json!({"type": "format", "v": 1, "name": "x", "description": "y", "whole_disk_only": true});
    assert_valid(&validator, &good);
    for (key, value) in [("v", 2.into()), ("name", 3.into()), ("type", "later".into()), ("name", Value::Null)]
    {
        let mut bad = good.clone();
        bad[key] = value;
        assert!(!validator.is_valid(&bad), "{bad}");
    }
    for key in ["v", "name", "type", "whole_disk_only"] {
        let mut bad = good.clone();
        bad.as_object_mut().unwrap().remove(key);
        assert!(!validator.is_valid(&bad), "{bad}");
    }
}

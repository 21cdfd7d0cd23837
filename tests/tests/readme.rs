//! The examples in README.md: what is shown there is what the programs print.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

use raid_tests::{Fixture, program, workspace};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A command line of the README, and the output shown below it; none where that is left out.
struct Example {
    command: String,
    shown: String,
}

/// The examples, in order: in blocks that begin with a prompt, what follows each command.
fn examples(readme: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let blocks = readme.split("```").skip(1).step_by(2).filter(|block| block.starts_with("\n$ "));
    for line in blocks.flat_map(|block| block.trim_matches('\n').lines()) {
        match (line.strip_prefix("$ "), examples.last_mut()) {
            (Some(command), _) => {
                examples.push(Example { command: command.to_owned(), shown: String::new() })
            }
            (None, Some(example)) => example.shown.push_str(&format!("{line}\n")),
            (None, None) => {}
        }
    }
    examples
}

/// The sets under the names that `make sample` gives them.
fn unpack_samples(to: &Path) {
    for (set, name) in [("isw-raid5-3", "intel"), ("md12-raid5-stale-3", "stale")] {
        let fixture = Fixture::open(set).unwrap();
        let folder = to.join(name);
        fs::create_dir(&folder).unwrap();
        for file in fs::read_dir(fixture.directory.path()).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.join(file.file_name())).unwrap();
        }
    }
}

#[test]
fn every_example_in_the_readme_prints_what_is_shown() {
    let directory = tempfile::tempdir().unwrap();
    unpack_samples(directory.path());
    let programs = ["raid-probe", "raid-meta", "raid-table"].map(program);
    let path = format!("{}:{}", programs[0].parent().unwrap().display(), std::env::var("PATH").unwrap());
    let examples = examples(&fs::read_to_string(workspace().join("README.md")).unwrap());
    let compared = examples.iter().filter(|example| !example.shown.is_empty()).count();
    assert!(compared > 8, "examples are missing from the README, or are not found in it");
    for Example { command, shown } in examples {
        let mut shell = Command::new("bash");
        shell.args(["-c", &format!("exec 2>&1; {command}")]).current_dir(directory.path()).env("PATH", &path);
        let output = shell.output().unwrap();
        if shown.is_empty() {
            assert!(output.status.success(), "$ {command}\n{}", String::from_utf8_lossy(&output.stdout));
            continue;
        }
        assert_eq!(String::from_utf8_lossy(&output.stdout), shown, "$ {command}");
    }
}

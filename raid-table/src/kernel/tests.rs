//! Activation against a kernel that fails and a program that is killed, at every step.

use super::simulated::{Fault, SimKernel};
use super::*;
use crate::plan::{Options, plan};
use crate::target::{Device, Line, Target};
use raid_meta::record::{ArrayRecord, TableRecord, TableRole};
use raid_meta::units::Sectors;
use serde_json::{Value, json};

fn array(name: &str, fields: &Value) -> ArrayRecord {
    let slots = fields["slots"].as_u64().unwrap();
    let member = |slot| {
        json!({"slot": slot, "device": format!("/dev/d{slot}"), "state": "in-sync", "offset_sectors": 2048,
            "device_length_sectors": 1_000_000, "length_sectors": 4096})
    };
    let members: Vec<Value> = (0..slots).map(member).collect();
    let mut record = json!({"v": 1, "name": name, "format": "isw", "members": members});
    record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(record).unwrap()
}

fn mirror(name: &str) -> ArrayRecord {
    array(name, &json!({"level": "raid1", "size_sectors": 4096, "slots": 2}))
}

/// Seventeen devices, four deep.
fn raid6() -> ArrayRecord {
    array(
        "a",
        &json!({"level": "raid6", "layout": "left-asymmetric", "chunk_sectors": 8, "size_sectors": 8192,
        "slots": 4}),
    )
}

fn tables(array: &ArrayRecord) -> Vec<TableRecord> {
    plan(array, &[], &Options::default()).unwrap().tables
}

fn sorted(tables: &[TableRecord]) -> Vec<String> {
    let mut names: Vec<String> = tables.iter().map(|table| table.name.clone()).collect();
    names.sort();
    names
}

#[test]
fn an_array_becomes_active_and_only_itself_is_shown_to_all() {
    let (kernel, tables) = (SimKernel::new(), tables(&raid6()));
    assert!(tables.len() > 16);
    let activated = activate(&kernel, &tables).unwrap();
    assert!(activated.iter().all(|device| !device.was_active));
    assert_eq!(kernel.names(), sorted(&tables));
    for table in &tables {
        let expected = if table.name == "a" { Audience::All } else { Audience::Nobody };
        assert_eq!(kernel.audience(&table.name), Some(expected), "{}", table.name);
    }
}

#[test]
fn a_step_that_fails_leaves_no_device_behind() {
    let tables = tables(&raid6());
    let kernel = SimKernel::new();
    let _ = activate(&kernel, &tables).unwrap();
    for step in 0..kernel.steps() {
        let kernel = SimKernel::new();
        kernel.fail(Fault::At(step));
        let error = activate(&kernel, &tables).unwrap_err();
        assert!(matches!(error, ActivateError::Refused { .. }), "step {step}: {error}");
        assert_eq!(kernel.names(), [""; 0], "step {step}");
    }
}

#[test]
fn what_was_active_before_stays_when_a_later_device_fails() {
    let all = tables(&raid6());
    let kernel = SimKernel::new();
    let _ = activate(&kernel, &all[..5]).unwrap();
    let before = kernel.names();
    kernel.fail(Fault::At(7));
    let error = activate(&kernel, &all).unwrap_err();
    assert!(matches!(error, ActivateError::Refused { .. }), "{error}");
    assert_eq!(kernel.names(), before);
}

#[test]
fn a_device_that_can_not_be_removed_again_is_named() {
    let tables = tables(&mirror("a"));
    let kernel = SimKernel::new();
    kernel.fail(Fault::KilledBefore(4));
    let error = activate(&kernel, &tables).unwrap_err().to_string();
    assert_eq!(
        error,
        "a_member1: loading its table: EIO: I/O error (the reason is in the kernel's log); \
        and not removed again: a_member1, a_member0"
            .replace("EIO: I/O error", &std::io::Error::from_raw_os_error(5).to_string())
    );
}

/// Two partitions of the array that is the last of these tables.
fn partitions(tables: &[TableRecord]) -> Vec<TableRecord> {
    let array = tables.last().unwrap();
    let partition = |number: u64| {
        let target = Target::linear(Device::mapped(&array.name), Sectors(8 * number));
        TableRecord {
            name: format!("{}{number}", array.name),
            uuid: format!("part{number}-{}", array.uuid),
            role: TableRole::Partition,
            depends: vec![array.name.clone()],
            lines: vec![Line { start: Sectors::ZERO, length: Sectors(8), target }.into()],
            ..array.clone()
        }
    };
    vec![partition(1), partition(2)]
}

fn activate_all(kernel: &SimKernel, tables: &[TableRecord]) -> Result<Vec<Activated>, ActivateError> {
    let mut activation = Activation::new(kernel);
    let _ = activation.add(tables)?;
    activation.add(&partitions(tables))
}

#[test]
fn a_partition_that_fails_takes_its_array_with_it() {
    let tables = tables(&mirror("a"));
    let kernel = SimKernel::new();
    let _ = activate(&kernel, &tables).unwrap();
    let before = kernel.steps();
    let _ = activate_all(&kernel, &tables).unwrap();
    assert_eq!(kernel.steps(), before + 6, "create, load and resume of two partitions");
    for step in 0..kernel.steps() {
        let kernel = SimKernel::new();
        kernel.fail(Fault::At(step));
        let error = activate_all(&kernel, &tables).unwrap_err();
        assert!(matches!(error, ActivateError::Refused { .. }), "step {step}: {error}");
        assert_eq!(kernel.names(), [""; 0], "step {step}");
    }
}

#[test]
fn a_partition_whose_name_somebody_else_has_takes_only_what_was_made_with_it() {
    let tables = tables(&mirror("a"));
    let kernel = SimKernel::new();
    kernel.add("a2", "LVM-x");
    let error = activate_all(&kernel, &tables).unwrap_err();
    assert!(error.is_no(), "{error}");
    assert_eq!(kernel.names(), ["a2"]);

    let _ = activate(&kernel, &tables).unwrap();
    let before = kernel.names();
    let error = activate_all(&kernel, &tables).unwrap_err();
    assert!(error.is_no(), "{error}");
    assert_eq!(kernel.names(), before, "the array was active before");
}

#[test]
fn partitions_that_can_not_be_read_take_their_array_with_them() {
    let kernel = SimKernel::new();
    let mut activation = Activation::new(&kernel);
    let _ = activation.add(&tables(&mirror("a"))).unwrap();
    let gone = partition_tables(tables(&mirror("no-such-array")).last().unwrap()).unwrap_err();
    let error = activation.undo(gone);
    assert!(matches!(error, ActivateError::Partitions(_)), "{error}");
    assert_eq!(kernel.names(), [""; 0]);
}

#[test]
fn killed_anywhere_and_run_again_it_is_active_or_gone_as_wanted() {
    let tables = tables(&raid6());
    let kernel = SimKernel::new();
    let _ = activate(&kernel, &tables).unwrap();
    let mut faults: Vec<Fault> = Vec::new();
    for step in 0..kernel.steps() {
        faults.extend([Fault::KilledBefore(step), Fault::KilledAfter(step)]);
    }
    for fault in faults {
        for wanted in [true, false] {
            let kernel = SimKernel::new();
            kernel.fail(fault);
            let _ = activate(&kernel, &tables).unwrap_err();
            kernel.fail(Fault::None);
            if wanted {
                let _ = activate(&kernel, &tables).unwrap_or_else(|error| panic!("{fault:?}: {error}"));
                assert_eq!(kernel.names(), sorted(&tables), "{fault:?}");
                assert!(
                    activate(&kernel, &tables).unwrap().iter().all(|device| device.was_active),
                    "{fault:?}"
                );
            }
            let family = family(&kernel.mapped().unwrap(), &[&raid6()]);
            let _ = deactivate(&kernel, &family).unwrap();
            assert_eq!(kernel.names(), [""; 0], "{fault:?}");
        }
    }
}

#[test]
fn a_deactivation_killed_anywhere_is_finished_by_the_next() {
    let tables = tables(&raid6());
    let run = |fault| {
        let kernel = SimKernel::new();
        let _ = activate(&kernel, &tables).unwrap();
        kernel.fail(fault);
        let first = deactivate(&kernel, &kernel.mapped().unwrap());
        let steps = kernel.steps();
        kernel.fail(Fault::None);
        let _ = deactivate(&kernel, &family(&kernel.mapped().unwrap(), &[&raid6()])).unwrap();
        assert_eq!(kernel.names(), [""; 0], "{fault:?}");
        (first, steps)
    };
    let (first, steps) = run(Fault::None);
    assert_eq!(first.unwrap().len(), tables.len());
    for step in 0..steps {
        let (first, _) = run(Fault::KilledBefore(step));
        assert!(matches!(first, Err(DeactivateError::Refused { .. })), "step {step}");
    }
}

#[test]
fn the_same_again_is_done_and_something_else_is_refused_with_the_difference() {
    let kernel = SimKernel::new();
    let wanted = tables(&mirror("a"));
    let _ = activate(&kernel, &wanted).unwrap();
    kernel.fail(Fault::None);
    assert!(activate(&kernel, &wanted).unwrap().iter().all(|device| device.was_active));
    assert_eq!(kernel.steps(), 0);

    let longer = array("a", &json!({"level": "raid1", "size_sectors": 4000, "slots": 2}));
    let error = activate(&kernel, &tables(&longer)).unwrap_err();
    assert!(error.is_no());
    assert!(error.to_string().contains(": is active with another table: found \""), "{error}");

    let read_only = Options { read_only: true, ..Options::default() };
    let error = activate(&kernel, &plan(&mirror("a"), &[], &read_only).unwrap().tables).unwrap_err();
    assert!(error.to_string().ends_with("it is read-write, expected read-only"), "{error}");
    assert_eq!((kernel.steps(), kernel.names()), (0, sorted(&wanted)));
}

#[test]
fn a_name_that_somebody_else_has_is_left_alone() {
    let kernel = SimKernel::new();
    kernel.add("a", "LVM-x");
    let error = activate(&kernel, &tables(&mirror("a"))).unwrap_err();
    assert!(error.is_no());
    assert_eq!(error.to_string(), "a: there is a device of that name with uuid LVM-x, expected DMRAID-a");
    assert_eq!(kernel.names(), ["a"]);
}

#[test]
fn what_is_no_block_device_or_not_there_is_refused_before_anything_is_made() {
    let with = |device: &str| {
        let mut array = mirror("a");
        array.members[1].device = Some(device.to_owned());
        let kernel = SimKernel::new();
        let error = activate(&kernel, &tables(&array)).unwrap_err();
        assert_eq!(kernel.names(), [""; 0]);
        error
    };
    assert!(with("disk.img").to_string().contains("disk.img: is not a block device"));
    assert!(matches!(with("/dev/gone"), ActivateError::Missing { .. }));
}

#[test]
fn an_array_that_is_open_stays_with_all_that_it_lies_on() {
    let kernel = SimKernel::new();
    let wanted = tables(&mirror("a"));
    let _ = activate(&kernel, &wanted).unwrap();
    kernel.hold("a", true);
    let error = deactivate(&kernel, &kernel.mapped().unwrap()).unwrap_err();
    assert!(matches!(&error, DeactivateError::Busy { name } if name == "a"), "{error}");
    assert_eq!(kernel.names(), sorted(&wanted));
    kernel.hold("a", false);
    let removed = deactivate(&kernel, &kernel.mapped().unwrap()).unwrap();
    assert_eq!(removed[0].name, "a");
}

#[test]
fn the_devices_of_an_array_are_not_those_of_one_whose_name_begins_like_it() {
    let uuids = |array: &ArrayRecord| {
        let all = [
            "DMRAID-a",
            "DMRAID-a-member0",
            "DMRAID-a-member1_row3",
            "part1-DMRAID-a",
            "DMRAID-a-b",
            "DMRAID-a-member",
            "part1-DMRAID-a-b",
            "DMRAID-ab",
            "partx-DMRAID-a",
            "",
        ];
        let number = Number { major: 253, minor: 0 };
        let mapped: Vec<Mapped> = all
            .iter()
            .map(|uuid| Mapped { name: "x".to_owned(), uuid: (*uuid).to_owned(), number })
            .collect();
        family(&mapped, &[array]).into_iter().map(|device| device.uuid).collect::<Vec<_>>()
    };
    assert_eq!(
        uuids(&mirror("a")),
        ["DMRAID-a", "DMRAID-a-member0", "DMRAID-a-member1_row3", "part1-DMRAID-a"]
    );
    assert_eq!(uuids(&mirror("a-b")), ["DMRAID-a-b", "part1-DMRAID-a-b"]);
}

#[test]
fn the_helpers_of_every_level_are_known_by_their_uuids() {
    for (level, layout, slots) in [
        ("raid0", None, 3),
        ("raid1", None, 2),
        ("raid5", Some("left-symmetric"), 3),
        ("raid6", Some("left-symmetric"), 5),
        ("raid6", Some("left-asymmetric"), 4),
        ("raid10", Some("near-2"), 4),
        ("raid10", Some("far-2"), 3),
        ("raid10", Some("offset-2"), 3),
    ] {
        let size = if level == "raid1" { 4096 } else { 4000 };
        let array = array(
            "a",
            &json!({"level": level, "layout": layout, "slots": slots, "size_sectors": size,
            "chunk_sectors": 8}),
        );
        let kernel = SimKernel::new();
        let tables = tables(&array);
        let _ = activate(&kernel, &tables).unwrap_or_else(|error| panic!("{level} {layout:?}: {error}"));
        let family = family(&kernel.mapped().unwrap(), &[&array]);
        assert_eq!(family.len(), tables.len(), "{level} {layout:?}");
    }
}

/// What is recorded, and whether the array could be written at that moment.
struct Log<'a> {
    kernel: &'a SimKernel,
    array: &'a str,
    events: Vec<&'static str>,
    fails: bool,
}

impl<'a> Log<'a> {
    fn new(kernel: &'a SimKernel, array: &'a str) -> Self {
        Self { kernel, array, events: Vec::new(), fails: false }
    }

    fn is_live(&self) -> bool {
        self.kernel.state(self.array).unwrap().is_some_and(|state| !state.table.is_empty())
    }
}

impl Guard for Log<'_> {
    fn open(&mut self) -> Result<(), String> {
        assert!(!self.is_live(), "it could be written before");
        self.events.push("open");
        if self.fails { Err("no".to_owned()) } else { Ok(()) }
    }

    fn take_back(&mut self) -> Result<(), String> {
        assert_eq!(self.kernel.names(), [""; 0], "it could be written after");
        self.events.push("take back");
        Ok(())
    }
}

#[test]
fn what_has_to_be_recorded_is_recorded_before_an_array_can_be_written() {
    let tables = tables(&raid6());
    let kernel = SimKernel::new();
    let mut log = Log::new(&kernel, "a");
    let _ = Activation::new(&kernel).guarded(Some(&mut log)).add(&tables).unwrap();
    assert_eq!(log.events, ["open"]);
    let _ = Activation::new(&kernel).guarded(Some(&mut log)).add(&tables).unwrap();
    assert_eq!(log.events, ["open"], "an array that is active is open already");
}

#[test]
fn what_was_recorded_is_taken_back_when_a_later_step_fails() {
    let tables = tables(&raid6());
    let kernel = SimKernel::new();
    let _ = activate(&kernel, &tables).unwrap();
    let steps = kernel.steps();
    for step in 0..steps {
        let kernel = SimKernel::new();
        kernel.fail(Fault::At(step));
        let mut log = Log::new(&kernel, "a");
        let _ = Activation::new(&kernel).guarded(Some(&mut log)).add(&tables).unwrap_err();
        let expected: &[&str] = if step + 1 == steps { &["open", "take back"] } else { &[] };
        assert_eq!(log.events, expected, "step {step}");
    }
}

#[test]
fn an_array_of_which_nothing_can_be_recorded_does_not_become_active() {
    let tables = tables(&raid6());
    let kernel = SimKernel::new();
    let mut log = Log { fails: true, ..Log::new(&kernel, "a") };
    let error = Activation::new(&kernel).guarded(Some(&mut log)).add(&tables).unwrap_err();
    assert_eq!(error.to_string(), "a: no");
    assert_eq!(log.events, ["open"]);
    assert_eq!(kernel.names(), [""; 0]);
}

#[test]
fn an_activation_that_was_interrupted_after_recording_is_known_by_what_it_left() {
    let dirty = |dirty: bool| ArrayRecord { dirty: Some(dirty), ..mirror("a") };
    for is_dirty in [false, true] {
        let array = dirty(is_dirty);
        let tables = tables(&array);
        let kernel = SimKernel::new();
        assert!(!is_open_in_step(&kernel, &array).unwrap());
        let _ = activate(&kernel, &tables).unwrap();
        let last = kernel.steps() - 1;
        assert_eq!(is_open_in_step(&kernel, &array).unwrap(), !is_dirty);
        // One step earlier nothing was recorded, and the array has no table.
        for (killed, is_open) in [(last, !is_dirty), (last - 1, false)] {
            let kernel = SimKernel::new();
            kernel.fail(Fault::KilledBefore(killed));
            let _ = activate(&kernel, &tables).unwrap_err();
            kernel.fail(Fault::None);
            assert_eq!(is_open_in_step(&kernel, &array).unwrap(), is_open, "dirty {is_dirty}, step {killed}");
        }
    }
}

#[test]
fn an_array_is_closed_when_nothing_can_write_it_any_more_and_before_it_is_gone() {
    let (kernel, array) = (SimKernel::new(), raid6());
    let _ = activate(&kernel, &tables(&array)).unwrap();
    let mut closed = 0;
    let mut try_it = |kernel: &SimKernel| {
        let devices = family(&kernel.mapped().unwrap(), &[&array]);
        deactivate_closing(kernel, &devices, &crate::plan::device_uuid(&array), &mut || {
            let state = kernel.state("a").unwrap().unwrap();
            assert!(state.suspended && state.open_count == 0);
            closed += 1;
        })
        .is_ok()
    };
    kernel.hold("a", true);
    assert!(!try_it(&kernel));
    kernel.hold("a", false);
    assert!(try_it(&kernel));
    assert!(try_it(&kernel), "there is nothing to do");
    assert_eq!(closed, 1);
    assert_eq!(kernel.names(), [""; 0]);
}

#[test]
fn an_array_that_is_made_read_only_keeps_its_table() {
    let (kernel, array) = (SimKernel::new(), mirror("a"));
    let _ = activate(&kernel, &tables(&array)).unwrap();
    let state = || kernel.state("a").unwrap().unwrap();
    let before = state();
    kernel.hold("a", true);
    make_read_only(&kernel, &before.mapped).unwrap();
    assert!(state().read_only && !before.read_only);
    assert_eq!(state().table, before.table);
    assert!(!is_open_in_step(&kernel, &array).unwrap());
}

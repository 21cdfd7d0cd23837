//! Where devices and arrays come from: PATH arguments, the records on standard input, or the machine.

use super::args::{DeviceArgs, SourceArgs};
use super::console::{Console, problem_text};
use super::exit::{Exit, Failure, Tally};
use super::input::{InputError, Spec};
use super::progress::Progress;
use super::select::select_array;
use super::serial::is_for;
use crate::carve::Watch;
use crate::device::{Device, ReadAt};
use crate::escape::unescape;
use crate::probe::{Probe, probe, probe_deep};
use crate::record::{ArrayRecord, MemberRecord, Problem, Record, read_records};
use crate::scan;
use crate::units::Sectors;
use std::collections::{BTreeSet, HashSet};
use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal};

/// The code of the problem that a device carries two formats.
const AMBIGUOUS: &str = "ambiguous-format";
/// The code of the problem that a member's slot can not be known.
const SLOT_UNKNOWN: &str = "slot-unknown";

/// Devices, opened one after the other as they are asked for. One that can not be opened is reported and
/// counted.
pub struct Inputs<'a> {
    devices: Box<dyn Iterator<Item = Result<Device, InputError>> + 'a>,
    args: &'a DeviceArgs,
    console: &'a Console,
    tally: Tally,
    unknown: Vec<Record>,
}

impl<'a> Inputs<'a> {
    fn new(
        devices: impl Iterator<Item = Result<Device, InputError>> + 'a,
        args: &'a DeviceArgs,
        console: &'a Console,
    ) -> Self {
        Self { devices: Box::new(devices), args, console, tally: Tally::default(), unknown: Vec::new() }
    }

    /// The devices that PATH arguments name.
    ///
    /// # Errors
    /// A `--serial` is for none of them.
    pub fn from_paths(
        paths: &[OsString],
        args: &'a DeviceArgs,
        console: &'a Console,
    ) -> Result<Self, Failure> {
        args.check_serials(paths)?;
        let specs: Vec<Spec> = paths.iter().map(|path| Spec::parse(path)).collect();
        Ok(Self::new(specs.into_iter().map(|spec| spec.open(args)), args, console))
    }

    /// The device that one of several PATH arguments names.
    pub(super) fn from_path(path: &OsStr, args: &'a DeviceArgs, console: &'a Console) -> Self {
        Self::new(std::iter::once(Spec::parse(path).open(args)), args, console)
    }

    /// The disks of the machine and their partitions.
    ///
    /// # Errors
    /// They can not be listed.
    pub fn from_machine(args: &'a DeviceArgs, console: &'a Console) -> Result<Self, Failure> {
        let disks =
            scan::machine(args.sysroot()).map_err(|error| Failure::new(Exit::System, error.to_string()))?;
        Ok(Self::new(disks.into_iter().map(|disk| Ok(disk.open()?)), args, console))
    }

    /// The devices that records name: of members, and of the arrays' members where there are none.
    #[must_use]
    pub fn from_records(source: &Source, args: &'a DeviceArgs, console: &'a Console) -> Self {
        let open = |(spec, serial): (Spec, Option<String>)| match serial {
            Some(serial) => spec.open_with(args.sector_size, |_| Some(serial)),
            None => spec.open(args),
        };
        let unknown = source.others.iter().filter(|record| matches!(record, Record::Other(_))).cloned();
        let unknown = unknown.collect();
        Self { unknown, ..Self::new(source.windows().into_iter().map(open), args, console) }
    }

    /// The records of unknown types that were read, to be passed on.
    #[must_use]
    pub fn take_unknown(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.unknown)
    }

    /// Probes all the devices; reports those that can not be read.
    #[must_use]
    pub fn probe(mut self) -> (Probe, Tally) {
        let options = self.args.options();
        let found = probe(&mut self, &options);
        self.report(found)
    }

    /// As [`Inputs::probe`], and searches the devices for metadata that is elsewhere.
    #[must_use]
    pub fn probe_deep(mut self, progress: &mut Progress) -> (Probe, Tally) {
        let (args, options) = (self.args, self.args.options());
        let serial = |device: &Device, offset| args.serial_of_window(device.path(), offset);
        let mut show = |device: &Device, done| progress.show(&device.label(), done, device.size());
        let mut watch = Watch { progress: &mut show, serial: &serial };
        let found = probe_deep(&mut self, &options, &mut watch);
        progress.clear();
        self.report(found)
    }

    /// [`Inputs::probe`] for what reads the devices again: they stay open.
    #[must_use]
    pub fn probe_open(mut self) -> (Vec<Device>, Probe, Tally) {
        let devices: Vec<Device> = self.by_ref().collect();
        let found = probe(devices.iter().cloned(), &self.args.options());
        let (found, tally) = self.report(found);
        (devices, found, tally)
    }

    fn report(self, found: Probe) -> (Probe, Tally) {
        for problem in &found.problems {
            self.console.note(&problem.message);
        }
        for problem in &found.incomplete {
            self.console.error(&problem.message);
        }
        let mut unreadable = BTreeSet::new();
        for error in &found.errors {
            self.console.error(error);
            unreadable.insert(&error.device);
        }
        let failed = unreadable.len();
        let worked = self.tally.worked.saturating_sub(failed);
        let tally = Tally { worked, failed: self.tally.failed.saturating_add(failed) };
        (found, tally)
    }
}

impl Iterator for Inputs<'_> {
    type Item = Device;

    fn next(&mut self) -> Option<Device> {
        loop {
            match self.devices.next()? {
                Ok(device) => {
                    self.tally.worked = self.tally.worked.saturating_add(1);
                    return Some(device);
                }
                Err(error) => {
                    self.tally.failed = self.tally.failed.saturating_add(1);
                    self.console.error(error);
                }
            }
        }
    }
}

/// Members and arrays, probed or read.
#[derive(Debug, Default)]
pub struct Source {
    /// The members.
    pub members: Vec<MemberRecord>,
    /// The arrays, subsets before the sets that use them.
    pub arrays: Vec<ArrayRecord>,
    /// Records of other types, to be passed on by what prints records.
    pub others: Vec<Record>,
    /// How many paths could be read.
    pub tally: Tally,
}

impl Source {
    /// Reads records from a stream.
    ///
    /// # Errors
    /// The first line that is none.
    pub fn read(name: &str, input: impl io::BufRead) -> anyhow::Result<Self> {
        let mut source = Self::default();
        for record in read_records(name, input) {
            match record? {
                Record::Member(member) => source.members.push(member),
                Record::Array(array) => source.arrays.push(array),
                other => source.others.push(other),
            }
        }
        Ok(source)
    }

    /// The array that is meant: see [`select_array`].
    ///
    /// # Errors
    /// None can be chosen, or its slots are not known.
    pub fn array(&self, wanted: Option<&str>) -> Result<&ArrayRecord, Failure> {
        self.check_found()?;
        let array = select_array(&self.arrays, wanted)?;
        let of_set = |member: &&MemberRecord| member.set_id == array.set_id && member.set_id.is_some();
        self.check_slots(self.members.iter().filter(of_set))?;
        Ok(array)
    }

    /// All arrays, at least one.
    ///
    /// # Errors
    /// There is none: nothing was found, or it is damaged, or the slots are not known.
    pub fn all_arrays(&self) -> Result<&[ArrayRecord], Failure> {
        self.check_found()?;
        self.check_slots(self.members.iter())?;
        Ok(&self.arrays)
    }

    /// The status of work done on what was found.
    #[must_use]
    pub fn exit(&self, natural: Exit) -> Exit {
        self.tally.exit(natural)
    }

    /// Refuses a device with two formats.
    fn unambiguous(self) -> anyhow::Result<Self> {
        let ambiguous = self.members.iter().find_map(|member| Some((member, problem_of(member, AMBIGUOUS)?)));
        if let Some((member, problem)) = ambiguous {
            return Err(failure(Exit::No, member, problem).into());
        }
        Ok(self)
    }

    /// Leaves out the arrays of members that are in doubt, and says so, where there are others: one old disk in a machine keeps
    /// none of its arrays from being used. Those members count as failed.
    fn without_doubtful(mut self, console: &Console) -> Self {
        let is_doubtful = |member: &MemberRecord| {
            [AMBIGUOUS, SLOT_UNKNOWN].iter().any(|code| problem_of(member, code).is_some())
        };
        let (doubtful, sound): (Vec<_>, Vec<_>) = self.members.iter().cloned().partition(is_doubtful);
        let is_touched = |array: &ArrayRecord| {
            doubtful.iter().any(|member| {
                let is_of_set =
                    array.format.as_ref() == Some(&member.format) && array.set_id == member.set_id;
                is_of_set || array.members.iter().any(|slot| slot.device.as_ref() == Some(&member.device))
            })
        };
        if doubtful.is_empty() || self.arrays.iter().all(is_touched) {
            return self;
        }
        for member in &doubtful {
            let MemberRecord { device, format, .. } = member;
            let why = problem_of(member, AMBIGUOUS).map(|problem| problem_text(device, problem));
            let why = why.unwrap_or_else(|| "in doubt".to_owned());
            console
                .error(format_args!("{device}: {format}: {why}; the arrays that it belongs to are left out"));
        }
        self.arrays.retain(|array| !is_touched(array));
        self.tally.failed = self.tally.failed.saturating_add(doubtful.len());
        self.members = sound;
        self
    }

    fn check_found(&self) -> Result<(), Failure> {
        if !self.arrays.is_empty() {
            return Ok(());
        }
        self.check_slots(self.members.iter())?;
        if self.tally.exit(Exit::Done) == Exit::System {
            return Err(Failure::reported(Exit::System));
        }
        for member in &self.members {
            if let Some(problem) = member.problems.iter().find(|problem| problem.is_error()) {
                return Err(failure(Exit::BadData, member, problem));
            }
        }
        Err(Failure::new(self.tally.exit(Exit::No), "no array found"))
    }

    /// Refuses members whose slot can not be known.
    fn check_slots<'a>(&self, mut members: impl Iterator<Item = &'a MemberRecord>) -> Result<(), Failure> {
        let unknown = members.find_map(|member| Some((member, problem_of(member, SLOT_UNKNOWN)?)));
        unknown.map_or(Ok(()), |(member, problem)| Err(failure(Exit::BadData, member, problem)))
    }

    /// The windows that the records name, each once, with their serial numbers.
    fn windows(&self) -> Vec<(Spec, Option<String>)> {
        let mut windows: Vec<(Spec, Option<String>)> = Vec::new();
        let mut known = HashSet::new();
        let mut add = |device: &str, offset, length, serial: Option<&str>| {
            let spec = Spec::recorded(device, offset, length);
            if known.insert(spec.clone()) {
                let serial =
                    serial.and_then(unescape).map(|text| String::from_utf8_lossy(&text).into_owned());
                windows.push((spec, serial));
            }
        };
        for member in &self.members {
            let length = Some(member.device_length_sectors);
            add(&member.device, member.device_offset_sectors, length, member.serial.as_deref());
        }
        for array in &self.arrays {
            for member in &array.members {
                if let Some(device) = &member.device {
                    let offset = member.device_offset_sectors.unwrap_or(Sectors::ZERO);
                    add(device, offset, member.device_length_sectors, None);
                }
            }
            for spare in &array.spares {
                add(&spare.device, spare.device_offset_sectors, Some(spare.device_length_sectors), None);
            }
        }
        windows
    }
}

fn problem_of<'a>(member: &'a MemberRecord, code: &str) -> Option<&'a Problem> {
    member.problems.iter().find(|problem| problem.code == code)
}

fn failure(exit: Exit, member: &MemberRecord, problem: &Problem) -> Failure {
    let MemberRecord { device, format, .. } = member;
    Failure::new(exit, format!("{device}: {format}: {}", problem_text(device, problem)))
}

impl DeviceArgs {
    /// Refuses a `--serial` that is for none of the paths: a mistyped one would silently be none.
    pub(super) fn check_serials(&self, paths: &[OsString]) -> Result<(), Failure> {
        for serial in &self.serial {
            let is_used = paths.iter().any(|path| is_for(&Spec::parse(path).path, serial));
            if !is_used {
                let text = crate::escape::path_to_text(serial.as_ref());
                let message = format!("--serial {text}: expected PATH=TEXT with one of the PATHs");
                return Err(Failure::usage(message));
            }
        }
        Ok(())
    }
}

impl SourceArgs {
    /// Whether records are to be read from standard input.
    #[must_use]
    pub fn wants_records(&self) -> bool {
        self.paths.is_empty() || self.paths == ["-"]
    }

    /// The devices: of the paths, or of the records on standard input.
    ///
    /// # Errors
    /// Standard input is a terminal, or has no records.
    pub fn inputs<'a>(&'a self, console: &'a Console) -> anyhow::Result<Inputs<'a>> {
        if !self.wants_records() {
            return Ok(Inputs::from_paths(&self.paths, &self.devices, console)?);
        }
        Ok(Inputs::from_records(&self.read()?, &self.devices, console))
    }

    /// The members and arrays: probed on the paths, or as the records on standard input have them.
    ///
    /// # Errors
    /// As [`SourceArgs::inputs`]; or two formats are on one device and `--format` does not say which.
    pub fn load(&self, console: &Console) -> anyhow::Result<Source> {
        if self.wants_records() {
            return self.read();
        }
        Self::found(Inputs::from_paths(&self.paths, &self.devices, console)?, console).unambiguous()
    }

    /// As [`SourceArgs::load`]; but what records say is looked up again on the devices that they name. For what writes: it
    /// believes nothing that is not there.
    ///
    /// # Errors
    /// As [`SourceArgs::load`].
    pub fn load_again(&self, console: &Console) -> anyhow::Result<Source> {
        let mut inputs = self.inputs(console)?;
        let others = inputs.take_unknown();
        Source { others, ..Self::found(inputs, console) }.unambiguous()
    }

    /// As [`SourceArgs::load`]; but without a PATH the disks of the machine are probed. Only `-` reads records.
    ///
    /// # Errors
    /// As [`SourceArgs::load`]; or the disks can not be listed.
    pub fn load_or_scan(&self, console: &Console) -> anyhow::Result<Source> {
        if self.is_machine() {
            let source = Self::found(Inputs::from_machine(&self.devices, console)?, console);
            return source.without_doubtful(console).unambiguous();
        }
        self.load(console)
    }

    /// Whether no device and no record is named.
    #[must_use]
    pub fn is_machine(&self) -> bool {
        self.paths.is_empty()
    }

    fn found(inputs: Inputs<'_>, console: &Console) -> Source {
        let (found, tally) = inputs.probe();
        let members: Vec<_> = found.members.iter().map(|member| member.record()).collect();
        for member in &members {
            for problem in member.problems.iter().filter(|problem| problem.code != AMBIGUOUS) {
                console.problem(&member.device, &member.format, problem);
            }
        }
        Source { members, arrays: found.arrays, others: Vec::new(), tally }
    }

    fn read(&self) -> anyhow::Result<Source> {
        let stdin = io::stdin();
        if self.paths.is_empty() && stdin.is_terminal() {
            return Err(Failure::usage("no PATH, and no records on standard input").into());
        }
        Source::read("standard input", stdin.lock())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::CommonArgs;

    const ARRAY: &str = r#"{"type":"array","v":1,"name":"a","level":"raid1","size_sectors":8,"slots":2,"members":[
        {"slot":0,"device":"x\\x0ay","state":"in-sync","device_offset_sectors":8},
        {"slot":1,"device":null,"state":"missing"}]}"#;

    fn read(text: &str) -> anyhow::Result<Source> {
        Source::read("standard input", text.replace("\n ", "").as_bytes())
    }

    #[test]
    fn records_of_unknown_types_are_kept_to_be_passed_on() {
        let source = read(&format!("{ARRAY}\n\n{{\"type\":\"later\",\"v\":1,\"x\":[1]}}\n")).unwrap();
        assert_eq!(source.arrays.len(), 1);
        assert_eq!(source.others.len(), 1);
        assert_eq!(source.array(None).unwrap().name, "a");
    }

    #[test]
    fn an_array_alone_names_its_devices() {
        let windows = read(ARRAY).unwrap().windows();
        let spec = Spec::recorded("x\\x0ay", Sectors(8), None);
        assert_eq!(spec.path, std::path::Path::new("x\ny"));
        assert_eq!(windows, [(spec, None)]);
    }

    #[test]
    fn what_is_no_record_is_bad_data() {
        for text in ["hello", "{\"type\":\"array\",\"v\":2}", "{}", "[]", "{\"type\":\"array\",\"v\":1}"] {
            let error = read(text).unwrap_err();
            assert_eq!(Exit::of(&error), Exit::BadData, "{text}: {error}");
            assert!(error.to_string().starts_with("standard input: line 1: "), "{error}");
        }
    }

    fn with_doubt(arrays: &[&str], set: &str, device: &str, code: &str) -> Source {
        let member = format!(
            r#"{{"type":"member","v":1,"device":"{device}","format":"isw","role":"active","set_id":"{set}",
            "device_offset_sectors":0,"device_length_sectors":8,"evidence":[],"metadata":[],"volumes":[],
            "problems":[{{"code":"{code}","severity":"error","message":"why"}}]}}"#
        );
        let array = |name: &&str| {
            format!(
                r#"{{"type":"array","v":1,"format":"isw","set_id":"{name}","name":"{name}","level":"raid1",
                "size_sectors":8,"slots":1,"members":[{{"slot":0,"device":"{name}0","state":"in-sync"}}]}}"#
            )
        };
        let all = std::iter::once(member).chain(arrays.iter().map(array));
        let text: String = all.map(|record| record.replace(['\n', ' '], "") + "\n").collect();
        let source = Source::read("-", text.as_bytes()).unwrap();
        Source { tally: Tally { worked: 3, failed: 0 }, ..source }
    }

    #[test]
    fn a_disk_in_doubt_keeps_no_other_array_of_the_machine_from_being_used() {
        let console = Console::new("test", &CommonArgs::default()).holding();
        let names = |source: &Source| -> Vec<String> {
            source.all_arrays().unwrap().iter().map(|array| array.name.clone()).collect()
        };
        let left = with_doubt(&["a", "b"], "a", "x", SLOT_UNKNOWN).without_doubtful(&console);
        assert_eq!(names(&left), ["b"]);
        assert_eq!(left.exit(Exit::Done), Exit::Partly);
        let left = with_doubt(&["a", "b"], "c", "b0", AMBIGUOUS).without_doubtful(&console);
        assert_eq!(names(&left.unambiguous().unwrap()), ["a"]);
    }

    #[test]
    fn a_disk_in_doubt_with_nothing_beside_it_is_what_the_error_is_about() {
        let console = Console::new("test", &CommonArgs::default()).holding();
        let all = with_doubt(&["a"], "a", "x", SLOT_UNKNOWN).without_doubtful(&console);
        assert_eq!(Exit::of(&all.all_arrays().unwrap_err().into()), Exit::BadData);
        let all = with_doubt(&["a"], "c", "a0", AMBIGUOUS).without_doubtful(&console);
        assert_eq!(Exit::of(&all.unambiguous().unwrap_err()), Exit::No);
    }

    #[test]
    fn no_arrays_is_an_honest_no_unless_the_paths_failed() {
        let with = |worked, failed| {
            let source = Source { tally: Tally { worked, failed }, ..Source::default() };
            Exit::of(&source.array(None).unwrap_err().into())
        };
        assert_eq!(with(0, 0), Exit::No);
        assert_eq!(with(1, 0), Exit::No);
        assert_eq!(with(1, 1), Exit::Partly);
        assert_eq!(with(0, 1), Exit::System);
    }
}

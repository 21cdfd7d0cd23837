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
        let unknown = members.find_map(|member| Some((member, problem_of(member, "slot-unknown")?)));
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
        Self::probed(Inputs::from_paths(&self.paths, &self.devices, console)?, console)
    }

    /// As [`SourceArgs::load`]; but without a PATH the disks of the machine are probed. Only `-` reads records.
    ///
    /// # Errors
    /// As [`SourceArgs::load`]; or the disks can not be listed.
    pub fn load_or_scan(&self, console: &Console) -> anyhow::Result<Source> {
        if self.is_machine() {
            return Self::probed(Inputs::from_machine(&self.devices, console)?, console);
        }
        self.load(console)
    }

    /// Whether no device and no record is named.
    #[must_use]
    pub fn is_machine(&self) -> bool {
        self.paths.is_empty()
    }

    fn probed(inputs: Inputs<'_>, console: &Console) -> anyhow::Result<Source> {
        let (found, tally) = inputs.probe();
        let members: Vec<_> = found.members.iter().map(|member| member.record()).collect();
        for member in &members {
            if let Some(problem) = problem_of(member, "ambiguous-format") {
                return Err(failure(Exit::No, member, problem).into());
            }
            for problem in &member.problems {
                console.problem(&member.device, &member.format, problem);
            }
        }
        Ok(Source { members, arrays: found.arrays, others: Vec::new(), tally })
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

//! A device-mapper in memory, of which any step can be made to fail.

use super::{Audience, Kernel, Mapped, Number, State};
use crate::target::{Device, Line};
use nix::errno::Errno;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// Major number of its dm devices; that of the disks below is 8.
const MAJOR: u32 = 253;

#[derive(Debug, Clone)]
struct Node {
    uuid: String,
    minor: u32,
    loaded: Option<(Vec<Line>, bool)>,
    live: Option<(Vec<Line>, bool)>,
    audience: Option<Audience>,
    suspended: bool,
    held: bool,
}

/// When a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Never.
    None,
    /// The step of that number, and no other.
    At(u32),
    /// That step and all after it: the program was killed.
    KilledBefore(u32),
    /// The program was killed when that step was done.
    KilledAfter(u32),
}

pub(super) struct SimKernel {
    devices: RefCell<BTreeMap<String, Node>>,
    next: Cell<u32>,
    steps: Cell<u32>,
    fault: Cell<Fault>,
}

impl SimKernel {
    pub(super) fn new() -> Self {
        let devices = RefCell::default();
        Self { devices, next: Cell::new(0), steps: Cell::new(0), fault: Cell::new(Fault::None) }
    }

    /// Lets steps fail from here on, counted from 0.
    pub(super) fn fail(&self, fault: Fault) {
        self.fault.set(fault);
        self.steps.set(0);
    }

    /// Steps since then.
    pub(super) fn steps(&self) -> u32 {
        self.steps.get()
    }

    /// Somebody opens a device, or closes it.
    pub(super) fn hold(&self, name: &str, held: bool) {
        self.devices.borrow_mut().get_mut(name).unwrap().held = held;
    }

    /// A device of somebody else.
    pub(super) fn add(&self, name: &str, uuid: &str) {
        let _ = self.create(name, uuid).unwrap();
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.devices.borrow().keys().cloned().collect()
    }

    pub(super) fn audience(&self, name: &str) -> Option<Audience> {
        self.devices.borrow()[name].audience
    }

    /// Counts a step, which `act` does unless it is to fail.
    fn step<T>(&self, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let step = self.steps.replace(self.steps.get() + 1);
        let fails = || Err(Errno::EIO.into());
        match self.fault.get() {
            Fault::At(at) if step == at => fails(),
            Fault::KilledBefore(at) if step >= at => fails(),
            Fault::KilledAfter(at) if step > at => fails(),
            Fault::KilledAfter(at) if step == at => act().and_then(|_| fails()),
            _ => act(),
        }
    }

    /// What the kernel checks of a table: that its devices are there and have one.
    fn check(&self, lines: &[Line]) -> io::Result<()> {
        let devices = self.devices.borrow();
        for device in lines.to_vec().iter_mut().flat_map(|line| line.target.devices_mut()) {
            match device {
                Device::Number { major: MAJOR, minor } => {
                    let below = devices.values().find(|node| node.minor == *minor);
                    if below.is_none_or(|node| node.live.is_none()) {
                        return Err(Errno::ENXIO.into());
                    }
                }
                Device::Number { major: 8, minor: 0..16 } => {}
                _ => return Err(Errno::EINVAL.into()),
            }
        }
        Ok(())
    }

    fn users(devices: &BTreeMap<String, Node>, minor: u32) -> u32 {
        let is_used = |lines: &[Line]| {
            lines.to_vec().iter_mut().any(|line| {
                let number = Device::Number { major: MAJOR, minor };
                line.target.devices_mut().into_iter().any(|device| *device == number)
            })
        };
        let tables = devices.values().map(|node| [&node.live, &node.loaded]);
        let users = tables
            .filter(|both| both.iter().any(|table| table.as_ref().is_some_and(|(lines, _)| is_used(lines))));
        u32::try_from(users.count()).unwrap()
    }
}

impl Kernel for SimKernel {
    fn mapped(&self) -> io::Result<Vec<Mapped>> {
        let devices = self.devices.borrow();
        let mapped = |(name, node): (&String, &Node)| Mapped {
            name: name.clone(),
            uuid: node.uuid.clone(),
            number: Number { major: MAJOR, minor: node.minor },
        };
        Ok(devices.iter().map(mapped).collect())
    }

    fn state(&self, name: &str) -> io::Result<Option<State>> {
        let devices = self.devices.borrow();
        let Some(node) = devices.get(name) else { return Ok(None) };
        let text = |table: &Option<(Vec<Line>, bool)>| {
            table.iter().flat_map(|(lines, _)| lines).map(ToString::to_string).collect()
        };
        Ok(Some(State {
            mapped: Mapped {
                name: name.to_owned(),
                uuid: node.uuid.clone(),
                number: Number { major: MAJOR, minor: node.minor },
            },
            table: text(&node.live),
            loaded: text(&node.loaded),
            suspended: node.live.is_none() || node.suspended,
            read_only: node.live.as_ref().is_some_and(|(_, read_only)| *read_only),
            open_count: u32::from(node.held) + Self::users(&devices, node.minor),
        }))
    }

    fn number(&self, path: &Path) -> io::Result<Number> {
        let path = path.to_str().unwrap();
        if let Some(name) = path.strip_prefix("/dev/mapper/") {
            let state = self.state(name)?.ok_or(io::ErrorKind::NotFound)?;
            return Ok(state.mapped.number);
        }
        match path.strip_prefix("/dev/d") {
            Some(minor) => Ok(Number { major: 8, minor: minor.parse().unwrap() }),
            None if path.ends_with(".img") => Err(io::Error::other("is not a block device")),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn create(&self, name: &str, uuid: &str) -> io::Result<Number> {
        self.step(|| {
            let minor = self.next.replace(self.next.get() + 1);
            let (uuid, audience) = (uuid.to_owned(), None);
            let (loaded, live, suspended, held) = (None, None, false, false);
            let node = Node { uuid, minor, loaded, live, audience, suspended, held };
            let mut devices = self.devices.borrow_mut();
            if devices.contains_key(name) || devices.values().any(|other| other.uuid == node.uuid) {
                return Err(Errno::EBUSY.into());
            }
            devices.insert(name.to_owned(), node);
            Ok(Number { major: MAJOR, minor })
        })
    }

    fn load(&self, name: &str, lines: &[Line], read_only: bool) -> io::Result<()> {
        self.step(|| {
            self.check(lines)?;
            let mut devices = self.devices.borrow_mut();
            let node = devices.get_mut(name).ok_or(Errno::ENXIO)?;
            node.loaded = Some((lines.to_vec(), read_only));
            Ok(())
        })
    }

    fn suspend(&self, name: &str) -> io::Result<()> {
        self.step(|| {
            let mut devices = self.devices.borrow_mut();
            devices.get_mut(name).ok_or(Errno::ENXIO)?.suspended = true;
            Ok(())
        })
    }

    fn resume(&self, name: &str, audience: Audience) -> io::Result<()> {
        self.step(|| {
            let mut devices = self.devices.borrow_mut();
            let node = devices.get_mut(name).ok_or(Errno::ENXIO)?;
            node.audience = Some(audience);
            node.suspended = false;
            match node.loaded.take() {
                Some(table) => node.live = Some(table),
                None if node.live.is_none() => return Err(Errno::EINVAL.into()),
                None => {}
            }
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.step(|| {
            let mut devices = self.devices.borrow_mut();
            let node = devices.get(name).ok_or(Errno::ENXIO)?;
            if node.held || Self::users(&devices, node.minor) > 0 {
                return Err(Errno::EBUSY.into());
            }
            devices.remove(name);
            Ok(())
        })
    }
}

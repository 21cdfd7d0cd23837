//! A request, as it was sent and as it can be answered.

use super::Export;
use super::handshake::{MAX_PAYLOAD, Session};
use super::wire::{ErrorNumber, REQUEST_MAGIC, command, command_flag, read_array};
use raid_meta::units::Bytes;
use std::io::{self, Read};

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) flags: u16,
    pub(super) command: u16,
    /// The client's number for it.
    pub(super) cookie: u64,
    pub(super) offset: Bytes,
    pub(super) length: u32,
}

impl Request {
    /// Reads the next request; none when the client has left between two.
    pub(super) fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let mut first = [0];
        loop {
            match from.read(&mut first) {
                Ok(0) => return Ok(None),
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let rest: [u8; 3] = read_array(from)?;
        if u32::from_be_bytes([first[0], rest[0], rest[1], rest[2]]) != REQUEST_MAGIC {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a request without its magic number"));
        }
        Ok(Some(Self {
            flags: u16::from_be_bytes(read_array(from)?),
            command: u16::from_be_bytes(read_array(from)?),
            cookie: u64::from_be_bytes(read_array(from)?),
            offset: Bytes(u64::from_be_bytes(read_array(from)?)),
            length: u32::from_be_bytes(read_array(from)?),
        }))
    }

    /// The end of its range. [`Request::check`] has seen that it does not overflow.
    pub(super) fn end(&self) -> Bytes {
        self.offset.saturating_add(Bytes(self.length.into()))
    }

    pub(super) fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    /// Whether it can be answered at all.
    pub(super) fn check(&self, export: &dyn Export, session: Session) -> Result<(), ErrorNumber> {
        let changes = matches!(self.command, command::WRITE | command::TRIM | command::WRITE_ZEROES);
        if changes && !export.is_writable() {
            return Err(ErrorNumber::NotPermitted);
        }
        if self.flags & !self.allowed_flags(session) != 0 {
            return Err(ErrorNumber::Invalid);
        }
        let beyond = self.offset.checked_add(Bytes(self.length.into())).is_none_or(|end| end > export.size());
        match self.command {
            command::FLUSH => Ok(()),
            command::READ if beyond => Err(ErrorNumber::Invalid),
            command::WRITE if self.length > MAX_PAYLOAD => Err(ErrorNumber::Invalid),
            command::WRITE | command::WRITE_ZEROES if beyond => Err(ErrorNumber::NoSpace),
            command::TRIM if beyond => Err(ErrorNumber::Invalid),
            command::READ | command::WRITE | command::TRIM | command::WRITE_ZEROES => Ok(()),
            command::BLOCK_STATUS if session.allocation && self.length > 0 && !beyond => Ok(()),
            _ => Err(ErrorNumber::Invalid),
        }
    }

    fn allowed_flags(&self, session: Session) -> u16 {
        let own = match self.command {
            command::READ if session.structured => command_flag::DF,
            command::WRITE_ZEROES => command_flag::NO_HOLE,
            command::BLOCK_STATUS => command_flag::REQ_ONE,
            _ => 0,
        };
        // FUA is without meaning, and without harm, where nothing is written.
        own | command_flag::FUA
    }
}

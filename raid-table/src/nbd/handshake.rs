//! The handshake: what both sides can, and which export is meant.

use super::Export;
use super::wire::{
    Fields, OPTION_MAGIC, OPTION_REPLY_MAGIC, SERVER_MAGIC, drain, export_flag, handshake_flag, info, option,
    option_reply, read_u32, read_u64,
};
use std::io::{self, Read, Write};

/// Longest data of an option that is looked at. A name has at most 4096 bytes.
const MAX_OPTION_BYTES: u32 = 64 << 10;
/// Longest data of an option that is read over.
const MAX_DRAINED_BYTES: u32 = 1 << 20;
/// Options after which a client is not going to come to the point.
const MAX_OPTIONS: usize = 1000;
/// Most bytes of a write.
pub(super) const MAX_PAYLOAD: u32 = 32 << 20;
/// What clients should align their requests to.
const PREFERRED_BLOCK: u32 = 4096;
/// The only context that there is, and the number that it has in replies.
const ALLOCATION: &[u8] = b"base:allocation";
pub(super) const ALLOCATION_ID: u32 = 1;

/// What was agreed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Session {
    /// Replies to reads are chunks, and errors have a place.
    pub(super) structured: bool,
    /// The client may ask for holes.
    pub(super) allocation: bool,
}

/// An end of the handshake that is nobody's fault, and one that is the client's.
fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Goes through the handshake; none when the client leaves without wanting the export.
pub(super) fn negotiate<S: Read + Write>(stream: &mut S, export: &dyn Export) -> io::Result<Option<Session>> {
    let flags = handshake_flag::FIXED_NEWSTYLE | handshake_flag::NO_ZEROES;
    let mut greeting = SERVER_MAGIC.to_be_bytes().to_vec();
    greeting.extend(OPTION_MAGIC.to_be_bytes());
    greeting.extend(flags.to_be_bytes());
    stream.write_all(&greeting)?;
    let client = read_u32(stream)?;
    if client & !u32::from(flags) != 0 || client & u32::from(handshake_flag::FIXED_NEWSTYLE) == 0 {
        return Err(broken("flags of the handshake that there are not"));
    }
    let no_zeroes = client & u32::from(handshake_flag::NO_ZEROES) != 0;
    let mut haggling = Haggling { stream, export, no_zeroes, session: Session::default() };
    for _ in 0..MAX_OPTIONS {
        match haggling.option()? {
            Next::Option => {}
            Next::Transmission => return Ok(Some(haggling.session)),
            Next::End => return Ok(None),
        }
    }
    Err(broken("too many options"))
}

/// What follows an option.
enum Next {
    Option,
    Transmission,
    End,
}

struct Haggling<'a, S> {
    stream: &'a mut S,
    export: &'a dyn Export,
    no_zeroes: bool,
    session: Session,
}

impl<S: Read + Write> Haggling<'_, S> {
    fn option(&mut self) -> io::Result<Next> {
        if read_u64(self.stream)? != OPTION_MAGIC {
            return Err(broken("an option without its magic number"));
        }
        let (number, length) = (read_u32(self.stream)?, read_u32(self.stream)?);
        if length > MAX_DRAINED_BYTES {
            return Err(broken("an option that is too long"));
        }
        if length > MAX_OPTION_BYTES {
            drain(self.stream, length.into())?;
            return self.reply(number, option_reply::TOO_BIG, &[]);
        }
        let mut data = vec![0; length as usize];
        self.stream.read_exact(&mut data)?;
        match number {
            option::EXPORT_NAME => self.export_name(&data),
            option::ABORT => {
                // The client may be gone by now.
                let _ = self.reply(number, option_reply::ACK, &[]);
                Ok(Next::End)
            }
            option::LIST => self.list(&data),
            option::INFO | option::GO => self.info(number, &data),
            option::STRUCTURED_REPLY if data.is_empty() => {
                self.session.structured = true;
                self.reply(number, option_reply::ACK, &[])
            }
            option::LIST_META_CONTEXT | option::SET_META_CONTEXT => self.meta_context(number, &data),
            option::STRUCTURED_REPLY => self.reply(number, option_reply::INVALID, &[]),
            _ => self.reply(number, option_reply::UNSUPPORTED, &[]),
        }
    }

    fn reply(&mut self, option: u32, kind: u32, data: &[u8]) -> io::Result<Next> {
        let mut reply = OPTION_REPLY_MAGIC.to_be_bytes().to_vec();
        let length = u32::try_from(data.len()).unwrap_or_default();
        for field in [option, kind, length] {
            reply.extend(field.to_be_bytes());
        }
        reply.extend(data);
        self.stream.write_all(&reply)?;
        Ok(Next::Option)
    }

    fn is_known(&self, name: &[u8]) -> bool {
        name.is_empty() || name == self.export.name().as_bytes()
    }

    /// Size and flags, as they are told.
    fn description(&self) -> Vec<u8> {
        use export_flag as flag;
        let mut flags = flag::HAS_FLAGS | flag::CAN_MULTI_CONN | flag::SEND_FLUSH;
        flags |= if self.export.is_writable() {
            flag::SEND_FUA | flag::SEND_TRIM | flag::SEND_WRITE_ZEROES
        } else {
            flag::READ_ONLY
        };
        if self.session.structured {
            flags |= flag::SEND_DF;
        }
        let mut bytes = self.export.size().0.to_be_bytes().to_vec();
        bytes.extend(flags.to_be_bytes());
        bytes
    }

    /// The oldest way to choose, which knows no errors.
    fn export_name(&mut self, name: &[u8]) -> io::Result<Next> {
        if !self.is_known(name) {
            return Err(broken("an export that there is not"));
        }
        let mut reply = self.description();
        if !self.no_zeroes {
            reply.extend([0; 124]);
        }
        self.stream.write_all(&reply)?;
        Ok(Next::Transmission)
    }

    fn list(&mut self, data: &[u8]) -> io::Result<Next> {
        if !data.is_empty() {
            return self.reply(option::LIST, option_reply::INVALID, &[]);
        }
        let name = self.export.name().as_bytes();
        let mut entry = u32::try_from(name.len()).unwrap_or_default().to_be_bytes().to_vec();
        entry.extend(name);
        self.reply(option::LIST, option_reply::SERVER, &entry)?;
        self.reply(option::LIST, option_reply::ACK, &[])
    }

    fn info(&mut self, number: u32, data: &[u8]) -> io::Result<Next> {
        let mut fields = Fields(data);
        let parsed = (|| {
            let name = fields.text()?;
            let wanted: Option<Vec<u16>> = (0..fields.u16()?).map(|_| fields.u16()).collect();
            Some((name, wanted?)).filter(|_| fields.is_empty())
        })();
        let Some((name, wanted)) = parsed else {
            return self.reply(number, option_reply::INVALID, &[]);
        };
        if !self.is_known(name) {
            return self.reply(number, option_reply::UNKNOWN, &[]);
        }
        let mut export = info::EXPORT.to_be_bytes().to_vec();
        export.extend(self.description());
        self.reply(number, option_reply::INFO, &export)?;
        if wanted.contains(&info::BLOCK_SIZE) {
            let mut sizes = info::BLOCK_SIZE.to_be_bytes().to_vec();
            sizes.extend([1, PREFERRED_BLOCK, MAX_PAYLOAD].into_iter().flat_map(u32::to_be_bytes));
            self.reply(number, option_reply::INFO, &sizes)?;
        }
        self.reply(number, option_reply::ACK, &[])?;
        Ok(if number == option::GO { Next::Transmission } else { Next::Option })
    }

    fn meta_context(&mut self, number: u32, data: &[u8]) -> io::Result<Next> {
        let mut fields = Fields(data);
        let parsed = (|| {
            let name = fields.text()?;
            // Each takes four bytes of the data at least, so the number of them is bounded by its length.
            let queries: Option<Vec<&[u8]>> = (0..fields.u32()?).map(|_| fields.text()).collect();
            Some((name, queries?)).filter(|_| fields.is_empty())
        })();
        if number == option::SET_META_CONTEXT {
            self.session.allocation = false;
        }
        let Some((name, queries)) = parsed.filter(|_| self.session.structured) else {
            return self.reply(number, option_reply::INVALID, &[]);
        };
        if !self.is_known(name) {
            return self.reply(number, option_reply::UNKNOWN, &[]);
        }
        let listing = number == option::LIST_META_CONTEXT;
        let all = listing && (queries.is_empty() || queries.contains(&b"base:".as_slice()));
        if all || queries.contains(&ALLOCATION) {
            self.session.allocation |= !listing;
            let id = if listing { 0 } else { ALLOCATION_ID };
            let mut context = id.to_be_bytes().to_vec();
            context.extend(ALLOCATION);
            self.reply(number, option_reply::META_CONTEXT, &context)?;
        }
        self.reply(number, option_reply::ACK, &[])
    }
}

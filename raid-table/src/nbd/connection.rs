//! A connection after its handshake: requests in, replies out.
//!
//! A few threads share a connection. One at a time reads a request, with what is to be written, and lets the next one
//! read while it does the work; replies go out as they are ready, in any order, each whole or in whole chunks.

use super::Export;
use super::handshake::{ALLOCATION_ID, Session};
use super::request::Request;
use super::wire::{
    CHUNK_MAGIC, ErrorNumber, SIMPLE_REPLY_MAGIC, allocation, chunk, command, command_flag, drain,
};
use raid_meta::units::Bytes;
use std::io::{self, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Requests of one connection that are worked on at once.
const THREADS: usize = 3;
/// Room in front of the data for what precedes it in a reply, so that both go out in one call.
const HEADER_ROOM: usize = 64;
/// Most ranges in the answer to one question about holes.
const MAX_RANGES: usize = 512;

/// What the threads of a connection share.
pub(super) struct Connection<'a> {
    export: &'a dyn Export,
    session: Session,
    input: Mutex<Input>,
    output: Mutex<UnixStream>,
    stream: &'a UnixStream,
}

/// The half that is read from.
struct Input {
    stream: BufReader<UnixStream>,
    /// The client has left, said goodbye, or broken the protocol.
    ended: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Connection<'a> {
    pub(super) fn new(export: &'a dyn Export, session: Session, stream: &'a UnixStream) -> io::Result<Self> {
        let input = Input { stream: BufReader::with_capacity(4096, stream.try_clone()?), ended: false };
        let output = Mutex::new(stream.try_clone()?);
        Ok(Self { export, session, input: Mutex::new(input), output, stream })
    }

    /// Answers requests until the client leaves.
    pub(super) fn run(&self) {
        std::thread::scope(|scope| {
            for _ in 1..THREADS {
                scope.spawn(|| self.work());
            }
            self.work();
        });
    }

    fn work(&self) {
        let mut memory = Vec::new();
        let served = loop {
            match self.serve_one(&mut memory) {
                Ok(true) => {}
                ended => break ended,
            }
        };
        if served.is_err() {
            // The others see the end of the stream.
            let _ = self.stream.shutdown(Shutdown::Both);
        }
    }

    /// Takes one request and answers it; false when there are no more.
    fn serve_one(&self, memory: &mut Vec<u8>) -> io::Result<bool> {
        let mut input = lock(&self.input);
        let request = match input.next() {
            Ok(Some(request)) => request,
            other => return other.map(|_| false),
        };
        let checked = request.check(self.export, self.session);
        if request.command == command::WRITE {
            let done = match checked {
                Ok(()) => self.write(&request, input, memory),
                Err(error) => input.skip(request.length).map(|()| Err(error)),
            }?;
            return self.acknowledge(&request, done).map(|()| true);
        }
        drop(input);
        match (checked, request.command) {
            (Err(error), _) => self.refuse(&request, error, None),
            (Ok(()), command::READ) => self.read(&request, memory),
            (Ok(()), command::BLOCK_STATUS) => self.block_status(&request),
            (Ok(()), _) => self.acknowledge(&request, self.change(&request)),
        }?;
        Ok(true)
    }

    /// Takes the payload of a write and writes it, letting the next request in as soon as the payload is here.
    fn write(
        &self,
        request: &Request,
        mut input: MutexGuard<'_, Input>,
        memory: &mut Vec<u8>,
    ) -> io::Result<Result<(), ErrorNumber>> {
        let mut at = request.offset;
        loop {
            let length = self.piece(at, request.end());
            let piece = data_of(memory, length);
            io::Read::read_exact(&mut input.stream, piece)?;
            let next = at.saturating_add(Bytes(length as u64));
            let rest = u32::try_from(request.end().saturating_sub(next).0).unwrap_or_default();
            if rest == 0 {
                drop(input);
                let written = self.export.write(at, piece).and_then(|()| self.fua(request));
                return Ok(written.map_err(|error| ErrorNumber::of(&error)));
            }
            if let Err(error) = self.export.write(at, piece) {
                return input.skip(rest).map(|()| Err(ErrorNumber::of(&error)));
            }
            at = next;
        }
    }

    fn fua(&self, request: &Request) -> io::Result<()> {
        if request.has(command_flag::FUA) { self.export.flush() } else { Ok(()) }
    }

    /// What changes the export without a payload.
    fn change(&self, request: &Request) -> Result<(), ErrorNumber> {
        let length = Bytes(request.length.into());
        let changed = match request.command {
            command::FLUSH => self.export.flush(),
            command::TRIM => self.export.trim(request.offset, length),
            _ => self.export.write_zeros(request.offset, length),
        };
        changed.and_then(|()| self.fua(request)).map_err(|error| ErrorNumber::of(&error))
    }

    /// Length of the piece that begins at a byte of a range: to the next multiple of the export's block.
    fn piece(&self, at: Bytes, end: Bytes) -> usize {
        let block = self.export.block_bytes().max(1) as u64;
        let length = (block - at.0 % block).min(end.saturating_sub(at).0);
        usize::try_from(length).unwrap_or_default()
    }

    fn read(&self, request: &Request, memory: &mut Vec<u8>) -> io::Result<()> {
        match self.session.structured {
            true if request.length == 0 => self.send_chunk(request, chunk::DONE, chunk::NONE, &[]),
            true => self.read_in_chunks(request, memory),
            false => self.read_plainly(request, memory),
        }
    }

    /// Each piece is a chunk of its own, and an error takes the place of the one that could not be read.
    fn read_in_chunks(&self, request: &Request, memory: &mut Vec<u8>) -> io::Result<()> {
        if request.has(command_flag::DF)
            && self.piece(request.offset, request.end()) < request.length as usize
        {
            return self.refuse(request, ErrorNumber::Overflow, None);
        }
        let mut at = request.offset;
        while at < request.end() {
            let length = self.piece(at, request.end());
            let next = at.saturating_add(Bytes(length as u64));
            let flags = if next == request.end() { chunk::DONE } else { 0 };
            if self.export.hole(at, next) == (true, next) {
                let length = u32::try_from(length).unwrap_or_default();
                let hole = [&at.0.to_be_bytes()[..], &length.to_be_bytes()].concat();
                self.send_chunk(request, flags, chunk::OFFSET_HOLE, &hole)?;
                at = next;
                continue;
            }
            if let Err(error) = self.export.read(at, data_of(memory, length)) {
                return self.refuse(request, ErrorNumber::of(&error), Some(at));
            }
            let mut header = chunk_header(request, flags, chunk::OFFSET_DATA, length + 8);
            header.extend(at.0.to_be_bytes());
            lock(&self.output).write_all(with_header(memory, &header, length))?;
            at = next;
        }
        Ok(())
    }

    /// All of the data follows a word that says that it is right. When that turns out to be wrong, only the end of the
    /// connection can say so.
    fn read_plainly(&self, request: &Request, memory: &mut Vec<u8>) -> io::Result<()> {
        let mut at = request.offset;
        let mut length = self.piece(at, request.end());
        if let Err(error) = self.export.read(at, data_of(memory, length)) {
            return self.refuse(request, ErrorNumber::of(&error), None);
        }
        let mut output = lock(&self.output);
        output.write_all(with_header(memory, &simple_header(request, 0), length))?;
        loop {
            at = at.saturating_add(Bytes(length as u64));
            if at >= request.end() {
                return Ok(());
            }
            length = self.piece(at, request.end());
            self.export.read(at, data_of(memory, length))?;
            output.write_all(with_header(memory, &[], length))?;
        }
    }

    fn block_status(&self, request: &Request) -> io::Result<()> {
        let most = if request.has(command_flag::REQ_ONE) { 1 } else { MAX_RANGES };
        let mut payload = ALLOCATION_ID.to_be_bytes().to_vec();
        let mut at = request.offset;
        for _ in 0..most {
            if at >= request.end() {
                break;
            }
            let (is_hole, end) = self.export.hole(at, request.end());
            let length = u32::try_from(end.saturating_sub(at).0).unwrap_or_default();
            let flags = if is_hole { allocation::HOLE | allocation::ZERO } else { 0 };
            payload.extend(length.to_be_bytes());
            payload.extend(flags.to_be_bytes());
            at = end.max(at.saturating_add(Bytes(1)));
        }
        self.send_chunk(request, chunk::DONE, chunk::BLOCK_STATUS, &payload)
    }

    fn acknowledge(&self, request: &Request, done: Result<(), ErrorNumber>) -> io::Result<()> {
        match done {
            Ok(()) => lock(&self.output).write_all(&simple_header(request, 0)),
            Err(error) => self.refuse(request, error, None),
        }
    }

    /// Says why not; with the place, where that is known and the client understands it.
    fn refuse(&self, request: &Request, error: ErrorNumber, at: Option<Bytes>) -> io::Result<()> {
        let chunked = matches!(request.command, command::READ | command::BLOCK_STATUS);
        if !self.session.structured || !chunked {
            return lock(&self.output).write_all(&simple_header(request, error as u32));
        }
        let mut payload = (error as u32).to_be_bytes().to_vec();
        payload.extend(0_u16.to_be_bytes());
        let kind = if at.is_some() { chunk::ERROR_OFFSET } else { chunk::ERROR };
        payload.extend(at.map(|at| at.0.to_be_bytes()).into_iter().flatten());
        self.send_chunk(request, chunk::DONE, kind, &payload)
    }

    fn send_chunk(&self, request: &Request, flags: u16, kind: u16, payload: &[u8]) -> io::Result<()> {
        let mut bytes = chunk_header(request, flags, kind, payload.len());
        bytes.extend(payload);
        lock(&self.output).write_all(&bytes)
    }
}

impl Input {
    /// The next request; none from the end of the stream on, or a goodbye.
    fn next(&mut self) -> io::Result<Option<Request>> {
        if self.ended {
            return Ok(None);
        }
        let request = Request::read(&mut self.stream);
        let request = request.map(|request| request.filter(|it| it.command != command::DISCONNECT));
        self.ended = !matches!(request, Ok(Some(_)));
        request
    }

    fn skip(&mut self, length: u32) -> io::Result<()> {
        drain(&mut self.stream, length.into())
    }
}

fn simple_header(request: &Request, error: u32) -> Vec<u8> {
    let mut bytes = SIMPLE_REPLY_MAGIC.to_be_bytes().to_vec();
    bytes.extend(error.to_be_bytes());
    bytes.extend(request.cookie.to_be_bytes());
    bytes
}

fn chunk_header(request: &Request, flags: u16, kind: u16, length: usize) -> Vec<u8> {
    let mut bytes = CHUNK_MAGIC.to_be_bytes().to_vec();
    bytes.extend(flags.to_be_bytes());
    bytes.extend(kind.to_be_bytes());
    bytes.extend(request.cookie.to_be_bytes());
    bytes.extend(u32::try_from(length).unwrap_or_default().to_be_bytes());
    bytes
}

/// The part of a thread's memory that takes data.
fn data_of(memory: &mut Vec<u8>, length: usize) -> &mut [u8] {
    if memory.len() < HEADER_ROOM + length {
        memory.resize(HEADER_ROOM + length, 0);
    }
    memory.get_mut(HEADER_ROOM..HEADER_ROOM + length).unwrap_or_default()
}

/// The data with a header put right in front of it.
fn with_header<'m>(memory: &'m mut [u8], header: &[u8], length: usize) -> &'m [u8] {
    let start = HEADER_ROOM.saturating_sub(header.len());
    if let Some(room) = memory.get_mut(start..HEADER_ROOM) {
        room.copy_from_slice(header);
    }
    memory.get(start..HEADER_ROOM + length).unwrap_or_default()
}

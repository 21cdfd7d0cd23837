//! A client that speaks byte by byte: what it is told, and that nothing it says does harm.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "tests")]

use super::connection::Connection;
use super::handshake::negotiate;
use super::wire::{
    CHUNK_MAGIC, OPTION_MAGIC, OPTION_REPLY_MAGIC, REQUEST_MAGIC, SERVER_MAGIC, SIMPLE_REPLY_MAGIC, chunk,
    command, command_flag, option, option_reply, read_array, read_u32, read_u64,
};
use super::{Ends, Export, Server, Socket, SocketError};
use proptest::prelude::*;
use raid_meta::units::Bytes;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::ops::Range;
use std::os::unix::net::UnixStream;
use std::sync::Mutex;
use std::time::Duration;

const SIZE: usize = 1 << 20;
const BLOCK: usize = 128 << 10;
/// This byte can not be read.
const BAD: usize = 701_000;
/// Zeros and something else, in turn, but for some blocks that are all zeros.
const PAGE: usize = 4096;
const HOLE: Range<usize> = 3 * BLOCK..5 * BLOCK;

/// Bytes in memory, one of them bad.
struct Memory {
    bytes: Mutex<Vec<u8>>,
    writable: bool,
}

impl Memory {
    fn new(writable: bool) -> Self {
        let is_hole = |at: usize| (at / PAGE).is_multiple_of(2) || HOLE.contains(&at);
        let bytes = (0..SIZE).map(|at| if is_hole(at) { 0 } else { (at / 512 % 251) as u8 }).collect();
        Self { bytes: Mutex::new(bytes), writable }
    }

    fn part(&self, offset: Bytes, length: usize, use_it: impl FnOnce(&mut [u8])) -> io::Result<()> {
        let start = offset.0 as usize;
        if (start..start + length).contains(&BAD) {
            return Err(io::Error::other("bad"));
        }
        use_it(&mut self.bytes.lock().unwrap()[start..start + length]);
        Ok(())
    }
}

impl Export for Memory {
    fn name(&self) -> &str {
        "mémoire"
    }

    fn size(&self) -> Bytes {
        Bytes(SIZE as u64)
    }

    fn is_writable(&self) -> bool {
        self.writable
    }

    fn block_bytes(&self) -> usize {
        BLOCK
    }

    fn read(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<()> {
        self.part(offset, buffer.len(), |part| buffer.copy_from_slice(part))
    }

    fn hole(&self, offset: Bytes, end: Bytes) -> (bool, Bytes) {
        let bytes = self.bytes.lock().unwrap();
        let mut zeros = bytes.chunks(PAGE).map(|page| page.iter().all(|byte| *byte == 0));
        let first = offset.0 / PAGE as u64;
        let is_hole = zeros.nth(first as usize).unwrap();
        let more = zeros.take_while(|other| *other == is_hole).count() as u64;
        (is_hole, Bytes((first + 1 + more) * PAGE as u64).min(end))
    }

    fn write(&self, offset: Bytes, bytes: &[u8]) -> io::Result<()> {
        self.part(offset, bytes.len(), |part| part.copy_from_slice(bytes))
    }

    fn write_zeros(&self, offset: Bytes, length: Bytes) -> io::Result<()> {
        self.part(offset, length.0 as usize, |part| part.fill(0))
    }

    fn trim(&self, offset: Bytes, length: Bytes) -> io::Result<()> {
        self.write_zeros(offset, length)
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

fn serve(stream: &mut UnixStream, export: &Memory) -> io::Result<()> {
    if let Some(session) = negotiate(stream, export)? {
        Connection::new(export, session, stream)?.run();
    }
    stream.shutdown(Shutdown::Both)
}

/// Runs a client against a server of its own.
fn with_server<T>(export: &Memory, client: impl FnOnce(UnixStream) -> T) -> T {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    theirs.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || serve(&mut ours, export));
        client(theirs)
    })
}

fn greet(stream: &mut UnixStream, flags: u32) {
    assert_eq!(read_u64(stream).unwrap(), SERVER_MAGIC);
    assert_eq!(read_u64(stream).unwrap(), OPTION_MAGIC);
    assert_eq!(read_array(stream).unwrap(), [0, 3]);
    stream.write_all(&flags.to_be_bytes()).unwrap();
}

fn say(stream: &mut UnixStream, number: u32, data: &[u8]) {
    let mut bytes = OPTION_MAGIC.to_be_bytes().to_vec();
    bytes.extend(number.to_be_bytes());
    bytes.extend((data.len() as u32).to_be_bytes());
    bytes.extend(data);
    stream.write_all(&bytes).unwrap();
}

/// The kind and data of a reply to an option.
fn heard(stream: &mut UnixStream, number: u32) -> (u32, Vec<u8>) {
    assert_eq!(read_u64(stream).unwrap(), OPTION_REPLY_MAGIC);
    assert_eq!(read_u32(stream).unwrap(), number);
    let kind = read_u32(stream).unwrap();
    let mut data = vec![0; read_u32(stream).unwrap() as usize];
    stream.read_exact(&mut data).unwrap();
    (kind, data)
}

/// The data of an option that names an export.
fn naming(name: &str, rest: &[u8]) -> Vec<u8> {
    [&(name.len() as u32).to_be_bytes(), name.as_bytes(), rest].concat()
}

/// Into the transmission, with structured replies and holes or without.
fn enter(stream: &mut UnixStream, structured: bool) {
    greet(stream, 3);
    if structured {
        say(stream, option::STRUCTURED_REPLY, &[]);
        assert_eq!(heard(stream, option::STRUCTURED_REPLY).0, option_reply::ACK);
        let query = [&1_u32.to_be_bytes()[..], &naming("base:allocation", &[])].concat();
        say(stream, option::SET_META_CONTEXT, &naming("", &query));
        assert_eq!(heard(stream, option::SET_META_CONTEXT).0, option_reply::META_CONTEXT);
        assert_eq!(heard(stream, option::SET_META_CONTEXT).0, option_reply::ACK);
    }
    say(stream, option::GO, &naming("mémoire", &[0, 1, 0, 3]));
    let (kind, data) = heard(stream, option::GO);
    assert_eq!((kind, &data[..2]), (option_reply::INFO, [0, 0].as_slice()));
    assert_eq!(data[2..10], (SIZE as u64).to_be_bytes());
    let (kind, data) = heard(stream, option::GO);
    assert_eq!((kind, data.len(), &data[..2]), (option_reply::INFO, 14, [0, 3].as_slice()));
    assert_eq!(heard(stream, option::GO).0, option_reply::ACK);
}

fn ask(stream: &mut UnixStream, command: u16, flags: u16, offset: usize, length: usize) {
    let mut bytes = REQUEST_MAGIC.to_be_bytes().to_vec();
    bytes.extend(flags.to_be_bytes());
    bytes.extend(command.to_be_bytes());
    bytes.extend(77_u64.to_be_bytes());
    bytes.extend((offset as u64).to_be_bytes());
    bytes.extend((length as u32).to_be_bytes());
    stream.write_all(&bytes).unwrap();
}

/// The error of a simple reply.
fn simple(stream: &mut UnixStream) -> u32 {
    assert_eq!(read_u32(stream).unwrap(), SIMPLE_REPLY_MAGIC);
    let error = read_u32(stream).unwrap();
    assert_eq!(read_u64(stream).unwrap(), 77);
    error
}

/// The chunks of a structured reply: kind and payload.
fn chunks(stream: &mut UnixStream) -> Vec<(u16, Vec<u8>)> {
    let mut found = Vec::new();
    loop {
        assert_eq!(read_u32(stream).unwrap(), CHUNK_MAGIC);
        let flags = u16::from_be_bytes(read_array(stream).unwrap());
        let kind = u16::from_be_bytes(read_array(stream).unwrap());
        assert_eq!(read_u64(stream).unwrap(), 77);
        let mut payload = vec![0; read_u32(stream).unwrap() as usize];
        stream.read_exact(&mut payload).unwrap();
        found.push((kind, payload));
        if flags & chunk::DONE != 0 {
            return found;
        }
    }
}

fn is_over(mut stream: UnixStream) -> bool {
    let _ = stream.shutdown(Shutdown::Write);
    has_ended(stream.read_to_end(&mut Vec::new()))
}

/// Whether reading came to the end of the connection, orderly or not, and not of the test's patience.
fn has_ended<T>(read: io::Result<T>) -> bool {
    read.map_or_else(|error| error.kind() == io::ErrorKind::ConnectionReset, |_| true)
}

#[test]
fn a_read_is_answered_in_pieces_or_whole_as_was_agreed() {
    let export = Memory::new(false);
    let (offset, length) = (BLOCK - 1000, 2 * BLOCK);
    let expected = export.bytes.lock().unwrap()[offset..offset + length].to_vec();
    with_server(&export, |mut stream| {
        enter(&mut stream, true);
        ask(&mut stream, command::READ, 0, offset, length);
        let chunks = chunks(&mut stream);
        assert_eq!(chunks.len(), 3);
        let mut found = vec![0; length];
        for (kind, payload) in chunks {
            assert_eq!(kind, chunk::OFFSET_DATA);
            let at = u64::from_be_bytes(payload[..8].try_into().unwrap()) as usize - offset;
            found[at..at + payload.len() - 8].copy_from_slice(&payload[8..]);
        }
        assert!(found == expected);
        assert!(is_over(stream));
    });
    with_server(&export, |mut stream| {
        enter(&mut stream, false);
        ask(&mut stream, command::READ, 0, offset, length);
        assert_eq!(simple(&mut stream), 0);
        let mut found = vec![0; length];
        stream.read_exact(&mut found).unwrap();
        assert!(found == expected);
        ask(&mut stream, command::DISCONNECT, 0, 0, 0);
        assert!(is_over(stream));
    });
}

#[test]
fn a_bad_byte_is_an_error_with_its_place_and_the_connection_goes_on() {
    with_server(&Memory::new(false), |mut stream| {
        enter(&mut stream, true);
        ask(&mut stream, command::READ, 0, BAD - 3 * BLOCK, 4 * BLOCK);
        let answer = chunks(&mut stream);
        let (kind, payload) = answer.last().unwrap();
        assert_eq!((*kind, &payload[..6]), (chunk::ERROR_OFFSET, [0, 0, 0, 5, 0, 0].as_slice()));
        let at = u64::from_be_bytes(payload[6..].try_into().unwrap()) as usize;
        assert!(at <= BAD && BAD < at + BLOCK);
        ask(&mut stream, command::READ, 0, 0, 512);
        assert_eq!(chunks(&mut stream).len(), 1);
    });
    with_server(&Memory::new(false), |mut stream| {
        enter(&mut stream, false);
        ask(&mut stream, command::READ, 0, BAD, 1);
        assert_eq!(simple(&mut stream), 5);
        // Too late for an error: the connection ends before the data is complete.
        ask(&mut stream, command::READ, 0, 0, SIZE);
        assert_eq!(simple(&mut stream), 0);
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert!(rest.len() < SIZE);
    });
}

#[test]
fn what_can_not_be_done_is_refused_and_the_connection_goes_on() {
    let refused: [(u16, u16, usize, usize, u32); 11] = [
        (command::READ, 0, SIZE, 1, 22),
        (command::READ, 0, SIZE - 1, 2, 22),
        (command::READ, 0, usize::MAX, 2, 22),
        (command::READ, command_flag::REQ_ONE, 0, 512, 22),
        (command::TRIM, 0, 0, 512, 1),
        (command::WRITE_ZEROES, 0, 0, 512, 1),
        (command::BLOCK_STATUS, 0, 0, 0, 22),
        (command::BLOCK_STATUS, 0, SIZE, 1, 22),
        (command::READ, command_flag::DF, 1, BLOCK, 75),
        (5, 0, 0, 512, 22),
        (99, 0xffff, 0, 512, 22),
    ];
    with_server(&Memory::new(false), |mut stream| {
        enter(&mut stream, true);
        for (number, flags, offset, length, error) in refused {
            ask(&mut stream, number, flags, offset, length);
            let found = if matches!(number, command::READ | command::BLOCK_STATUS) {
                u32::from_be_bytes(chunks(&mut stream)[0].1[..4].try_into().unwrap())
            } else {
                simple(&mut stream)
            };
            assert_eq!(found, error, "command {number} of {length} at {offset}");
        }
        ask(&mut stream, command::WRITE, 0, 0, 3 * BLOCK);
        stream.write_all(&vec![1; 3 * BLOCK]).unwrap();
        assert_eq!(simple(&mut stream), 1);
        ask(&mut stream, command::FLUSH, 0, 0, 0);
        assert_eq!(simple(&mut stream), 0);
    });
}

#[test]
fn writes_of_any_length_arrive() {
    let export = Memory::new(true);
    with_server(&export, |mut stream| {
        enter(&mut stream, true);
        ask(&mut stream, command::WRITE, command_flag::FUA, 1000, 4 * BLOCK);
        stream.write_all(&vec![200; 4 * BLOCK]).unwrap();
        assert_eq!(simple(&mut stream), 0);
        ask(&mut stream, command::WRITE_ZEROES, command_flag::NO_HOLE, 2000, 3000);
        assert_eq!(simple(&mut stream), 0);
        // A part that fails in the middle: the rest of the payload is not taken for requests.
        ask(&mut stream, command::WRITE, 0, BAD - BLOCK, 3 * BLOCK);
        stream.write_all(&vec![3; 3 * BLOCK]).unwrap();
        assert_eq!(simple(&mut stream), 5);
        ask(&mut stream, command::WRITE, 0, SIZE - 1, 2);
        stream.write_all(&[1, 2]).unwrap();
        assert_eq!(simple(&mut stream), 28);
        ask(&mut stream, command::FLUSH, 0, 0, 0);
        assert_eq!(simple(&mut stream), 0);
    });
    let bytes = export.bytes.lock().unwrap();
    assert!(bytes[1000..2000].iter().all(|byte| *byte == 200));
    assert!(bytes[2000..5000].iter().all(|byte| *byte == 0));
    assert!(bytes[5000..4 * BLOCK + 1000].iter().all(|byte| *byte == 200));
    assert_eq!(bytes[SIZE - 1], ((SIZE - 1) / 512 % 251) as u8);
}

#[test]
fn holes_are_told_range_by_range() {
    with_server(&Memory::new(false), |mut stream| {
        enter(&mut stream, true);
        ask(&mut stream, command::BLOCK_STATUS, 0, 4000, 9000);
        let answer = chunks(&mut stream);
        let fields: Vec<u32> =
            answer[0].1.chunks(4).map(|field| u32::from_be_bytes(field.try_into().unwrap())).collect();
        assert_eq!(fields, [1, 96, 3, 4096, 0, 4096, 3, 712, 0]);
        ask(&mut stream, command::BLOCK_STATUS, command_flag::REQ_ONE, 0, SIZE);
        assert_eq!(chunks(&mut stream)[0].1.len(), 12);
        // As many ranges as there are would be an answer that the client sizes.
        ask(&mut stream, command::BLOCK_STATUS, 0, 0, SIZE);
        assert!(chunks(&mut stream)[0].1.len() <= 4 + 512 * 8);
    });
}

#[test]
fn a_read_of_a_hole_is_answered_without_its_zeros() {
    with_server(&Memory::new(false), |mut stream| {
        enter(&mut stream, true);
        ask(&mut stream, command::READ, 0, HOLE.start - BLOCK, HOLE.len() + BLOCK);
        let answer = chunks(&mut stream);
        let kinds: Vec<u16> = answer.iter().map(|(kind, _)| *kind).collect();
        let (data, hole) = (chunk::OFFSET_DATA, chunk::OFFSET_HOLE);
        assert_eq!(kinds, [data, hole, hole]);
        for (number, (_, payload)) in (0..).zip(&answer[1..3]) {
            let place = (HOLE.start + number * BLOCK) as u64;
            assert_eq!(*payload, [&place.to_be_bytes()[..], &(BLOCK as u32).to_be_bytes()].concat());
        }
    });
}

#[test]
fn options_that_there_are_not_and_names_that_are_wrong_are_refused() {
    with_server(&Memory::new(false), |mut stream| {
        greet(&mut stream, 3);
        for (number, data, kind) in [
            (5, vec![], option_reply::UNSUPPORTED),
            (4711, vec![1, 2, 3], option_reply::UNSUPPORTED),
            (option::GO, naming("other", &[0, 0]), option_reply::UNKNOWN),
            (option::GO, naming("", &[0, 1]), option_reply::INVALID),
            (option::GO, vec![255; 4], option_reply::INVALID),
            (option::INFO, naming("", &[0, 0, 7]), option_reply::INVALID),
            (option::LIST, vec![0], option_reply::INVALID),
            (option::STRUCTURED_REPLY, vec![0], option_reply::INVALID),
            (option::SET_META_CONTEXT, naming("", &[0, 0, 0, 0]), option_reply::INVALID),
            (option::SET_META_CONTEXT, naming("", &[255; 4]), option_reply::INVALID),
            (option::GO, vec![0; 100_000], option_reply::TOO_BIG),
        ] {
            say(&mut stream, number, &data);
            assert_eq!(heard(&mut stream, number).0, kind, "option {number}, {} bytes", data.len());
        }
        say(&mut stream, option::LIST, &[]);
        let (kind, entry) = heard(&mut stream, option::LIST);
        assert_eq!((kind, &entry[4..]), (option_reply::SERVER, "mémoire".as_bytes()));
        assert_eq!(heard(&mut stream, option::LIST).0, option_reply::ACK);
        say(&mut stream, option::ABORT, &[]);
        assert_eq!(heard(&mut stream, option::ABORT).0, option_reply::ACK);
        assert!(is_over(stream));
    });
}

#[test]
fn the_oldest_way_to_choose_works_too() {
    with_server(&Memory::new(false), |mut stream| {
        greet(&mut stream, 1);
        say(&mut stream, option::EXPORT_NAME, b"");
        let reply: [u8; 134] = read_array(&mut stream).unwrap();
        assert_eq!(reply[..8], (SIZE as u64).to_be_bytes());
        ask(&mut stream, command::READ, 0, PAGE, 4);
        assert_eq!(simple(&mut stream), 0);
        assert_eq!(read_array(&mut stream).unwrap(), [8; 4]);
    });
}

#[test]
fn what_breaks_the_protocol_ends_the_connection() {
    for bytes in [vec![0; 64], vec![255; 64], [&3_u32.to_be_bytes()[..], &[7; 64]].concat()] {
        with_server(&Memory::new(true), |mut stream| {
            stream.write_all(&bytes).unwrap();
            assert!(is_over(stream));
        });
    }
    with_server(&Memory::new(true), |mut stream| {
        enter(&mut stream, true);
        stream.write_all(&[9; 28]).unwrap();
        assert!(is_over(stream));
    });
}

fn words() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just(OPTION_MAGIC.to_be_bytes().to_vec()),
        Just(REQUEST_MAGIC.to_be_bytes().to_vec()),
        (0_u32..12).prop_map(|number| number.to_be_bytes().to_vec()),
        (0_u16..8).prop_map(|number| number.to_be_bytes().to_vec()),
        any::<u32>().prop_map(|number| number.to_be_bytes().to_vec()),
        (0..2 * SIZE as u64).prop_map(|number| number.to_be_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..40),
    ];
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn no_bytes_of_a_client_do_harm(first in any::<bool>(), bytes in words()) {
        let export = Memory::new(true);
        let over = with_server(&export, |mut stream| {
            let mut reader = stream.try_clone().unwrap();
            let sink = std::thread::spawn(move || has_ended(io::copy(&mut reader, &mut io::sink())));
            if first {
                let _ = stream.write_all(&3_u32.to_be_bytes());
            }
            let _ = stream.write_all(&bytes);
            let _ = stream.shutdown(Shutdown::Write);
            sink.join().unwrap()
        });
        prop_assert!(over);
    }

    #[test]
    fn no_requests_of_a_client_do_harm(structured in any::<bool>(), bytes in words()) {
        let export = Memory::new(true);
        let over = with_server(&export, |mut stream| {
            enter(&mut stream, structured);
            let mut reader = stream.try_clone().unwrap();
            let sink = std::thread::spawn(move || has_ended(io::copy(&mut reader, &mut io::sink())));
            let _ = stream.write_all(&REQUEST_MAGIC.to_be_bytes());
            let _ = stream.write_all(&bytes);
            let _ = stream.shutdown(Shutdown::Write);
            sink.join().unwrap()
        });
        prop_assert!(over);
    }
}

#[test]
fn a_socket_replaces_a_dead_one_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let first = Socket::listen(&path).unwrap();
    assert!(matches!(Socket::listen(&path), Err(SocketError::InUse { .. })));
    drop(first);
    assert!(!path.exists());
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    drop(Socket::listen(&path).unwrap());
    std::fs::write(&path, "text").unwrap();
    assert!(matches!(Socket::listen(&path), Err(SocketError::Exists { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), b"text");
    let nowhere = Socket::listen(&directory.path().join("no/socket")).unwrap_err();
    assert!(nowhere.to_string().contains("no/socket"), "{nowhere}");
}

#[test]
fn a_server_ends_with_its_last_client_when_told_so() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let server = Server::new(Socket::listen(&path).unwrap()).unwrap();
    let export = Memory::new(false);
    std::thread::scope(|scope| {
        let running = scope.spawn(|| server.run(&export, Ends::WithLastClient));
        let mut one = UnixStream::connect(&path).unwrap();
        let mut two = UnixStream::connect(&path).unwrap();
        enter(&mut one, true);
        enter(&mut two, false);
        drop(one);
        ask(&mut two, command::READ, 0, 0, 1);
        assert_eq!(simple(&mut two), 0);
        drop(two);
        running.join().unwrap().unwrap();
    });
    assert!(!path.exists());
}

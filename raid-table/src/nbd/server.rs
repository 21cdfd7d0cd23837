//! Clients come and go, until a signal or the last one of them ends it.

use super::connection::Connection;
use super::handshake::negotiate;
use super::{Export, Socket};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};
use std::thread::Scope;
use std::time::Duration;

/// Connections at a time. Further clients wait in the queue of the socket.
const MAX_CONNECTIONS: usize = 16;
/// How long a client may think about its next option.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(60);
/// How long clients may take to receive the replies to what they have asked for, when the server is told to end.
const END_PATIENCE: Duration = Duration::from_secs(2);

/// When a server ends, beside a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Only then.
    WithSignal,
    /// When the last client has left.
    WithLastClient,
}

/// Why a server can not go on.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {error}")]
pub struct ServerError {
    what: &'static str,
    error: io::Error,
}

fn failed<E: Into<io::Error>>(what: &'static str) -> impl FnOnce(E) -> ServerError {
    move |error| ServerError { what, error: error.into() }
}

/// A server that is ready to be run.
///
/// From its making on, the thread that made it and those that it starts get SIGINT, SIGTERM and SIGHUP only through it.
pub struct Server {
    socket: Socket,
    signals: SignalFd,
    /// Written to by connections that end.
    ended: (UnixStream, UnixStream),
}

/// The streams of the clients that are here, so that they can be sent away.
type Clients = Mutex<HashMap<u64, UnixStream>>;

impl Server {
    /// Takes the signals that end a server.
    ///
    /// # Errors
    /// The system refuses.
    pub fn new(socket: Socket) -> Result<Self, ServerError> {
        let mut set = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            set.add(signal);
        }
        set.thread_block().map_err(failed("signals"))?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let signals = SignalFd::with_flags(&set, flags).map_err(failed("signals"))?;
        let ended = UnixStream::pair().map_err(failed("a pair of sockets"))?;
        ended.0.set_nonblocking(true).map_err(failed("a pair of sockets"))?;
        Ok(Self { socket, signals, ended })
    }

    /// Serves until the end; requests that were read by then are answered, and what was written is made durable.
    ///
    /// # Errors
    /// The system refuses, or what was written can not be made durable.
    pub fn run(self, export: &dyn Export, ends: Ends) -> Result<(), ServerError> {
        let clients = Clients::default();
        let served = std::thread::scope(|scope| {
            let served = self.accept_all(scope, export, ends, &clients);
            self.send_away(&clients);
            served
        });
        drop(self.socket);
        served.and(export.flush().map_err(failed("what was written can not be made durable")))
    }

    fn accept_all<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        export: &'scope dyn Export,
        ends: Ends,
        clients: &'scope Clients,
    ) -> Result<(), ServerError> {
        let mut number = 0;
        loop {
            let here = count(clients);
            if number > 0 && here == 0 && ends == Ends::WithLastClient && !self.has_waiting() {
                return Ok(());
            }
            let woken = self.wait(here < MAX_CONNECTIONS, PollTimeout::NONE)?;
            if woken.signal {
                return Ok(());
            }
            let accepted = if woken.client { self.socket.listener.accept() } else { continue };
            let Ok((stream, _)) = accepted else {
                // The client has gone again, or there are no descriptors left for it at this moment.
                std::thread::sleep(Duration::from_millis(10));
                continue;
            };
            number += 1;
            if let Ok(copy) = stream.try_clone() {
                clients.lock().unwrap_or_else(PoisonError::into_inner).insert(number, copy);
                scope.spawn(move || self.serve(number, stream, export, clients));
            }
        }
    }

    /// One client from its first byte to its last.
    fn serve(&self, number: u64, mut stream: UnixStream, export: &dyn Export, clients: &Clients) {
        // Whoever breaks the protocol is left alone; the others go on.
        let _ = converse(&mut stream, export);
        clients.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
        let _ = (&self.ended.1).write(&[0]);
    }

    fn has_waiting(&self) -> bool {
        self.wait(true, PollTimeout::ZERO).is_ok_and(|woken| woken.client)
    }

    fn wait(&self, for_clients: bool, timeout: PollTimeout) -> Result<Woken, ServerError> {
        let mut descriptors = vec![
            PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.ended.0.as_fd(), PollFlags::POLLIN),
        ];
        if for_clients {
            descriptors.push(PollFd::new(self.socket.listener.as_fd(), PollFlags::POLLIN));
        }
        match poll(&mut descriptors, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(failed("poll")(error)),
        }
        let is_ready = |index: usize| descriptors.get(index).and_then(PollFd::any).unwrap_or(false);
        let woken = Woken { signal: is_ready(0), client: is_ready(2) };
        if is_ready(1) {
            let _ = (&self.ended.0).read(&mut [0; 64]);
        }
        Ok(woken)
    }

    /// Takes no more requests, and after a while no longer waits for replies to be received.
    fn send_away(&self, clients: &Clients) {
        let shut = |how| {
            for stream in clients.lock().unwrap_or_else(PoisonError::into_inner).values() {
                let _ = stream.shutdown(how);
            }
        };
        shut(Shutdown::Read);
        let deadline = std::time::Instant::now() + END_PATIENCE;
        while count(clients) > 0 && std::time::Instant::now() < deadline {
            let _ = self.wait(false, PollTimeout::from(50_u8));
            std::thread::sleep(Duration::from_millis(2));
        }
        shut(Shutdown::Both);
    }
}

/// What there is to do.
struct Woken {
    signal: bool,
    client: bool,
}

fn count(clients: &Clients) -> usize {
    clients.lock().unwrap_or_else(PoisonError::into_inner).len()
}

fn converse(stream: &mut UnixStream, export: &dyn Export) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(HANDSHAKE_PATIENCE))?;
    stream.set_write_timeout(Some(HANDSHAKE_PATIENCE))?;
    let Some(session) = negotiate(stream, export)? else { return Ok(()) };
    stream.set_read_timeout(None)?;
    stream.set_write_timeout(None)?;
    Connection::new(export, session, stream)?.run();
    Ok(())
}

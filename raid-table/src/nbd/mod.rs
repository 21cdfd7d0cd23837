//! A network block device on a unix socket.
//!
//! The server side of the NBD protocol as its specification has it (`doc/proto.md` of the reference implementation): the
//! fixed newstyle handshake, structured replies, and the allocation of blocks, which is what qemu, libnbd and the kernel's
//! client speak. No TLS and one export: whoever may open the socket may read the array.
//!
//! What a client says is hostile: lengths are bounded before memory is taken, ranges are checked before they reach the
//! [`Export`], and what breaks the protocol ends that connection and no other. Memory is bounded by the number of
//! connections and of requests that each has in work, not by the size of the export or of a request.

mod connection;
mod handshake;
mod request;
mod server;
mod socket;
#[cfg(test)]
mod tests;
mod wire;

pub use server::{Ends, Server, ServerError};
pub use socket::{Socket, SocketError};

use raid_meta::units::Bytes;
use std::io;

/// What is served. Many threads ask at once.
pub trait Export: Send + Sync {
    /// The name by which clients may ask for it; the empty name does as well.
    fn name(&self) -> &str;

    /// Its size.
    fn size(&self) -> Bytes;

    /// Whether it can be written.
    fn is_writable(&self) -> bool;

    /// Bytes, a power of two or not, that are best read together. Long requests are read in pieces that end at multiples
    /// of it, so it bounds the memory for one.
    fn block_bytes(&self) -> usize;

    /// Fills a buffer. The range is inside the export.
    ///
    /// # Errors
    /// What the client is told in its own few words; the export says the rest itself.
    fn read(&self, offset: Bytes, buffer: &mut [u8]) -> io::Result<()>;

    /// Whether the byte at `offset` is known to be part of a hole, which reads as zeros, and where that ends, at most at
    /// `end`.
    fn hole(&self, offset: Bytes, end: Bytes) -> (bool, Bytes);

    /// Writes bytes. The range is inside the export.
    ///
    /// # Errors
    /// As [`Export::read`].
    fn write(&self, offset: Bytes, bytes: &[u8]) -> io::Result<()>;

    /// Writes zeros, which need take no room.
    ///
    /// # Errors
    /// As [`Export::read`].
    fn write_zeros(&self, offset: Bytes, length: Bytes) -> io::Result<()>;

    /// Forgets what a range holds.
    ///
    /// # Errors
    /// As [`Export::read`].
    fn trim(&self, offset: Bytes, length: Bytes) -> io::Result<()>;

    /// Makes durable what was written so far, by whomever.
    ///
    /// # Errors
    /// As [`Export::read`].
    fn flush(&self) -> io::Result<()>;
}

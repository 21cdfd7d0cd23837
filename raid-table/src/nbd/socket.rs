//! The socket that clients come to.

use raid_meta::escape::path_to_text;
use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Another server listens there.
    #[error("{path}: a server listens on this socket already")]
    InUse {
        /// The socket.
        path: String,
    },
    /// Something else is there.
    #[error("{path}: is there already and is no socket, not replaced")]
    Exists {
        /// What is there.
        path: String,
    },
    /// The system refuses.
    #[error("{path}: {error}")]
    Io {
        /// The socket.
        path: String,
        /// Why.
        error: io::Error,
    },
}

/// A socket that is listened on, and removed when this goes.
#[derive(Debug)]
pub struct Socket {
    pub(super) listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Makes a socket. One that a server left behind is replaced, one that is listened on is not.
    ///
    /// # Errors
    /// Something is there, or the system refuses.
    pub fn listen(path: &Path) -> Result<Self, SocketError> {
        let text = || path_to_text(path);
        let io = |error| SocketError::Io { path: text(), error };
        if let Ok(found) = fs::symlink_metadata(path) {
            if !found.file_type().is_socket() {
                return Err(SocketError::Exists { path: text() });
            }
            match UnixStream::connect(path) {
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                    fs::remove_file(path).map_err(io)?;
                }
                Ok(_) => return Err(SocketError::InUse { path: text() }),
                Err(error) => return Err(io(error)),
            }
        }
        let listener = UnixListener::bind(path).map_err(io)?;
        let socket = Self { listener, path: path.to_owned() };
        socket.listener.set_nonblocking(true).map_err(io)?;
        Ok(socket)
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // When somebody has removed it before, it is gone as it should be.
        let _ = fs::remove_file(&self.path);
    }
}

//! `raid-table serve`: an array as a network block device.

use super::export::ArrayExport;
use super::read::open_volume;
use crate::nbd::{Ends, Export, Server, ServerError, Socket, SocketError};
use crate::overlay::{Identity, OverlayError, OverlayFile};
use crate::volume::OpenOptions;
use clap::Args;
use raid_meta::cli::{Console, EXIT_STATUS_HELP, Exit, Failure, SourceArgs};
use raid_meta::escape::path_to_text;
use raid_meta::geometry::Layout;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  raid-probe *.img | raid-table serve --array md_data --socket /tmp/md.sock &
  qemu-img convert nbd+unix:///?socket=/tmp/md.sock data.qcow2
  nbdcopy nbd+unix:///?socket=/tmp/md.sock data.img
  nbdfuse data.d nbd+unix:///?socket=/tmp/md.sock";

/// Longest piece of a request that is read at once.
const LARGEST_BLOCK: usize = 1 << 20;

/// Serve an array as a network block device on a unix socket
///
/// qemu, libnbd's tools and the kernel's client read the array there, without root; computed where
/// members are missing. What can not be read truly is an I/O error to the client and a line here. Nothing is ever
/// written to the members: without --overlay the device can not be written, with it a file takes what is written.
///
/// A line says when clients may come. SIGINT, SIGTERM and SIGHUP end the server: what was asked for is answered, what
/// was written is made durable, and the socket is removed.
#[derive(Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{EXIT_STATUS_HELP}"))]
pub(super) struct Serve {
    #[command(flatten)]
    source: SourceArgs,

    #[command(flatten)]
    degraded: super::DegradedArgs,

    /// Array to serve: its name, uuid, or volume
    #[arg(long, value_name = "ARRAY")]
    array: Option<String>,

    /// Where to listen: a path that is not there, or a socket that nobody listens on any more
    #[arg(long, value_name = "SOCKET")]
    socket: PathBuf,

    /// Let clients write, into this file: made if it is not there, used again by the same array
    #[arg(long, value_name = "FILE")]
    overlay: Option<PathBuf>,

    /// End when the last client has left
    #[arg(long)]
    once: bool,

    /// Layout of a raid0 whose members differ in size, where the metadata does not record it
    #[arg(long, value_name = "LAYOUT", value_parser = ["original", "alternate"])]
    layout: Option<String>,

    /// Serve what would be refused: stale members and sectors that are not trusted, where nothing better is there
    #[arg(long)]
    force: bool,
}

impl Serve {
    pub(super) fn run(self, console: &mut Console) -> anyhow::Result<Exit> {
        let _ = &self.degraded;
        super::check_instructions(console);
        let source = self.source.load(console)?;
        let array = source.array(self.array.as_deref())?;
        let layout = self.layout.as_deref().and_then(|name| name.parse::<Layout>().ok());
        let options = OpenOptions { force: self.force, raid0_layout: layout };
        let volume = open_volume(array, &source.arrays, &self.source.devices, options)?;
        let size = raid_meta::device::ReadAt::size(&volume);
        let block = volume.block_bytes(LARGEST_BLOCK);
        let messenger = console.messenger();
        let open = |path| OverlayFile::open(path, &Identity::of(array), size).map_err(overlay_failure);
        let overlay = self.overlay.as_deref().map(open).transpose()?;
        let export = ArrayExport::new(&array.name, volume, overlay, block, messenger);
        let socket = Socket::listen(&self.socket).map_err(socket_failure)?;
        let server = Server::new(socket).map_err(server_failure)?;
        self.announce(console, &export);
        let ends = if self.once { Ends::WithLastClient } else { Ends::WithSignal };
        server.run(&export, ends).map_err(server_failure)?;
        Ok(source.exit(Exit::Done))
    }

    fn announce(&self, console: &Console, export: &ArrayExport) {
        let how = if export.is_writable() { "writes go to the overlay" } else { "read-only" };
        let (name, size, socket) = (export.name(), export.size(), path_to_text(&self.socket));
        console.say(format_args!("{name}: {size} bytes, {how}, served at nbd+unix:///?socket={socket}"));
    }
}

fn overlay_failure(error: OverlayError) -> Failure {
    let exit = match error {
        OverlayError::Io { .. } | OverlayError::TooLarge { .. } => Exit::System,
        OverlayError::NoOverlay { .. } | OverlayError::OtherArray { .. } | OverlayError::InUse { .. } => {
            Exit::No
        }
    };
    Failure::new(exit, error.to_string())
}

fn socket_failure(error: SocketError) -> Failure {
    let exit = match error {
        SocketError::Io { .. } => Exit::System,
        SocketError::InUse { .. } | SocketError::Exists { .. } => Exit::No,
    };
    Failure::new(exit, error.to_string())
}

fn server_failure(error: ServerError) -> Failure {
    Failure::new(Exit::System, error.to_string())
}

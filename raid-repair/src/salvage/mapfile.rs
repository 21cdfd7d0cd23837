//! The map of the array in ddrescue's format, and back.
//!
//! What is in the image is `+`, however it was obtained; lost is `-`, not tried yet `?`, and to be tried in smaller pieces `/`.
//! What was not read as it is from a current member is named in comments before the blocks, which other programs pass
//! over: `# reconstructed START LENGTH`, `# unsynchronised …`, `# stale …`, in order. Another comment says which array it
//! is: `# raid-array IDENTITY`; and of an image that is a disk another one which, `# raid-device SERIAL`.

use super::account::{Account, Piece, State, TooMany};
use super::{MAX_PIECES, SalvageError, Target};
use raid_meta::escape::{escape, path_to_text};
use raid_meta::rescue::{Block, Line, Status, read_map};
use raid_meta::units::{Bytes, SECTOR_BYTES};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

/// States that have a comment for each piece, and the word of it.
const MARKS: [(State, &str); 3] = [
    (State::Reconstructed, "reconstructed"),
    (State::Unsynchronised, "unsynchronised"),
    (State::Stale, "stale"),
];
const IDENTITY: &str = "raid-array";
const DEVICE: &str = "raid-device";
/// Longest serial number that is kept.
const MAX_SERIAL: usize = 200;

/// The beginning of an array as one account has it, the rest as another.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) beginning: &'a Account,
    pub(super) rest: &'a Account,
}

impl<'a> View<'a> {
    fn pieces(self) -> impl Iterator<Item = Piece> + 'a {
        let Self { beginning, rest } = self;
        beginning.pieces().chain(rest.pieces_in(beginning.end(), rest.end()))
    }
}

/// Saves a map, so that at any time either the old or the new one is there.
pub(super) fn save(target: &Target, identity: &str, view: View<'_>) -> io::Result<()> {
    let path = &target.map;
    let temporary = beside(path);
    let mut file = BufWriter::new(File::create(&temporary)?);
    let version = env!("CARGO_PKG_VERSION");
    writeln!(file, "# Mapfile. Created by raid-repair salvage version {version}")?;
    writeln!(file, "# {IDENTITY} {identity}")?;
    if let Some(serial) = serial(target) {
        writeln!(file, "# {DEVICE} {serial}")?;
    }
    write(&mut file, view)?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    fs::rename(&temporary, path)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

/// The name under which a map is made.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

/// The serial number of the disk that the image is, as it is in the map.
fn serial(target: &Target) -> Option<String> {
    let serial = target.serial.as_deref().map(str::trim).filter(|serial| !serial.is_empty());
    serial.map(|serial| escape(serial.as_bytes()).chars().take(MAX_SERIAL).collect())
}

fn write(file: &mut impl Write, view: View<'_>) -> io::Result<()> {
    for piece in view.pieces() {
        if let Some((_, word)) = MARKS.iter().find(|(state, _)| *state == piece.state) {
            let (start, length) = (piece.start * SECTOR_BYTES, piece.length * SECTOR_BYTES);
            writeln!(file, "# {word} 0x{start:08X} 0x{length:08X}")?;
        }
    }
    let is_open = |piece: &Piece| matches!(piece.state, State::Untried | State::Later);
    let open = view.pieces().find(is_open);
    let (position, doing) = open.map_or((0, '+'), |piece| (piece.start * SECTOR_BYTES, '?'));
    writeln!(file, "# current_pos  current_status  current_pass")?;
    writeln!(file, "0x{position:08X}     {doing}               1")?;
    writeln!(file, "#      pos        size  status")?;
    let mut block: Option<(u64, u64, Status)> = None;
    for piece in view.pieces() {
        let status = status(piece.state);
        block = match block {
            Some((start, _, before)) if before == status => Some((start, piece.end(), status)),
            _ => {
                write_block(file, block)?;
                Some((piece.start, piece.end(), status))
            }
        };
    }
    write_block(file, block)
}

fn write_block(file: &mut impl Write, block: Option<(u64, u64, Status)>) -> io::Result<()> {
    let Some((start, end, status)) = block else { return Ok(()) };
    let (start, length) = (start * SECTOR_BYTES, (end - start) * SECTOR_BYTES);
    writeln!(file, "0x{start:08X}  0x{length:08X}  {}", status.symbol())
}

fn status(state: State) -> Status {
    match state {
        State::Untried => Status::Untried,
        State::Later => Status::Unscraped,
        State::Lost => Status::Bad,
        _ => Status::Finished,
    }
}

/// Reads a map of an array of that identity and size. What is not in the image is to be tried again.
pub(super) fn load(target: &Target, identity: &str, size: u64) -> Result<Account, SalvageError> {
    let path = &target.map;
    let name = path_to_text(path);
    let file = File::open(path).map_err(|error| SalvageError::MapIo { map: name.clone(), error })?;
    let mut reading = Reading::default();
    read_map(&name, BufReader::new(file), |line| match line {
        Line::Comment(comment) => reading.comment(comment),
        Line::Block(block) => reading.block(block),
    })?;
    let found = reading.identity.ok_or_else(|| SalvageError::NotOurs { map: name.clone() })?;
    if found != identity {
        let expected = identity.to_owned();
        return Err(SalvageError::OtherArray { map: name, found, expected });
    }
    if let (Some(found), Some(expected)) = (reading.device, serial(target))
        && found != expected
    {
        let image = path_to_text(&target.image);
        return Err(SalvageError::OtherDevice { map: name, found, image, expected });
    }
    if reading.account.end() != size {
        let bytes = |sectors: u64| Bytes(sectors.saturating_mul(SECTOR_BYTES));
        let (found, expected) = (bytes(reading.account.end()), bytes(size));
        return Err(SalvageError::OtherSize { map: name, found, expected });
    }
    Ok(reading.account)
}

/// What the lines so far came to.
#[derive(Default)]
struct Reading {
    /// What the comments say: pieces with a mark, and between them good ones.
    marks: Account,
    account: Account,
    identity: Option<String>,
    device: Option<String>,
}

fn too_many(_: TooMany) -> String {
    format!("more than {MAX_PIECES} pieces, which is more than can be kept")
}

impl Reading {
    fn comment(&mut self, comment: &str) -> Result<(), String> {
        let Some((word, rest)) = comment.trim().split_once(' ') else { return Ok(()) };
        match word {
            IDENTITY => self.identity = Some(rest.to_owned()),
            DEVICE => self.device = Some(rest.to_owned()),
            _ => {}
        }
        let Some((state, _)) = MARKS.iter().find(|(_, mark)| *mark == word) else { return Ok(()) };
        let number = |text: &str| u64::from_str_radix(text.strip_prefix("0x")?, 16).ok();
        let numbers = rest.split_once(' ').and_then(|(start, length)| number(start).zip(number(length)));
        let (start, length) = numbers.ok_or_else(|| format!("expected \"# {word} 0xSTART 0xLENGTH\""))?;
        let (start, length) = sectors(start, length)?;
        let gap =
            start.checked_sub(self.marks.end()).ok_or("begins before the end of what comes before it")?;
        self.marks.push(gap, State::Good).and_then(|()| self.marks.push(length, *state)).map_err(too_many)
    }

    fn block(&mut self, block: Block) -> Result<(), String> {
        let (start, length) = sectors(block.start.0, block.length.0)?;
        let gap = start.saturating_sub(self.account.end());
        self.account.push(gap, State::Untried).map_err(too_many)?;
        if block.status != Status::Finished {
            let state = if block.status == Status::Bad { State::Lost } else { State::Untried };
            return self.account.push(length, state).map_err(too_many);
        }
        let end = start.saturating_add(length);
        for piece in self.marks.pieces_in(start, end) {
            self.account.push(piece.length, piece.state).map_err(too_many)?;
        }
        let rest = end.saturating_sub(self.account.end());
        self.account.push(rest, State::Good).map_err(too_many)
    }
}

fn sectors(start: u64, length: u64) -> Result<(u64, u64), String> {
    if start.is_multiple_of(SECTOR_BYTES) && length.is_multiple_of(SECTOR_BYTES) {
        return Ok((start / SECTOR_BYTES, length / SECTOR_BYTES));
    }
    Err(format!("{length:#x} bytes at {start:#x} are not whole sectors"))
}

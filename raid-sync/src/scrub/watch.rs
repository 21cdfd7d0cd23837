//! What happens when a page of a file that is looked at in memory can not be had.
//!
//! The file was cut off, or the disk below does not give the page again after it went. The system says so with SIGBUS. Where
//! that happens in memory that is watched, the page becomes zeros and the watch is broken; whoever watches throws
//! away what was seen there. Anywhere else it is what it was before.

use nix::errno::Errno;
use nix::libc::{self, c_int, c_void, siginfo_t};
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction};
use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, compiler_fence};

/// Ranges that can be watched at the same time: more than there are threads.
const RANGES: usize = 64;

static WATCHED: [Range; RANGES] = [const { Range::new() }; RANGES];

/// What was done about the signal before.
static BEFORE: OnceLock<Option<SigAction>> = OnceLock::new();

/// Memory that is watched; none where the end is zero.
struct Range {
    taken: AtomicBool,
    start: AtomicUsize,
    end: AtomicUsize,
    broken: AtomicBool,
}

impl Range {
    const fn new() -> Self {
        Self {
            taken: AtomicBool::new(false),
            start: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
        }
    }

    fn has(&self, address: usize) -> bool {
        let end = self.end.load(Ordering::Acquire);
        let start = self.start.load(Ordering::Acquire);
        // Somebody else may be taking it, or leaving it.
        end == self.end.load(Ordering::Acquire) && (start..end).contains(&address)
    }
}

/// Memory in which a page that can not be had becomes zeros.
pub(super) struct Watch(&'static Range);

impl Watch {
    /// Watches memory that the caller has mapped, until the value goes; none where that can not be had.
    pub(super) fn new(start: usize, length: usize) -> Option<Self> {
        BEFORE.get_or_init(install).as_ref()?;
        let range = WATCHED.iter().find(|range| !range.taken.swap(true, Ordering::AcqRel))?;
        range.broken.store(false, Ordering::Release);
        range.start.store(start, Ordering::Release);
        range.end.store(start.saturating_add(length), Ordering::Release);
        Some(Self(range))
    }

    /// Whether a page could not be had since the watch began or was mended.
    pub(super) fn is_broken(&self) -> bool {
        // The signal came in this thread, in the middle of what it read before.
        compiler_fence(Ordering::SeqCst);
        self.0.broken.load(Ordering::Acquire)
    }

    /// What was broken is not looked at any more.
    pub(super) fn mend(&self) {
        self.0.broken.store(false, Ordering::Release);
        compiler_fence(Ordering::SeqCst);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.end.store(0, Ordering::Release);
        self.0.taken.store(false, Ordering::Release);
    }
}

/// Bytes of a page of memory.
pub(super) fn page_length() -> Option<usize> {
    static LENGTH: OnceLock<Option<usize>> = OnceLock::new();
    *LENGTH.get_or_init(|| {
        #[allow(unsafe_code, reason = "a question without pointers")]
        // SAFETY: takes and gives numbers.
        let length = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        usize::try_from(length).ok().filter(|length| length.is_power_of_two())
    })
}

fn install() -> Option<SigAction> {
    page_length()?;
    let flags = SaFlags::SA_SIGINFO | SaFlags::SA_ONSTACK | SaFlags::SA_RESTART;
    let action = SigAction::new(SigHandler::SigAction(bus_error), flags, SigSet::empty());
    #[allow(unsafe_code, reason = "there is no other way to hear of the signal")]
    // SAFETY: the handler does what a handler may: atomics, and mmap and sigaction, which are system calls.
    unsafe { sigaction(Signal::SIGBUS, &action) }.ok()
}

#[allow(unsafe_code, reason = "a signal handler is given a pointer")]
extern "C" fn bus_error(_signal: c_int, info: *mut siginfo_t, _context: *mut c_void) {
    let error = Errno::last();
    // SAFETY: the system gives a handler with SA_SIGINFO a valid pointer; the address is set for positive codes.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr().addr()) };
    let range = WATCHED.iter().find(|range| code > 0 && range.has(address));
    match range.map(|range| (range, put_zeros(address))) {
        Some((range, Some(()))) => range.broken.store(true, Ordering::Release),
        _ => as_before(code),
    }
    error.set();
}

/// Puts a page of zeros in place of the one that can not be had.
fn put_zeros(address: usize) -> Option<()> {
    let page = NonZeroUsize::new(page_length()?)?;
    let start = NonZeroUsize::new(address / page * page.get())?;
    let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_FIXED;
    #[allow(unsafe_code, reason = "mapping over a page")]
    // SAFETY: a page within memory that is watched, of which the reader knows that it may become zeros.
    unsafe { mmap_anonymous(Some(start), page, ProtFlags::PROT_READ, flags) }.ok().map(drop)
}

/// Back to what was done before. What caused the signal happens again when the handler is left; what was only sent
/// is sent again.
fn as_before(code: c_int) {
    let Some(Some(before)) = BEFORE.get() else { return };
    #[allow(unsafe_code, reason = "what was there before is put back")]
    // SAFETY: the action that the system had given.
    let _ = unsafe { sigaction(Signal::SIGBUS, before) };
    if code <= 0 {
        let _ = raise(Signal::SIGBUS);
    }
}

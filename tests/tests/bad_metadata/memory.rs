//! What a piece of work costs this thread: memory at its highest, and time of the processor.

use nix::time::{ClockId, clock_gettime};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

thread_local! {
    static NOW: Cell<isize> = const { Cell::new(0) };
    static HIGHEST: Cell<isize> = const { Cell::new(0) };
}

/// The system's allocator, counting for each thread.
pub(crate) struct Counting;

fn count(change: isize) {
    // A thread that ends frees after its counters are gone.
    let _ = NOW.try_with(|now| {
        now.set(now.get() + change);
        let _ = HIGHEST.try_with(|highest| highest.set(highest.get().max(now.get())));
    });
}

fn signed(size: usize) -> isize {
    isize::try_from(size).unwrap_or(isize::MAX)
}

// SAFETY: every call is passed on to the system's allocator as it is, and counting allocates nothing.
#[allow(unsafe_code, reason = "an allocator can not be written otherwise")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(signed(layout.size()));
        // SAFETY: the caller keeps the contract of the same function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(signed(layout.size()));
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-signed(layout.size()));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(signed(size) - signed(layout.size()));
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Most that any answer may cost.
const MOST_MEMORY: isize = 64 << 20;
const MOST_TIME: Duration = Duration::from_secs(1);

/// Does a piece of work; fails with the description when it panics, takes a second, or 64 MiB.
#[track_caller]
pub(crate) fn bounded<T>(describe: impl Fn() -> String, work: impl FnOnce() -> T) -> T {
    let before = NOW.get();
    HIGHEST.set(before);
    let started = processor_time();
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    let (time, memory) = (processor_time().saturating_sub(started), HIGHEST.get() - before);
    let Ok(value) = done else { panic!("{}: panicked, see above", describe()) };
    assert!(time < MOST_TIME, "{}: took {time:?}", describe());
    assert!(memory < MOST_MEMORY, "{}: took {memory} bytes", describe());
    value
}

fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}

#[test]
fn work_that_takes_too_much_or_panics_is_noticed() {
    let fails = |work: fn()| std::panic::catch_unwind(|| bounded(|| "this".into(), work)).is_err();
    assert!(!fails(|| drop(vec![1_u8; 1 << 20])));
    assert!(fails(|| drop(std::hint::black_box(vec![1_u8; 65 << 20]))));
    assert!(fails(|| panic!("on purpose")));
}

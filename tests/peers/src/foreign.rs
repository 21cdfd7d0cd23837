//! What the libraries export, as they do it.

#![allow(non_upper_case_globals, reason = "the names are theirs")]

use std::ffi::{c_char, c_int, c_uchar, c_void};

/// `struct raid6_calls` of Linux.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Calls {
    pub gen_syndrome: unsafe extern "C" fn(c_int, usize, *const *mut c_void),
    xor_syndrome: Option<unsafe extern "C" fn()>,
    pub valid: Option<unsafe extern "C" fn() -> c_int>,
    name: *const c_char,
    priority: c_int,
}

/// `struct raid6_recov_calls` of Linux.
#[repr(C)]
pub struct RecoverCalls {
    /// Puts other pointers into the array for a while.
    pub data2: unsafe extern "C" fn(c_int, usize, c_int, c_int, *mut *mut c_void),
    datap: Option<unsafe extern "C" fn()>,
    pub valid: Option<unsafe extern "C" fn() -> c_int>,
    name: *const c_char,
    priority: c_int,
}

// SAFETY: tables that nobody writes, but for `raid6_call`, which is written once before anything runs.
unsafe impl Sync for Calls {}
// SAFETY: as above.
unsafe impl Sync for RecoverCalls {}

unsafe extern "C" {
    pub fn pq_gen(vectors: c_int, length: c_int, array: *const *mut c_void) -> c_int;
    pub fn pq_gen_avx2(vectors: c_int, length: c_int, array: *const *mut c_void) -> c_int;
    pub fn xor_gen(vectors: c_int, length: c_int, array: *const *mut c_void) -> c_int;
    pub fn ec_init_tables(sources: c_int, rows: c_int, matrix: *const c_uchar, tables: *mut c_uchar);
    pub fn ec_encode_data(
        length: c_int,
        sources: c_int,
        rows: c_int,
        tables: *const c_uchar,
        data: *const *const c_uchar,
        coding: *const *mut c_uchar,
    );

    pub static raid6_avx2x4: Calls;
    pub static raid6_avx512x4: Calls;
    pub static mut raid6_call: Calls;
    pub static raid6_recov_avx2: RecoverCalls;
    pub static raid6_recov_avx512: RecoverCalls;
}

/// A page, where a vector may begin.
#[repr(align(4096))]
struct Page(#[allow(dead_code, reason = "Linux reads it")] [u8; 4096]);

/// A page of zeros that Linux has, and its code for userspace expects of the program.
#[unsafe(no_mangle)]
static raid6_empty_zero_page: Page = Page([0; 4096]);

//! What libopus expects of a C library, where there is none: WebAssembly in a browser.
//!
//! ```text
//!  malloc(n) ─► [ size, 16 B | n bytes ] of the global allocator     free ─► the same, back
//! ```
//!
//! A second allocator in one memory would corrupt it, so C memory comes from Rust's. Mathematics comes with Rust's
//! compiler library. A failed assertion of libopus (built with hardening) ends the module, as a panic does.

use core::ffi::{c_char, c_int, c_long, c_void};
use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};

/// Room for the size; keeps what follows aligned as C expects of malloc.
const HEAD: usize = 16;

/// The layout of a block that holds `size` bytes for C.
fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(HEAD)?, HEAD).ok()
}

/// Writes the size in front of a fresh block.
///
/// # Safety
/// `block` is null or has room for [`HEAD`] bytes and is aligned to them.
unsafe fn hand_out(block: *mut u8, size: usize) -> *mut c_void {
    if block.is_null() {
        return core::ptr::null_mut();
    }
    // SAFETY: the head belongs to the block, and is aligned.
    unsafe { block.cast::<usize>().write(size) };
    // SAFETY: the block is longer than its head.
    unsafe { block.add(HEAD) }.cast()
}

/// C11 §7.22.3.4.
#[unsafe(no_mangle)]
extern "C" fn malloc(size: usize) -> *mut c_void {
    let Some(layout) = layout(size) else { return core::ptr::null_mut() };
    // SAFETY: the layout is not empty.
    let block = unsafe { alloc(layout) };
    // SAFETY: made with a head.
    unsafe { hand_out(block, size) }
}

/// C11 §7.22.3.2.
#[unsafe(no_mangle)]
extern "C" fn calloc(count: usize, each: usize) -> *mut c_void {
    let Some(size) = count.checked_mul(each) else { return core::ptr::null_mut() };
    let Some(layout) = layout(size) else { return core::ptr::null_mut() };
    // SAFETY: the layout is not empty.
    let block = unsafe { alloc_zeroed(layout) };
    // SAFETY: made with a head.
    unsafe { hand_out(block, size) }
}

/// C11 §7.22.3.5.
///
/// # Safety
/// `old` is null or came from here and was not freed.
#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(old: *mut c_void, size: usize) -> *mut c_void {
    let new = malloc(size);
    if !old.is_null() && !new.is_null() {
        // SAFETY: `old` has a head, by the caller's promise.
        let had = unsafe { old.cast::<u8>().sub(HEAD).cast::<usize>().read() };
        // SAFETY: both have at least so many bytes, and are different blocks.
        unsafe { core::ptr::copy_nonoverlapping(old.cast::<u8>(), new.cast(), had.min(size)) };
        // SAFETY: by the caller's promise.
        unsafe { free(old) };
    }
    new
}

/// C11 §7.22.3.3.
///
/// # Safety
/// `old` is null or came from here and was not freed.
#[unsafe(no_mangle)]
unsafe extern "C" fn free(old: *mut c_void) {
    if old.is_null() {
        return;
    }
    // SAFETY: by the caller's promise there is a head before it.
    let block = unsafe { old.cast::<u8>().sub(HEAD) };
    // SAFETY: the head holds the size.
    let size = unsafe { block.cast::<usize>().read() };
    if let Some(layout) = layout(size) {
        // SAFETY: the block was made with this layout.
        unsafe { dealloc(block, layout) };
    }
}

/// C11 §7.12.9.5, in the rounding mode that WebAssembly has: to the nearest, ties to even.
#[unsafe(no_mangle)]
extern "C" fn lrintf(x: f32) -> c_long {
    x.round_ties_even() as c_long
}

/// C11 §7.24.4.2.
///
/// # Safety
/// Both are strings that end with a zero.
#[unsafe(no_mangle)]
unsafe extern "C" fn strcmp(a: *const c_char, b: *const c_char) -> c_int {
    // SAFETY: by the caller's promise.
    let a = unsafe { core::ffi::CStr::from_ptr(a) };
    // SAFETY: by the caller's promise.
    let b = unsafe { core::ffi::CStr::from_ptr(b) };
    a.cmp(b) as c_int
}

/// C11 §7.22.4.1.
#[unsafe(no_mangle)]
extern "C" fn abort() -> ! {
    panic!("libopus gave up")
}

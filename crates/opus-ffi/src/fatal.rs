//! Where libopus goes when one of its assertions fails, in WebAssembly: it is built without its own way out, which would
//! need files to print to.

use core::ffi::{c_char, c_int};

/// Ends the module; a caught panic would leave libopus half-way.
#[unsafe(no_mangle)]
extern "C" fn celt_fatal(_: *const c_char, _: *const c_char, line: c_int) -> ! {
    panic!("libopus found itself in an impossible state (line {line})")
}

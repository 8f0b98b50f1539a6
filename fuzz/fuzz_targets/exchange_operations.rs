#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = exchange::fuzz::operations(data);
});

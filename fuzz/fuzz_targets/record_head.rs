#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| record::fuzz::head(data));

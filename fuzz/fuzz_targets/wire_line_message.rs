#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wire::fuzz::line_message(data));

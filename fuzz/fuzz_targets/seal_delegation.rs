#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| seal::fuzz::delegation(data));

//! `bundle MODULE.wasm NAME OUT`: writes the JavaScript glue and the module of one WebAssembly library.
#![allow(clippy::print_stderr, reason = "a build tool talks to the person who builds")]

fn main() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [input, name, out] = args.as_slice() else {
        eprintln!("usage: bundle MODULE.wasm NAME OUT");
        return 2.into();
    };
    let mut bindgen = wasm_bindgen_cli_support::Bindgen::new();
    let made = bindgen
        .input_path(input)
        .out_name(name)
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .omit_default_module_path(false)
        .web(true)
        .and_then(|b| b.generate(out));
    match made {
        Ok(()) => 0.into(),
        Err(e) => {
            eprintln!("bundle: {e:#}");
            1.into()
        }
    }
}

//! Puts the built web handset (`apps/web/dist`, made by `make web`) into the program, if it is there.
//!
//! ```text
//!  dist/NAME, dist/NAME.br ─► OUT_DIR/assets.rs: ("/NAME", content type, bytes, brotli bytes)
//!  dist/BUILD              ─► HOTLINE_WEB_BUILD: the SHA-256 over all of them, as `make web` printed it
//! ```

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dist = Path::new(&std::env::var("CARGO_MANIFEST_DIR")?).join("../web/dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    let mut names = Vec::new();
    if dist.is_dir() {
        for entry in std::fs::read_dir(&dist)? {
            let entry = entry?;
            let name = entry.file_name().into_string().map_err(|_| "a file name is not UTF-8")?;
            if entry.file_type()?.is_file() && name != "BUILD" && !name.ends_with(".br") {
                names.push(name);
            }
        }
    }
    names.sort();
    let mut table = String::from("&[\n");
    for name in &names {
        let file = dist.join(name).canonicalize()?;
        let br = dist.join(format!("{name}.br"));
        let br = if br.exists() { Some(br.canonicalize()?) } else { None };
        let include = |path: &PathBuf| format!("include_bytes!({:?})", path.display().to_string());
        let br = br.as_ref().map_or("None".into(), |br| format!("Some({})", include(br)));
        writeln!(
            table,
            "    Asset {{ path: {:?}, kind: {:?}, bytes: {}, brotli: {br} }},",
            format!("/{name}"),
            kind(name),
            include(&file)
        )?;
    }
    table.push_str("]\n");
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("assets.rs");
    std::fs::write(out, table)?;
    let build = match std::fs::read_to_string(dist.join("BUILD")) {
        _ if names.is_empty() => "none in this build".into(),
        Ok(build) => build,
        // Files that were put there by hand.
        Err(_) => "without a build number".into(),
    };
    println!("cargo::rustc-env=HOTLINE_WEB_BUILD={}", build.trim());
    Ok(())
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("txt") => "text/plain; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("wav") => "audio/wav",
        Some("webmanifest") => "application/manifest+json",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

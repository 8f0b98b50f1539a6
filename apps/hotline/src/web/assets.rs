//! The web handset's files, built into the program.

/// One file.
pub struct Asset {
    /// As in a request: `/handset.js`.
    pub path: &'static str,
    /// Its content type.
    pub kind: &'static str,
    /// As it is.
    pub bytes: &'static [u8],
    /// Compressed.
    pub brotli: Option<&'static [u8]>,
}

/// All files; none in a build without the web handset.
pub static ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// SHA-256 over all files, as `make web` printed it; words, if there is none.
pub const BUILD: &str = env!("HOTLINE_WEB_BUILD");

/// What `hotline --version` prints.
pub const VERSION: &str =
    concat!(env!("CARGO_PKG_VERSION"), "\nweb handset ", env!("HOTLINE_WEB_BUILD"));

/// What visitors are told by a build without the web handset.
pub const MISSING: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Hotline</title>\
    <h1>No web handset in this build</h1>\
    <p>This exchange works, and native handsets can use it. To have the web handset too, its operator runs \
    <code>make web</code> and builds the program again.</p></html>";

/// The file for a path; `/` is the page.
#[must_use]
pub fn find(path: &str) -> Option<&'static Asset> {
    let path = if path == "/" { "/index.html" } else { path };
    ASSETS.iter().find(|asset| asset.path == path)
}

//! A QR code: black on white whatever the looks, since cameras want it so.

use std::fmt::Write as _;

use leptos::prelude::*;

/// Light modules around the code.
const QUIET: usize = 4;

/// The path of all dark modules, one run a piece.
#[must_use]
pub fn path(rows: &[String]) -> String {
    let mut path = String::new();
    for (y, row) in rows.iter().enumerate() {
        let mut x = 0;
        for run in row.as_bytes().chunk_by(|a, b| a == b) {
            if run[0] == b'#' {
                // Writing to a text cannot fail.
                let _ =
                    write!(path, "M{} {}h{}v1h-{}z", x + QUIET, y + QUIET, run.len(), run.len());
            }
            x += run.len();
        }
    }
    path
}

/// The code.
pub fn qr(rows: &[String], label: &'static str) -> AnyView {
    let side = rows.len() + 2 * QUIET;
    view! {
        <svg class="qr" role="img" aria-label=label viewBox=format!("0 0 {side} {side}") shape-rendering="crispEdges">
            <rect width=side.to_string() height=side.to_string() fill="#fff"></rect>
            <path d=path(rows) fill="#000"></path>
        </svg>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn runs_become_rectangles() {
        assert_eq!(path(&["##.#".to_owned()]), "M4 4h2v1h-2zM7 4h1v1h-1z");
        assert_eq!(path(&["..".to_owned()]), "");
    }
}

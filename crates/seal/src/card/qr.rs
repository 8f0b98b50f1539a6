//! A card as a QR code: for a terminal, and as a picture.
//!
//! The code holds the link. The longest card gives 574 characters and a code of version 17 (85 modules) at
//! error correction L, which a phone's camera reads off a screen; most are of version 12 to 14.

use qrcode::render::{svg, unicode};
use qrcode::{EcLevel, QrCode};

use super::{CardError, VerifiedCard};

fn code(link: &str) -> Result<QrCode, CardError> {
    QrCode::with_error_correction_level(link, EcLevel::L)
        .map_err(|_| CardError::TooLong(link.len()))
}

/// Any `hotline:` link. Two modules a character, dark on light, with a quiet zone: lines of block characters
/// for a terminal.
///
/// # Errors
/// [`CardError::TooLong`] for what no QR code holds; no card is so long.
pub fn terminal(link: &str) -> Result<String, CardError> {
    // Terminals are mostly dark: what the code means as dark is drawn as background.
    Ok(code(link)?
        .render::<unicode::Dense1x2>()
        .dark_color(unicode::Dense1x2::Light)
        .light_color(unicode::Dense1x2::Dark)
        .build())
}

/// A card for a terminal.
///
/// # Errors
/// As [`terminal`].
pub fn text(card: &VerifiedCard) -> Result<String, CardError> {
    terminal(&card.to_link())
}

/// An SVG picture, at least 300 units wide.
///
/// # Errors
/// As [`text`].
pub fn picture(card: &VerifiedCard) -> Result<String, CardError> {
    Ok(code(&card.to_link())?.render::<svg::Color<'_>>().min_dimensions(300, 300).build())
}

/// Any `hotline:` link as rows of modules, `true` dark, without a quiet zone: for a screen that draws itself.
///
/// # Errors
/// As [`terminal`].
pub fn modules(link: &str) -> Result<Vec<Vec<bool>>, CardError> {
    let code = code(link)?;
    let row = |row: &[qrcode::Color]| row.iter().map(|m| *m == qrcode::Color::Dark).collect();
    Ok(code.to_colors().chunks(code.width()).map(row).collect())
}

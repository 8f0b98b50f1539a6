//! What a person chose for this browser: language, looks, devices. None of it says anything about calls.

use js_sys::Array;

use crate::browser::{self, remember, remembered};
use crate::sound::Devices;
use crate::text::Lang;

/// Light or dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is what its name says")]
pub enum Looks {
    System,
    Light,
    Dark,
}

impl Looks {
    /// All that there are.
    pub const ALL: [Looks; 3] = [Looks::System, Looks::Light, Looks::Dark];

    /// Its name in the style sheet and in what is remembered.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Looks::System => "system",
            Looks::Light => "light",
            Looks::Dark => "dark",
        }
    }
}

/// The language: the one chosen here, else the browser's first that is spoken.
#[must_use]
pub fn language() -> Lang {
    let chosen = remembered("lang");
    let chosen = chosen.and_then(|tag| Lang::ALL.into_iter().find(|lang| lang.tag() == tag));
    chosen.unwrap_or_else(|| {
        let tags: Array = browser::window().navigator().languages();
        let tags: Vec<String> = tags.iter().filter_map(|tag| tag.as_string()).collect();
        Lang::first_of(tags.iter().map(String::as_str))
    })
}

/// Remembers a language.
pub fn choose_language(lang: Lang) {
    remember("lang", lang.tag());
}

/// Writes language and direction where browser, reader and style sheet find them.
pub fn apply_language(lang: Lang) {
    if let Some(root) = browser::document().document_element() {
        // Attributes of these names can always be set.
        let _ = root.set_attribute("lang", lang.tag());
        let _ = root.set_attribute("dir", lang.direction());
    }
}

/// The looks that were chosen.
#[must_use]
pub fn looks() -> Looks {
    let chosen = remembered("looks");
    Looks::ALL.into_iter().find(|l| Some(l.tag()) == chosen.as_deref()).unwrap_or(Looks::System)
}

/// Remembers and shows looks.
pub fn choose_looks(looks: Looks) {
    remember("looks", looks.tag());
    apply_looks(looks);
}

/// Shows looks.
pub fn apply_looks(looks: Looks) {
    if let Some(root) = browser::document().document_element() {
        let _ = root.set_attribute("data-looks", looks.tag());
    }
}

/// The devices that were chosen.
#[must_use]
pub fn devices() -> Devices {
    let chosen = |key| remembered(key).filter(|id| !id.is_empty());
    let long_bursts = chosen("bursts").is_some();
    Devices { microphone: chosen("microphone"), speaker: chosen("speaker"), long_bursts }
}

/// Remembers devices.
pub fn choose_devices(devices: &Devices) {
    remember("microphone", devices.microphone.as_deref().unwrap_or_default());
    remember("speaker", devices.speaker.as_deref().unwrap_or_default());
    remember("bursts", if devices.long_bursts { "long" } else { "" });
}

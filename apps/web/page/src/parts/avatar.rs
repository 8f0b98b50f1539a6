//! Initials in a circle.

use leptos::prelude::*;

/// At most two letters: of the first and the last word.
#[must_use]
pub fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|w| w.chars().find(|c| c.is_alphanumeric()));
    let first = words.next();
    let last = words.next_back();
    first.into_iter().chain(last).flat_map(char::to_uppercase).collect()
}

/// One of six quiet colours, always the same for a name.
fn shade(name: &str) -> usize {
    // FNV-1a; its upper bits are well mixed.
    let hash =
        name.bytes().fold(0x811c_9dc5u32, |n, b| (n ^ u32::from(b)).wrapping_mul(0x0100_0193));
    (hash >> 16) as usize % 6
}

/// The circle; readers pass over it, since the name stands beside it.
pub fn avatar(name: &str, large: bool) -> AnyView {
    let class = format!("avatar shade-{}{}", shade(name), if large { " large" } else { "" });
    view! { <span class=class aria-hidden="true">{initials(name)}</span> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn initials_are_of_the_first_and_the_last_word() {
        assert_eq!(initials("Ana Maria Pérez"), "AP");
        assert_eq!(initials("élysée"), "É");
        assert_eq!(initials("  "), "");
        assert_eq!(initials("(President) M."), "PM");
        assert_eq!(initials("محمد علي"), "مع");
    }
}

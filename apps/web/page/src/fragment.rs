//! What a link carries behind `#`, and enrolment links that are pasted.
//!
//! ```text
//!  https://exchange/#enroll=...&card=...&name=Ana%20P.&keep=no
//! ```
//!
//! A fragment is never sent to the server. It is a secret all the same, so the page takes it out of the address bar and
//! the history before it does anything else.

/// What the link says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fragment {
    /// `hotline:enroll/...`
    pub enrol: Option<String>,
    /// `hotline:card/...`
    pub card: Option<String>,
    /// The person's name.
    pub name: Option<String>,
    /// A handset that is kept nowhere.
    pub keep_nothing: bool,
}

const ENROL: &str = "hotline:enroll/";
const CARD: &str = "hotline:card/";

impl Fragment {
    /// Reads a fragment, with or without its `#`. What is not known is left out.
    #[must_use]
    pub fn parse(fragment: &str) -> Fragment {
        let mut read = Fragment::default();
        for pair in fragment.trim_start_matches('#').split('&') {
            match pair.split_once('=') {
                Some(("enroll", v)) if token(v) => read.enrol = Some(format!("{ENROL}{v}")),
                Some(("card", v)) if token(v) => read.card = Some(format!("{CARD}{v}")),
                Some(("name", v)) => read.name = decoded(v).filter(|n| !n.trim().is_empty()),
                Some(("keep", "no")) => read.keep_nothing = true,
                _ => {}
            }
        }
        read
    }

    /// Reads what a person pasted: a web link with a fragment, or `hotline:enroll/...` itself.
    #[must_use]
    pub fn pasted(text: &str) -> Option<Fragment> {
        let text = text.trim();
        let read = match text.strip_prefix(ENROL) {
            Some(rest) if token(rest) => {
                Fragment { enrol: Some(text.to_owned()), ..Fragment::default() }
            }
            Some(_) => return None,
            None => Fragment::parse(text.split_once('#')?.1),
        };
        read.enrol.is_some().then_some(read)
    }
}

/// base64url and what the links' own encoding may use besides.
fn token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_=.~".contains(&b))
}

/// Percent-decoded, `+` being a space; `None` for what is no UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(b) = rest.next() {
        bytes.push(match b {
            b'+' => b' ',
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::Fragment;

    #[test]
    fn a_whole_link_is_read() {
        let read = Fragment::parse("#enroll=AbC-_9&card=xyz&name=Ana%20P%C3%A9rez&keep=no");
        assert_eq!(read.enrol.as_deref(), Some("hotline:enroll/AbC-_9"));
        assert_eq!(read.card.as_deref(), Some("hotline:card/xyz"));
        assert_eq!(read.name.as_deref(), Some("Ana Pérez"));
        assert!(read.keep_nothing);
    }

    #[test]
    fn nonsense_is_left_out() {
        assert_eq!(Fragment::parse(""), Fragment::default());
        assert_eq!(Fragment::parse("#enroll=&card=<b>&name=%zz&keep=yes&x"), Fragment::default());
        assert_eq!(Fragment::parse("#name=%FF"), Fragment::default());
    }

    #[test]
    fn pasted_links_are_taken_in_both_forms() {
        let bare = Fragment::pasted("  hotline:enroll/AAA \n").and_then(|f| f.enrol);
        assert_eq!(bare.as_deref(), Some("hotline:enroll/AAA"));
        let web = Fragment::pasted("https://x.example/#enroll=AAA&name=B").and_then(|f| f.name);
        assert_eq!(web.as_deref(), Some("B"));
        assert_eq!(Fragment::pasted("https://x.example/#card=AAA"), None);
        assert_eq!(Fragment::pasted("hotline:enroll/a b"), None);
        assert_eq!(Fragment::pasted("hello"), None);
    }
}

//! The link by which an operator lets one new handset in: `hotline:enroll/<base64url>`.
//!
//! ```text
//!  EnrolLink = version u8 | exchange key 32 | token 16 | host (u16 length): the line door, host:port
//!              version 1: nothing more    version 2: | records officer's key 32
//! ```
//!
//! Whoever has it can enrol one handset, once, before it expires; it is handed over like a key.

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::codec::{DecodeError, Field, Reader, Text, Writer};
use crate::ids::{ExchangePub, OfficerPub, Token};
use crate::limits::HOST_MAX;

/// What an enrolment link starts with.
pub const PREFIX: &str = "hotline:enroll/";
const PLAIN: u8 = 1;
const WITH_OFFICER: u8 = 2;
/// Longest link that is looked at. Characters.
const LINK_MAX: usize = 400;

/// What a new handset needs to know. `Debug` hides the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolLink {
    /// The exchange's pinned key.
    pub exchange: ExchangePub,
    /// Valid once.
    pub token: Token,
    /// `host:port` of the line door.
    pub host: Text<HOST_MAX>,
    /// The records officer, if the office has one: pinned by the handset.
    pub officer: Option<OfficerPub>,
}

/// Why a text is no enrolment link. The user's to mend: ask for it, or copy it, again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Something else.
    #[error("this is not an enrolment link: it has to start with `{PREFIX}`")]
    Other,
    /// Not base64url, or longer than any link.
    #[error("the enrolment link is damaged: copy it whole, or ask the operator for a new one")]
    Damaged,
    /// The bytes inside are wrong.
    #[error("the enrolment link is damaged ({0}): ask the operator for a new one")]
    Content(#[from] DecodeError),
}

impl EnrolLink {
    /// The link as text.
    #[must_use]
    pub fn to_link(&self) -> String {
        let mut w = Writer::new();
        if self.officer.is_some() { WITH_OFFICER } else { PLAIN }.write(&mut w);
        self.exchange.write(&mut w);
        self.token.write(&mut w);
        self.host.write(&mut w);
        if let Some(officer) = &self.officer {
            officer.write(&mut w);
        }
        format!("{PREFIX}{}", Base64UrlUnpadded::encode_string(&w.finish()))
    }

    /// The link that `text` is. Space around it is ignored.
    ///
    /// # Errors
    /// It is none, or damaged.
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let content = text.trim().strip_prefix(PREFIX).ok_or(LinkError::Other)?;
        if content.len() > LINK_MAX {
            return Err(LinkError::Damaged);
        }
        let bytes = Base64UrlUnpadded::decode_vec(content).map_err(|_| LinkError::Damaged)?;
        let mut r = Reader::new(&bytes);
        let version = r.u8("EnrolLink.version")?;
        if version != PLAIN && version != WITH_OFFICER {
            let field = "EnrolLink.version";
            return Err(DecodeError::Undefined { field, value: version.into() }.into());
        }
        let exchange = ExchangePub::read(&mut r, "EnrolLink.exchange")?;
        let token = Token::read(&mut r, "EnrolLink.token")?;
        let host = Text::read(&mut r, "EnrolLink.host")?;
        let officer = (version == WITH_OFFICER)
            .then(|| OfficerPub::read(&mut r, "EnrolLink.officer"))
            .transpose()?;
        r.end()?;
        Ok(EnrolLink { exchange, token, host, officer })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> EnrolLink {
        EnrolLink {
            exchange: ExchangePub([3; 32]),
            token: Token([9; 16]),
            host: Text::new("exchange.example:4433").unwrap(),
            officer: None,
        }
    }

    #[test]
    fn a_link_comes_back_as_it_was() {
        let text = link().to_link();
        assert_eq!(EnrolLink::parse(&format!("  {text}\n")), Ok(link()));
        let with = EnrolLink { officer: Some(OfficerPub([5; 32])), ..link() };
        assert_eq!(EnrolLink::parse(&with.to_link()), Ok(with));
    }

    #[test]
    fn a_link_that_was_cut_or_changed_says_so() {
        let with = EnrolLink { officer: Some(OfficerPub([5; 32])), ..link() };
        for text in [link().to_link(), with.to_link()] {
            for end in PREFIX.len()..text.len() {
                assert!(EnrolLink::parse(&text[..end]).is_err(), "cut at {end}");
            }
        }
        assert_eq!(EnrolLink::parse("hotline:card/AAAA"), Err(LinkError::Other));
        assert_eq!(EnrolLink::parse("hotline:enroll/!!"), Err(LinkError::Damaged));
        assert!(EnrolLink::parse("hotline:enroll/Aw").unwrap_err().to_string().contains("version"));
    }

    #[test]
    fn debug_hides_the_token() {
        assert!(!format!("{:?}", link()).contains('9'));
    }
}

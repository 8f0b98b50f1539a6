//! A passkey that opens the store: WebAuthn with the PRF extension.
//!
//! ```text
//!  create ─► credential ─► get, PRF(salt) ─► 32 bytes ─► worker: key of the store
//! ```
//!
//! The authenticator computes the secret from a salt that stands beside the sealed store; neither page nor worker keeps it.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;

use crate::browser::{ask, get, has, object, window};

/// What a passkey gave.
pub struct Given {
    /// 32 bytes, base64url.
    pub secret: String,
    /// Which credential, base64url.
    pub credential: String,
    /// What PRF was asked for, base64url.
    pub salt: String,
}

/// Why there is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The authenticator has no PRF.
    NoPrf,
    /// The person stopped it, or it failed.
    Failed,
}

impl From<JsValue> for Problem {
    fn from(_: JsValue) -> Problem {
        Problem::Failed
    }
}

/// Whether to offer it: the platform has an authenticator that knows its user, and does not say that it lacks PRF.
pub async fn offered() -> bool {
    let kind = get(&window(), "PublicKeyCredential");
    if kind.is_undefined() {
        return false;
    }
    if let Ok(can) = ask(&kind, "getClientCapabilities", &[]).await
        && get(&can, "extension:prf").as_bool() == Some(false)
    {
        return false;
    }
    let here = ask(&kind, "isUserVerifyingPlatformAuthenticatorAvailable", &[]).await;
    here.is_ok_and(|yes| yes.is_truthy())
}

/// Makes a passkey and asks it for the secret.
///
/// # Errors
/// [`Problem`].
pub async fn make(name: &str) -> Result<Given, Problem> {
    let salt = random()?;
    let algorithm = |number: i32| object(&[("type", "public-key".into()), ("alg", number.into())]);
    let options = object(&[
        ("challenge", random()?.into()),
        ("rp", object(&[("name", "Hotline".into())])),
        (
            "user",
            object(&[
                ("id", random()?.into()),
                ("name", name.into()),
                ("displayName", name.into()),
            ]),
        ),
        ("pubKeyCredParams", Array::of2(&algorithm(-7), &algorithm(-257)).into()),
        (
            "authenticatorSelection",
            object(&[("residentKey", "preferred".into()), ("userVerification", "required".into())]),
        ),
        ("extensions", extension(&salt)),
    ]);
    let made = ask(&credentials(), "create", &[object(&[("publicKey", options)])]).await?;
    let credential = bytes(&get(&made, "rawId"));
    let said = results(&made)?;
    let id = base64url(&credential.to_vec());
    if let Some(secret) = first(&said) {
        return Ok(Given { secret, credential: id, salt: base64url(&salt.to_vec()) });
    }
    if get(&said, "enabled").as_bool() != Some(true) {
        return Err(Problem::NoPrf);
    }
    // Many authenticators compute only when they are used, not when they are made.
    let salt = base64url(&salt.to_vec());
    let secret = secret(&id, &salt).await?;
    Ok(Given { secret, credential: id, salt })
}

/// Asks a passkey for the secret again.
///
/// # Errors
/// [`Problem`].
pub async fn secret(credential: &str, salt: &str) -> Result<String, Problem> {
    let id = from_base64url(credential).ok_or(Problem::Failed)?;
    let salt = from_base64url(salt).ok_or(Problem::Failed)?;
    let wanted =
        object(&[("type", "public-key".into()), ("id", Uint8Array::from(id.as_slice()).into())]);
    let options = object(&[
        ("challenge", random()?.into()),
        ("allowCredentials", Array::of1(&wanted).into()),
        ("userVerification", "required".into()),
        ("extensions", extension(&Uint8Array::from(salt.as_slice()))),
    ]);
    let got = ask(&credentials(), "get", &[object(&[("publicKey", options)])]).await?;
    first(&results(&got)?).ok_or(Problem::NoPrf)
}

fn credentials() -> JsValue {
    get(&window().navigator(), "credentials")
}

fn extension(salt: &Uint8Array) -> JsValue {
    let eval = object(&[("first", salt.clone().into())]);
    object(&[("prf", object(&[("eval", eval)]))])
}

fn results(credential: &JsValue) -> Result<JsValue, Problem> {
    let method: js_sys::Function =
        get(credential, "getClientExtensionResults").dyn_into().map_err(|_| Problem::NoPrf)?;
    let results = method.call0(credential)?;
    if has(&results, "prf") { Ok(get(&results, "prf")) } else { Err(Problem::NoPrf) }
}

fn first(prf: &JsValue) -> Option<String> {
    let results = get(prf, "results");
    let first = if results.is_undefined() { results } else { get(&results, "first") };
    (!first.is_undefined()).then(|| base64url(&bytes(&first).to_vec()))
}

/// Of a buffer or a view of one.
fn bytes(buffer: &JsValue) -> Uint8Array {
    Uint8Array::new(buffer)
}

fn random() -> Result<Uint8Array, Problem> {
    let bytes = Uint8Array::new_with_length(32);
    let crypto = get(&window(), "crypto");
    let fill: js_sys::Function =
        get(&crypto, "getRandomValues").dyn_into().map_err(|_| Problem::Failed)?;
    fill.call1(&crypto, &bytes)?;
    Ok(bytes)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn base64url(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 4 / 3 + 3);
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |w, b| w << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            let six = (word >> (18 - 6 * place) & 63) as usize;
            text.push(char::from(ALPHABET[six]));
        }
    }
    text
}

fn from_base64url(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut word, mut bits) = (0u32, 0);
    for c in text.bytes() {
        let six = ALPHABET.iter().position(|a| *a == c)?;
        word = word << 6 | u32::try_from(six).ok()?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(word >> bits & 255).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{base64url, from_base64url};

    #[test]
    fn base64url_goes_both_ways() {
        assert_eq!(base64url(b"foobar"), "Zm9vYmFy");
        assert_eq!(base64url(b"fooba"), "Zm9vYmE");
        assert_eq!(base64url(&[251, 255]), "-_8");
        for n in 0..70u8 {
            let bytes: Vec<u8> = (0..n).map(|b| b.wrapping_mul(37)).collect();
            assert_eq!(from_base64url(&base64url(&bytes)), Some(bytes));
        }
        assert_eq!(from_base64url("a b"), None);
    }
}

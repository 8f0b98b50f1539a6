//! Reading and writing fields. Big-endian numbers; variable fields carry a `u16` length.
//!
//! Errors name the field, so that whoever meets one can tell which side is at fault.

use thiserror::Error;

/// Why bytes from outside are not the message that they claim to be. Always the sender's fault; sending
/// the same bytes again does not help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The message ends inside a field.
    #[error("message ends inside {field}: it was cut short on its way, or its sender is at fault")]
    Short {
        /// Name of the field.
        field: &'static str,
    },
    /// A variable field is longer than its limit.
    #[error("{field} is {len} bytes long, the limit is {max}")]
    TooLong {
        /// Name of the field.
        field: &'static str,
        /// Its length as sent.
        len: usize,
        /// Its limit.
        max: usize,
    },
    /// A field has a value that is not defined.
    #[error(
        "{field} has the undefined value {value}: its sender speaks another version, or is at fault"
    )]
    Undefined {
        /// Name of the field.
        field: &'static str,
        /// The value as sent.
        value: u64,
    },
    /// A text is not UTF-8.
    #[error("{field} is not valid UTF-8")]
    NotText {
        /// Name of the field.
        field: &'static str,
    },
    /// Bytes are left after the last field.
    #[error("{left} bytes are left over after the message")]
    LeftOver {
        /// How many.
        left: usize,
    },
}

/// Takes fields off the front of a message.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads `bytes` from the start.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    /// How many bytes have not been read.
    #[must_use]
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// The next `n` bytes.
    pub fn bytes(&mut self, n: usize, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self.rest.split_at_checked(n).ok_or(DecodeError::Short { field })?;
        self.rest = rest;
        Ok(head)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(DecodeError::Short { field })?;
        self.rest = rest;
        Ok(*head)
    }

    /// A `u8`.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        Ok(u8::from_be_bytes(self.array(field)?))
    }

    /// A `u16`.
    pub fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.array(field)?))
    }

    /// A `u32`.
    pub fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.array(field)?))
    }

    /// A `u64`.
    pub fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        Ok(u64::from_be_bytes(self.array(field)?))
    }

    /// A variable field of at most `max` bytes.
    pub fn var(&mut self, max: usize, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let len = usize::from(self.u16(field)?);
        if len > max {
            return Err(DecodeError::TooLong { field, len, max });
        }
        self.bytes(len, field)
    }

    /// The end: nothing may be left.
    pub fn end(self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(DecodeError::LeftOver { left }),
        }
    }
}

/// Appends fields to a message.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty message.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Appends a variable field. What is longer than a `u16` can tell is cut there; every type that is
    /// written this way is bounded far below.
    pub fn var(&mut self, bytes: &[u8]) -> &mut Self {
        let len = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        self.bytes(&len.to_be_bytes()).bytes(&bytes[..usize::from(len)])
    }

    /// The message.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// A field of a message: it writes itself, and reads itself back.
pub trait Field: Sized + core::fmt::Debug {
    /// What `Debug` of a message shows of the field. Plain arrays are keys and secrets: nothing.
    fn show(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(self, f)
    }
    /// Appends the field.
    fn write(&self, w: &mut Writer);
    /// Takes the field off the front; `name` is for the error.
    fn read(r: &mut Reader<'_>, name: &'static str) -> Result<Self, DecodeError>;
}

macro_rules! number_field {
    ($($t:ident)*) => {$(
        impl Field for $t {
            fn write(&self, w: &mut Writer) {
                w.bytes(&self.to_be_bytes());
            }
            fn read(r: &mut Reader<'_>, name: &'static str) -> Result<Self, DecodeError> {
                r.$t(name)
            }
        }
    )*};
}
number_field!(u8 u16 u32 u64);

impl Field for bool {
    fn write(&self, w: &mut Writer) {
        w.bytes(&[u8::from(*self)]);
    }
    fn read(r: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
        match r.u8(field)? {
            0 => Ok(false),
            1 => Ok(true),
            value => Err(DecodeError::Undefined { field, value: value.into() }),
        }
    }
}

/// Prints a field as [`Field::show`] wants it.
pub(crate) struct Shown<'a, T>(pub(crate) &'a T);

impl<T: Field> core::fmt::Debug for Shown<'_, T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.show(f)
    }
}

impl<const N: usize> Field for [u8; N] {
    fn show(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "[{N} bytes]")
    }
    fn write(&self, w: &mut Writer) {
        w.bytes(self);
    }
    fn read(r: &mut Reader<'_>, name: &'static str) -> Result<Self, DecodeError> {
        r.array(name)
    }
}

impl Field for crate::Wall {
    fn write(&self, w: &mut Writer) {
        self.0.write(w);
    }
    fn read(r: &mut Reader<'_>, name: &'static str) -> Result<Self, DecodeError> {
        Ok(crate::Wall(r.u64(name)?))
    }
}

/// Opaque bytes, at most `MAX` of them. `Debug` shows the length only: the bytes are mostly sealed, and
/// sometimes secret.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Blob<const MAX: usize>(Vec<u8>);

impl<const MAX: usize> Blob<MAX> {
    /// Wraps `bytes`; gives them back if they are more than `MAX`.
    pub fn new(bytes: Vec<u8>) -> Result<Self, DecodeError> {
        match bytes.len() {
            len if len > MAX => Err(DecodeError::TooLong { field: "blob", len, max: MAX }),
            _ => Ok(Blob(bytes)),
        }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, owned.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl<const MAX: usize> core::fmt::Debug for Blob<MAX> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "[{} bytes]", self.0.len())
    }
}

impl<const MAX: usize> Field for Blob<MAX> {
    fn write(&self, w: &mut Writer) {
        w.var(&self.0);
    }
    fn read(r: &mut Reader<'_>, name: &'static str) -> Result<Self, DecodeError> {
        Ok(Blob(r.var(MAX, name)?.to_vec()))
    }
}

/// A text of at most `MAX` UTF-8 bytes. `Debug` shows its length only: names and messages are nobody
/// else's business.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// Wraps `text`; refuses it if it is more than `MAX` bytes.
    pub fn new(text: impl Into<String>) -> Result<Self, DecodeError> {
        let text = text.into();
        match text.len() {
            len if len > MAX => Err(DecodeError::TooLong { field: "text", len, max: MAX }),
            _ => Ok(Text(text)),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> core::fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "[text of {} bytes]", self.0.len())
    }
}

impl<const MAX: usize> Field for Text<MAX> {
    fn write(&self, w: &mut Writer) {
        w.var(self.0.as_bytes());
    }
    fn read(r: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
        let bytes = r.var(MAX, field)?;
        let text = core::str::from_utf8(bytes).map_err(|_| DecodeError::NotText { field })?;
        Ok(Text(text.to_owned()))
    }
}

impl<T: Field> Field for Option<T> {
    fn write(&self, w: &mut Writer) {
        self.is_some().write(w);
        if let Some(value) = self {
            value.write(w);
        }
    }
    fn read(r: &mut Reader<'_>, name: &'static str) -> Result<Self, DecodeError> {
        Ok(if bool::read(r, name)? { Some(T::read(r, name)?) } else { None })
    }
}

/// Declares a set of messages: `tag => Name { field: Type, .. }`. A message is its tag (`u8`), then its
/// fields in order.
macro_rules! messages {
    (
        $(#[$meta:meta])*
        $name:ident, $what:literal {
            $(
                $(#[$vmeta:meta])*
                $tag:literal => $variant:ident { $( $(#[$fmeta:meta])* $field:ident : $ty:ty ),* $(,)? }
            ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq)]
        pub enum $name {
            $(
                $(#[$vmeta])*
                #[allow(missing_docs, reason = "the variant says what its fields are")]
                $variant { $( $(#[$fmeta])* $field: $ty ),* }
            ),*
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self {
                    $( $name::$variant { $( $field ),* } => f
                        .debug_struct(stringify!($variant))
                        $( .field(stringify!($field), &$crate::codec::Shown($field)) )*
                        .finish(), )*
                }
            }
        }

        impl $name {
            /// The message as bytes.
            #[must_use]
            pub fn encode(&self) -> Vec<u8> {
                let mut w = $crate::codec::Writer::new();
                match self {
                    $( $name::$variant { $( $field ),* } => {
                        w.bytes(&[$tag]);
                        $( $crate::codec::Field::write($field, &mut w); )*
                    } ),*
                }
                w.finish()
            }

            /// The message that `bytes` are, whole and alone.
            ///
            /// # Errors
            /// The first field that is not what it should be.
            pub fn decode(bytes: &[u8]) -> Result<Self, $crate::codec::DecodeError> {
                let mut r = $crate::codec::Reader::new(bytes);
                let message = match r.u8($what)? {
                    $( $tag => $name::$variant {
                        $( $field: $crate::codec::Field::read(
                            &mut r, concat!(stringify!($variant), ".", stringify!($field)))? ),*
                    }, )*
                    value => return Err($crate::codec::DecodeError::Undefined {
                        field: $what, value: value.into() }),
                };
                r.end()?;
                Ok(message)
            }
        }
    };
}
pub(crate) use messages;

/// Declares an enumeration that is one byte on the wire.
macro_rules! codes {
    (
        $(#[$meta:meta])*
        $name:ident { $( $(#[$vmeta:meta])* $code:literal => $variant:ident ),* $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $( $(#[$vmeta])* $variant ),* }

        impl $crate::codec::Field for $name {
            fn write(&self, w: &mut $crate::codec::Writer) {
                w.bytes(&[match self { $( $name::$variant => $code ),* }]);
            }
            fn read(r: &mut $crate::codec::Reader<'_>, field: &'static str)
                -> Result<Self, $crate::codec::DecodeError> {
                match r.u8(field)? {
                    $( $code => Ok($name::$variant), )*
                    value => Err($crate::codec::DecodeError::Undefined { field, value: value.into() }),
                }
            }
        }
    };
}
pub(crate) use codes;

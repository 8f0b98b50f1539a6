//! The one door to libopus 1.6: a safe encoder, decoder and DRED reader, and nothing else.
//!
//! ```text
//!  pcm -> Encoder -> packet -> pad ...... wire ...... packet -> Decoder -> pcm
//!                                                        \-> Dred -> Decoder (frames before it)
//! ```
//!
//! It is the only crate under `crates/` that may use `unsafe`; each block says why it is sound.
//! Everything is mono, 48 kHz, samples in [-1, 1]; lengths are in samples (48 a millisecond).
//! Standards: RFC 6716 (Opus), RFC 8251 (update), draft-ietf-mlcodec-opus-dred (DRED).

#[cfg(target_arch = "wasm32")]
mod fatal;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
mod wasm;

use core::ffi::c_int;
use core::ptr::NonNull;

use opusic_sys as sys;

/// Sampling rate of all signals, in hertz.
pub const RATE: usize = 48_000;

/// The longest packet that libopus may be asked for or given, in bytes.
const MAX_PACKET: usize = 1_275;

/// What libopus refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A length, rate or setting that libopus does not take: a mistake of the calling code.
    #[error("libopus refused an argument; this is a fault of the program, not of the packet")]
    Argument,
    /// The packet is no valid Opus packet of the expected length: the sender's fault.
    #[error("not a valid Opus packet of the expected length; drop it and conceal the frame")]
    Packet,
    /// Memory is exhausted.
    #[error("no memory for the codec; free some and try again")]
    Memory,
    /// libopus reported a fault of its own.
    #[error("libopus failed with code {0}; make a new codec")]
    Internal(i32),
}

fn check(code: c_int) -> Result<usize, Error> {
    match code {
        sys::OPUS_BAD_ARG => Err(Error::Argument),
        sys::OPUS_INVALID_PACKET | sys::OPUS_BUFFER_TOO_SMALL => Err(Error::Packet),
        sys::OPUS_ALLOC_FAIL => Err(Error::Memory),
        code => usize::try_from(code).map_err(|_| Error::Internal(code)),
    }
}

fn length(len: usize) -> Result<c_int, Error> {
    c_int::try_from(len).map_err(|_| Error::Argument)
}

/// How an [`Encoder`] codes. DTX is always off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Bits a second, redundancy included.
    pub bitrate: i32,
    /// Constrained variable rate if set, else constant rate.
    pub variable: bool,
    /// Expected loss, per cent; steers how many bits go to redundancy.
    pub loss: i32,
    /// In-band forward error correction (LBRR) of the frame before.
    pub fec: bool,
    /// DRED reach in units of 10 ms, 0 to 104.
    pub dred: i32,
    /// Effort, 0 to 10.
    pub complexity: i32,
}

/// A mono 48 kHz voice encoder.
pub struct Encoder {
    state: NonNull<sys::OpusEncoder>,
}

// SAFETY: the state is one heap block without thread affinity, owned by this value alone.
unsafe impl Send for Encoder {}

impl Encoder {
    /// Makes an encoder. Errors: [`Error::Memory`], [`Error::Argument`] for settings out of range.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let mut code = 0;
        // SAFETY: `code` outlives the call; the result is checked for null before use.
        let state = unsafe {
            sys::opus_encoder_create(RATE as i32, 1, sys::OPUS_APPLICATION_VOIP, &raw mut code)
        };
        let state = NonNull::new(state).ok_or(Error::Memory)?;
        let mut encoder = Self { state };
        check(code)?;
        encoder.set(sys::OPUS_SET_BITRATE_REQUEST, settings.bitrate)?;
        encoder.set(sys::OPUS_SET_VBR_REQUEST, i32::from(settings.variable))?;
        encoder.set(sys::OPUS_SET_VBR_CONSTRAINT_REQUEST, 1)?;
        encoder.set(sys::OPUS_SET_DTX_REQUEST, 0)?;
        encoder.set(sys::OPUS_SET_SIGNAL_REQUEST, sys::OPUS_SIGNAL_VOICE)?;
        encoder.set(sys::OPUS_SET_COMPLEXITY_REQUEST, settings.complexity)?;
        encoder.set(sys::OPUS_SET_INBAND_FEC_REQUEST, i32::from(settings.fec))?;
        encoder.set(sys::OPUS_SET_PACKET_LOSS_PERC_REQUEST, settings.loss)?;
        encoder.set(sys::OPUS_SET_DRED_DURATION_REQUEST, settings.dred)?;
        Ok(encoder)
    }

    fn set(&mut self, request: c_int, value: i32) -> Result<(), Error> {
        // SAFETY: the state is live, and each request used here takes exactly one 32-bit integer.
        let code = unsafe { sys::opus_encoder_ctl(self.state.as_ptr(), request, value) };
        check(code).map(|_| ())
    }

    /// The codec's own delay, in samples: decoded sound comes this much later than what went in.
    pub fn lookahead(&mut self) -> Result<usize, Error> {
        let mut value: i32 = 0;
        // SAFETY: the state is live; this request writes one 32-bit integer through the pointer.
        let code = unsafe {
            sys::opus_encoder_ctl(
                self.state.as_ptr(),
                sys::OPUS_GET_LOOKAHEAD_REQUEST,
                &raw mut value,
            )
        };
        check(code)?;
        usize::try_from(value).map_err(|_| Error::Internal(value))
    }

    /// Codes one frame (2.5 to 60 ms of samples) into at most `out.len()` bytes; returns the length.
    pub fn encode(&mut self, pcm: &[f32], out: &mut [u8]) -> Result<usize, Error> {
        let frame = length(pcm.len())?;
        let room = length(out.len().min(MAX_PACKET))?;
        // SAFETY: the state is live, `pcm` holds `frame` mono samples, `out` at least `room` bytes.
        let code = unsafe {
            sys::opus_encode_float(self.state.as_ptr(), pcm.as_ptr(), frame, out.as_mut_ptr(), room)
        };
        check(code)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: made by `opus_encoder_create`, and freed here only.
        unsafe { sys::opus_encoder_destroy(self.state.as_ptr()) };
    }
}

/// Pads the packet in `buffer[..len]` to the whole buffer, keeping its DRED.
pub fn pad(buffer: &mut [u8], len: usize) -> Result<(), Error> {
    if len == 0 || len > buffer.len() || buffer.len() > MAX_PACKET {
        return Err(Error::Argument);
    }
    let (short, full) = (length(len)?, length(buffer.len())?);
    // SAFETY: the pointer is to `full` writable bytes, of which the first `short` are the packet.
    let code = unsafe { sys::opus_packet_pad(buffer.as_mut_ptr(), short, full) };
    check(code).map(|_| ())
}

/// How many samples a packet holds at 48 kHz, from its header; no state is touched.
pub fn samples(packet: &[u8]) -> Result<usize, Error> {
    if packet.is_empty() {
        return Err(Error::Packet);
    }
    let len = length(packet.len())?;
    // SAFETY: the pointer is to `len` >= 1 readable bytes.
    let code = unsafe { sys::opus_packet_get_nb_samples(packet.as_ptr(), len, RATE as i32) };
    check(code)
}

/// A mono 48 kHz decoder.
pub struct Decoder {
    state: NonNull<sys::OpusDecoder>,
}

// SAFETY: the state is one heap block without thread affinity, owned by this value alone.
unsafe impl Send for Decoder {}

impl Decoder {
    /// Makes a decoder. `complexity` 5 and more turns the neural concealment on.
    pub fn new(complexity: i32) -> Result<Self, Error> {
        let mut code = 0;
        // SAFETY: `code` outlives the call; the result is checked for null before use.
        let state = unsafe { sys::opus_decoder_create(RATE as i32, 1, &raw mut code) };
        let state = NonNull::new(state).ok_or(Error::Memory)?;
        let decoder = Self { state };
        check(code)?;
        // SAFETY: the state is live, and the request takes one 32-bit integer.
        let code = unsafe {
            sys::opus_decoder_ctl(
                decoder.state.as_ptr(),
                sys::OPUS_SET_COMPLEXITY_REQUEST,
                complexity,
            )
        };
        check(code)?;
        Ok(decoder)
    }

    /// Decodes a packet of exactly `pcm.len()` samples; any other is [`Error::Packet`], untouched.
    pub fn decode(&mut self, packet: &[u8], pcm: &mut [f32]) -> Result<(), Error> {
        if samples(packet)? != pcm.len() {
            return Err(Error::Packet);
        }
        self.run(packet, pcm, false)
    }

    /// Decodes, from the in-band FEC of `packet`, the frame of `pcm.len()` samples before it.
    pub fn decode_fec(&mut self, packet: &[u8], pcm: &mut [f32]) -> Result<(), Error> {
        if samples(packet)? != pcm.len() {
            return Err(Error::Packet);
        }
        self.run(packet, pcm, true)
    }

    /// Conceals `pcm.len()` samples (a multiple of 120) by what was heard before.
    pub fn conceal(&mut self, pcm: &mut [f32]) -> Result<(), Error> {
        self.run(&[], pcm, false)
    }

    fn run(&mut self, packet: &[u8], pcm: &mut [f32], fec: bool) -> Result<(), Error> {
        let (len, frame) = (length(packet.len())?, length(pcm.len())?);
        let data = if packet.is_empty() { core::ptr::null() } else { packet.as_ptr() };
        // SAFETY: the state is live, `data` is null or `len` readable bytes, `pcm` has room for
        // `frame` mono samples.
        let code = unsafe {
            sys::opus_decode_float(
                self.state.as_ptr(),
                data,
                len,
                pcm.as_mut_ptr(),
                frame,
                c_int::from(fec),
            )
        };
        if check(code)? == pcm.len() { Ok(()) } else { Err(Error::Packet) }
    }

    /// Rebuilds `pcm.len()` samples that began `back` samples before the packet read into `dred`.
    ///
    /// Where the redundancy does not reach, libopus conceals instead.
    pub fn rebuild(&mut self, dred: &Dred, back: usize, pcm: &mut [f32]) -> Result<(), Error> {
        if dred.reach == 0 {
            return self.conceal(pcm);
        }
        let (offset, frame) = (length(back)?, length(pcm.len())?);
        // SAFETY: both states are live; `dred.state` was filled by a successful parse, since
        // `reach` is not zero; `pcm` has room for `frame` mono samples.
        let code = unsafe {
            sys::opus_decoder_dred_decode_float(
                self.state.as_ptr(),
                dred.state.as_ptr(),
                offset,
                pcm.as_mut_ptr(),
                frame,
            )
        };
        if check(code)? == pcm.len() { Ok(()) } else { Err(Error::Packet) }
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: made by `opus_decoder_create`, and freed here only.
        unsafe { sys::opus_decoder_destroy(self.state.as_ptr()) };
    }
}

/// The redundancy read from one packet: up to a second of the speech before it.
pub struct Dred {
    model: NonNull<sys::OpusDREDDecoder>,
    state: NonNull<sys::OpusDRED>,
    /// How far back the last packet read reaches, in samples; 0: nothing was read.
    reach: usize,
}

// SAFETY: two heap blocks without thread affinity, owned by this value alone.
unsafe impl Send for Dred {}

impl Dred {
    /// Makes an empty reader.
    pub fn new() -> Result<Self, Error> {
        let mut code = 0;
        // SAFETY: `code` outlives the call; the result is checked for null before use.
        let model = unsafe { sys::opus_dred_decoder_create(&raw mut code) };
        let model = NonNull::new(model).ok_or(Error::Memory)?;
        // SAFETY: as above.
        let state = unsafe { sys::opus_dred_alloc(&raw mut code) };
        let Some(state) = NonNull::new(state) else {
            // SAFETY: made above, and not used again.
            unsafe { sys::opus_dred_decoder_destroy(model.as_ptr()) };
            return Err(Error::Memory);
        };
        let dred = Self { model, state, reach: 0 };
        check(code)?;
        Ok(dred)
    }

    /// Reads the redundancy of `packet`, as far back as `limit` samples need. Returns its reach in
    /// samples before the packet: 0 if there is none. A packet that is no packet is an error.
    pub fn read(&mut self, packet: &[u8], limit: usize) -> Result<usize, Error> {
        self.reach = 0;
        let (len, limit) = (length(packet.len())?, length(limit.min(RATE))?);
        if packet.is_empty() {
            return Err(Error::Packet);
        }
        let mut end = 0;
        // SAFETY: both states are live, `packet` is `len` readable bytes, `end` outlives the call.
        let code = unsafe {
            sys::opus_dred_parse(
                self.model.as_ptr(),
                self.state.as_ptr(),
                packet.as_ptr(),
                len,
                limit,
                RATE as i32,
                &raw mut end,
                0,
            )
        };
        self.reach = check(code)?;
        Ok(self.reach)
    }
}

impl Drop for Dred {
    fn drop(&mut self) {
        // SAFETY: made by `opus_dred_alloc`, and freed here only.
        unsafe { sys::opus_dred_free(self.state.as_ptr()) };
        // SAFETY: made by `opus_dred_decoder_create`, and freed here only.
        unsafe { sys::opus_dred_decoder_destroy(self.model.as_ptr()) };
    }
}

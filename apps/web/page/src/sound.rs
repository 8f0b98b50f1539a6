//! The page's part of the voice path: opens microphone and loudspeaker, and lets the worklet and the worker talk.
//!
//! ```text
//!  microphone ─► worklet "hotline" ─► loudspeaker
//!                    │ MessagePort: samples both ways, past this page
//!                  worker
//! ```
//!
//! The loudspeaker is asked for the shortest bursts that it has. One that stutters with them is asked for longer ones from then on, in this call
//! and the next.
//!
//! While it rings all is made ready but the microphone, which is opened by the answer: that is all that is left to wait for.
//! Echo cancellation, noise suppression and gain are the browser's own. 48 kHz, mono.

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::JsCast as _;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AudioContext, AudioContextOptions, AudioWorkletNode, AudioWorkletNodeOptions, MediaStream,
    MediaStreamConstraints, MediaStreamTrack, MessageChannel,
};

use crate::browser::get;

/// Samples a second.
const RATE: f64 = 48_000.0;
/// How long it is listened to before it can be said to stutter; the part of the time that is too much silence; and how often a second it then
/// is silent at least. A machine that stood still for a moment is silent for long, and seldom.
const LISTENED_S: f64 = 10.0;
const TOO_MUCH: f64 = 0.01;
const OFTEN: f64 = 1.0;

/// Which devices; `None`: the system's choice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// The microphone's id.
    pub microphone: Option<String>,
    /// The loudspeaker's id.
    pub speaker: Option<String>,
    /// The loudspeaker stutters if it plays in bursts as short as it can.
    pub long_bursts: bool,
}

/// Why there is no sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SoundProblem {
    /// The person, or the browser for them, does not let this page use the microphone.
    Refused,
    /// There is no microphone.
    Missing,
    /// Another program has it.
    InUse,
    /// Something else, in the browser's words.
    Other(String),
}

/// A loudspeaker that is connected to the worker, and the microphone once it was opened. Dropped, they are closed.
pub struct Sound {
    context: AudioContext,
    node: AudioWorkletNode,
    stream: Option<MediaStream>,
    worker: web_sys::Worker,
}

impl Sound {
    /// Makes everything ready but the microphone.
    ///
    /// # Errors
    /// [`SoundProblem`].
    pub async fn prepare(
        worker: &web_sys::Worker,
        devices: &Devices,
    ) -> Result<Sound, SoundProblem> {
        let other = |e: JsValue| SoundProblem::Other(words(&e));
        let options = AudioContextOptions::new();
        options.set_sample_rate(RATE as f32);
        // As short as the device can: with "interactive" it is 10 ms a burst in Chromium, and 30 ms to the ear instead of 8.
        let hint = if devices.long_bursts { "interactive".into() } else { 0.0.into() };
        options.set_latency_hint(&hint);
        let context = AudioContext::new_with_context_options(&options).map_err(other)?;
        let made = Sound::connect(&context, worker).await;
        if made.is_err() {
            // It was never heard.
            let _ = context.close();
        }
        let sound = made.map_err(other)?;
        if let Some(speaker) = &devices.speaker {
            sound.set_output(speaker);
        }
        Ok(sound)
    }

    async fn connect(context: &AudioContext, worker: &web_sys::Worker) -> Result<Sound, JsValue> {
        JsFuture::from(context.audio_worklet()?.add_module("worklet.js")?).await?;
        let options = AudioWorkletNodeOptions::new();
        options.set_output_channel_count(&Array::of1(&1.into()));
        options.set_channel_count(1);
        // How much is played at once, as far as the browser says it.
        let latency = get(context, "baseLatency").as_f64().unwrap_or(0.0);
        let burst = Object::new();
        Reflect::set(&burst, &"burst".into(), &(latency * RATE).into())?;
        options.set_processor_options(Some(&burst));
        let node = AudioWorkletNode::new_with_options(context, "hotline", &options)?;
        node.connect_with_audio_node(&context.destination())?;
        let channel = MessageChannel::new()?;
        let (one, two) = (channel.port1(), channel.port2());
        node.port()?.post_message_with_transferable(&one, &Array::of1(&one))?;
        say(worker, &two.clone().into(), &Array::of1(&two))?;
        Ok(Sound { context: context.clone(), node, stream: None, worker: worker.clone() })
    }

    /// Opens the microphone. Call it after a tap or key: browsers start sound at no other time.
    ///
    /// # Errors
    /// [`SoundProblem`].
    pub async fn open_microphone(&mut self, devices: &Devices) -> Result<(), SoundProblem> {
        let other = |e: JsValue| SoundProblem::Other(words(&e));
        // It runs already where the browser let it; both are waited for together.
        let resumed = self.context.resume().map_err(other)?;
        let stream = self.stream.insert(microphone(devices).await?).clone();
        let source = self.context.create_media_stream_source(&stream).map_err(other)?;
        source.connect_with_audio_node(&self.node).map_err(other)?;
        JsFuture::from(resumed).await.map_err(other)?;
        Ok(())
    }

    /// Plays on another loudspeaker, where the browser can (`AudioContext.setSinkId`).
    pub fn set_output(&self, device_id: &str) {
        let name = "setSinkId".into();
        if let Ok(set) = Reflect::get(&self.context, &name)
            && let Ok(set) = set.dyn_into::<js_sys::Function>()
            && let Ok(promise) = set.call1(&self.context, &device_id.into())
            && let Ok(promise) = promise.dyn_into::<js_sys::Promise>()
        {
            // A loudspeaker that is gone leaves the one in use.
            wasm_bindgen_futures::spawn_local(async move {
                let _ = JsFuture::from(promise).await;
            });
        }
    }

    /// Whether the device plays silence in between, since its bursts are too short for it: as far as the browser counts that
    /// (`AudioContext.playbackStats`).
    #[must_use]
    pub fn stutters(&self) -> bool {
        let stats = get(&self.context, "playbackStats");
        let counted = |name| get(&stats, name).as_f64();
        let (total, silent) = (counted("totalDuration"), counted("underrunDuration"));
        let (Some(total), Some(silent), Some(times)) = (total, silent, counted("underrunEvents"))
        else {
            return false;
        };
        total >= LISTENED_S && silent > total * TOO_MUCH && times > total * OFTEN
    }

    /// Closes the devices.
    pub fn stop(self) {}
}

impl Drop for Sound {
    fn drop(&mut self) {
        // The worker may have ended, and the context may be closed: then there is nothing to stop.
        let _ = say(&self.worker, &JsValue::NULL, &Array::new());
        for track in self.stream.iter().flat_map(MediaStream::get_tracks) {
            track.unchecked_into::<MediaStreamTrack>().stop();
        }
        let _ = self.context.close();
    }
}

/// `{sound: port}` to the worker.
fn say(worker: &web_sys::Worker, port: &JsValue, transfer: &Array) -> Result<(), JsValue> {
    let message = Object::new();
    Reflect::set(&message, &"sound".into(), port)?;
    worker.post_message_with_transfer(&message, transfer)
}

async fn microphone(devices: &Devices) -> Result<MediaStream, SoundProblem> {
    let missing = |_| SoundProblem::Missing;
    let window = web_sys::window().ok_or(SoundProblem::Missing)?;
    let media = window.navigator().media_devices().map_err(missing)?;
    let audio = Object::new();
    let mut wanted = vec![
        ("channelCount", JsValue::from(1)),
        ("echoCancellation", JsValue::TRUE),
        ("noiseSuppression", JsValue::TRUE),
        ("autoGainControl", JsValue::TRUE),
    ];
    if let Some(id) = &devices.microphone {
        wanted.push(("deviceId", id.into()));
    }
    for (name, value) in wanted {
        // A new object takes any property.
        let _ = Reflect::set(&audio, &name.into(), &value);
    }
    let constraints = MediaStreamConstraints::new();
    constraints.set_audio(&audio);
    let asked = media.get_user_media_with_constraints(&constraints).map_err(missing)?;
    let stream = JsFuture::from(asked).await.map_err(|e| {
        let name = Reflect::get(&e, &"name".into()).ok().and_then(|n| n.as_string());
        match name.as_deref() {
            Some("NotAllowedError" | "SecurityError") => SoundProblem::Refused,
            Some("NotFoundError" | "OverconstrainedError") => SoundProblem::Missing,
            Some("NotReadableError" | "AbortError") => SoundProblem::InUse,
            _ => SoundProblem::Other(words(&e)),
        }
    })?;
    stream.dyn_into().map_err(missing)
}

fn words(thrown: &JsValue) -> String {
    let message = Reflect::get(thrown, &"message".into()).ok().and_then(|m| m.as_string());
    message.unwrap_or_else(|| "unknown reason".into())
}

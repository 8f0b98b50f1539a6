//! Which microphone and which speaker, and the microphone's test.

use js_sys::Array;
use leptos::prelude::*;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    AnalyserNode, AudioContext, MediaDeviceInfo, MediaDeviceKind, MediaStream, MediaStreamTrack,
};

use crate::app::{App, SoundState};
use crate::browser::{get, object, window};
use crate::parts::icon::{Icon, icon};
use crate::parts::meter::{SILENCE, meter};
use crate::prefs;

/// Identifier and name.
type Choice = (String, String);

/// The two choices.
pub fn devices(app: App) -> AnyView {
    let t = app.t();
    let found: RwSignal<(Vec<Choice>, Vec<Choice>)> = RwSignal::new((Vec::new(), Vec::new()));
    Effect::new(move |_| {
        // Names are told only once the microphone was allowed.
        let _ = app.sound.get();
        spawn_local(async move {
            if let Some(all) = list().await {
                found.set(all);
            }
        });
    });
    let microphone = move |id: Option<String>| {
        app.devices.update(|d| d.microphone = id);
        prefs::choose_devices(&app.devices.get_untracked());
        if app.sound.get_untracked() == SoundState::On {
            app.sound_again();
        }
    };
    let speaker = move |id: Option<String>| {
        app.devices.update(|d| {
            d.speaker.clone_from(&id);
            d.long_bursts = false;
        });
        prefs::choose_devices(&app.devices.get_untracked());
        app.play_on(id);
    };
    view! {
        <div class="devices">
            {select(app, t.microphone, Signal::derive(move || found.get().0),
                Signal::derive(move || app.devices.get().microphone), microphone)}
            {select(app, t.speaker, Signal::derive(move || found.get().1),
                Signal::derive(move || app.devices.get().speaker), speaker)}
        </div>
    }
    .into_any()
}

fn select(
    app: App,
    label: &'static str,
    choices: Signal<Vec<Choice>>,
    chosen: Signal<Option<String>>,
    choose: impl Fn(Option<String>) + 'static,
) -> AnyView {
    let t = app.t();
    let changed = move |e| {
        let id = event_target_value(&e);
        choose((!id.is_empty()).then_some(id));
    };
    view! {
        <label class="field">
            <span>{label}</span>
            <select on:change=changed>
                <option value="" selected=move || chosen.get().is_none()>{t.default_device}</option>
                {move || choices.get().into_iter().map(|(id, name)| {
                    let this = id.clone();
                    view! { <option value=id selected=move || chosen.get().as_ref() == Some(&this)>{name}</option> }
                }).collect_view()}
            </select>
        </label>
    }
    .into_any()
}

async fn list() -> Option<(Vec<Choice>, Vec<Choice>)> {
    let media = window().navigator().media_devices().ok()?;
    let all: Array = JsFuture::from(media.enumerate_devices().ok()?).await.ok()?.unchecked_into();
    let all: Vec<MediaDeviceInfo> = all.iter().map(JsCast::unchecked_into).collect();
    let of = |kind: MediaDeviceKind| {
        let named = |d: &&MediaDeviceInfo| {
            d.kind() == kind
                && !d.label().is_empty()
                && !d.device_id().is_empty()
                && d.device_id() != "default"
        };
        all.iter().filter(named).map(|d| (d.device_id(), d.label())).collect()
    };
    Some((of(MediaDeviceKind::Audioinput), of(MediaDeviceKind::Audiooutput)))
}

/// An open microphone, for its test only; dropped, it is closed.
struct Test {
    context: AudioContext,
    stream: MediaStream,
    analyser: AnalyserNode,
    interval: i32,
    // The browser calls it as long as the interval runs.
    _look: Closure<dyn FnMut()>,
}

impl Drop for Test {
    fn drop(&mut self) {
        window().clear_interval_with_handle(self.interval);
        for track in self.stream.get_tracks() {
            track.unchecked_into::<MediaStreamTrack>().stop();
        }
        // Disconnecting and closing what is closed already does nothing.
        let _ = self.analyser.disconnect();
        let _ = self.context.close();
    }
}

/// The test: a button and a bar that moves.
pub fn test(app: App) -> AnyView {
    let t = app.t();
    let level = RwSignal::new(SILENCE);
    let on = RwSignal::new(false);
    let running: StoredValue<Option<Test>, LocalStorage> = StoredValue::new_local(None);
    let press = move |_| {
        if on.get_untracked() {
            running.set_value(None);
            on.set(false);
            return;
        }
        let wanted = app.devices.get_untracked().microphone;
        spawn_local(async move {
            match open(wanted, level).await {
                Ok(test) => {
                    // The screen may be gone by now; then the test is dropped.
                    if running.try_set_value(Some(test)).is_none() {
                        on.set(true);
                    }
                }
                Err(e) => {
                    let words = match crate::browser::thrown(&e).as_str() {
                        "NotAllowedError" | "SecurityError" => t.mic_refused,
                        "NotReadableError" | "AbortError" => t.mic_in_use,
                        _ => t.mic_missing,
                    };
                    app.notify(words.to_owned(), true);
                }
            }
        });
    };
    view! {
        <div class="stack">
            <button on:click=press>
                {icon(Icon::Mic)}
                <span>{move || if on.get() { t.stop_test } else { t.test_mic }}</span>
            </button>
            {move || on.get().then(|| view! {
                <p class="hint">{t.test_body}</p>
                {meter(move || t.microphone.to_owned(), move || level.get())}
            })}
        </div>
    }
    .into_any()
}

async fn open(device: Option<String>, level: RwSignal<f32>) -> Result<Test, JsValue> {
    let audio = device.map_or(JsValue::TRUE, |id| object(&[("deviceId", id.into())]));
    let media = get(&window().navigator(), "mediaDevices");
    let asked = object(&[("audio", audio)]);
    let stream: MediaStream =
        crate::browser::ask(&media, "getUserMedia", &[asked]).await?.unchecked_into();
    let context = AudioContext::new()?;
    let analyser = context.create_analyser()?;
    analyser.set_fft_size(1024);
    context.create_media_stream_source(&stream)?.connect_with_audio_node(&analyser)?;
    let reading = analyser.clone();
    let mut samples = vec![0.0f32; 1024];
    let look = Closure::<dyn FnMut()>::new(move || {
        reading.get_float_time_domain_data(&mut samples);
        let power: f32 = samples.iter().map(|s| s * s).sum();
        // Not there any more: the screen is gone.
        let _ = level.try_set(10.0 * (power / 1024.0 + 1e-9).log10());
    });
    let interval = window().set_interval_with_callback_and_timeout_and_arguments_0(
        look.as_ref().unchecked_ref(),
        100,
    )?;
    Ok(Test { context, stream, analyser, interval, _look: look })
}

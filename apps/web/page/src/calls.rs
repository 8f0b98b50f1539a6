//! What people do with calls, and the devices that run meanwhile.
//!
//! The microphone is opened by the tap or key that calls or answers, from the moment the finger is on it, never before; all is closed with the
//! last call, and when the finger is lifted somewhere else.

use leptos::prelude::*;
use protocol::{CallState, Command, ContactView, Precedence};
use wasm_bindgen_futures::spawn_local;

use crate::app::{App, SoundState, under_way};
use crate::browser;
use crate::prefs;
use crate::sound::{Devices, Sound};

/// A click follows the lifted finger within this time, or does not come.
const CLICK_MS: i32 = 400;

impl App {
    /// Rings a contact.
    pub fn ring(self, contact: &ContactView) {
        self.call_id(contact.id);
    }

    /// Rings a contact by number.
    pub fn call_id(self, contact: u32) {
        self.call_as(contact, Precedence::Routine);
    }

    /// Rings a contact, as urgently as it lets this person.
    pub fn call_as(self, contact: u32, precedence: Precedence) {
        self.place(match precedence {
            Precedence::Routine => Command::Call { contact },
            precedence => Command::CallUrgent { contact, precedence },
        });
    }

    /// Rings a contact in the name of another one.
    pub fn call_for(self, contact: u32, principal: u32) {
        self.place(Command::CallFor { contact, principal });
    }

    /// Comes into the call that a contact is in. `listens`: as a note-taker, who sends no voice.
    pub fn join(self, contact: u32, listens: bool) {
        self.place(Command::Join { contact, listens });
    }

    fn place(self, command: Command) {
        self.sound_on();
        let others = self.connected();
        for call in others {
            self.command(Command::Hold { call, on: true });
        }
        self.command(command);
    }

    /// Answers; a call that talks is held by that.
    pub fn answer(self, call: u32) {
        self.pressed.set_value(false);
        self.sound_on();
        self.command(Command::Answer { call });
    }

    /// A finger is on the key that answers: browsers take some tenths of a second to open a microphone, and people half of that to lift the finger.
    pub fn press_answer(self) {
        if matches!(
            self.sound.get_untracked(),
            SoundState::Off | SoundState::Preparing | SoundState::Ready
        ) {
            self.pressed.set_value(true);
            self.sound_on();
        }
    }

    /// The finger is lifted, or has left the key. If that was no answer, the microphone is closed again.
    pub fn let_go(self) {
        browser::after(CLICK_MS, move || {
            if self.pressed.get_value() {
                self.pressed.set_value(false);
                self.close_devices();
                self.sound.set(SoundState::Off);
            }
        });
    }

    /// Ends a call, whatever it is doing.
    pub fn end(self, call: u32) {
        let state =
            self.view.with_untracked(|v| v.calls.iter().find(|c| c.id == call).map(|c| c.state));
        match state {
            Some(CallState::Calling | CallState::Reached | CallState::Ringing) => {
                self.command(Command::Cancel { call });
            }
            Some(CallState::RingingHere) => self.command(Command::Decline { call }),
            Some(CallState::Ended(_)) | None => {}
            Some(_) => self.command(Command::HangUp { call }),
        }
    }

    /// Holds or resumes a call.
    pub fn hold(self, call: u32) {
        let held = self.view.with_untracked(|v| {
            v.calls.iter().any(|c| c.id == call && c.state == CallState::HeldByMe)
        });
        self.command(Command::Hold { call, on: !held });
    }

    /// Resumes a call that is put aside.
    pub fn resume(self, call: u32) {
        self.sound_on();
        self.command(Command::Hold { call, on: false });
    }

    /// Mutes or unmutes.
    pub fn toggle_mute(self) {
        let muted = self.view.with_untracked(|v| v.muted);
        self.command(Command::Mute { on: !muted });
    }

    fn connected(self) -> Vec<u32> {
        self.view.with_untracked(|v| {
            let talks = |c: &&protocol::CallView| {
                matches!(c.state, CallState::Connected | CallState::HeldByOther)
            };
            v.calls.iter().filter(talks).map(|c| c.id).collect()
        })
    }

    /// It rings: makes ready what the answer will need, and leaves the microphone closed.
    pub fn sound_ready(self) {
        if self.sound.get_untracked() == SoundState::Off {
            self.sound.set(SoundState::Preparing);
            self.start();
        }
    }

    /// Opens the devices, unless they run, are being opened or failed.
    pub fn sound_on(self) {
        match self.sound.get_untracked() {
            SoundState::Off => self.sound_again(),
            // Whoever prepares goes on by itself.
            SoundState::Preparing => self.sound.set(SoundState::Starting),
            SoundState::Ready => {
                self.sound.set(SoundState::Starting);
                if let Some(sound) = self.running.try_update_value(Option::take).flatten() {
                    let devices = self.devices.get_untracked();
                    spawn_local(self.open_microphone(sound, devices));
                }
            }
            SoundState::Starting | SoundState::On | SoundState::Failed(_) => {}
        }
    }

    /// Opens the devices, after they failed or others were chosen.
    pub fn sound_again(self) {
        let state = self.sound.get_untracked();
        if matches!(state, SoundState::Starting | SoundState::Preparing) {
            return;
        }
        self.close_devices();
        self.sound.set(SoundState::Starting);
        self.start();
    }

    fn start(self) {
        let Some(link) = self.link.get_value() else { return };
        let devices = self.devices.get_untracked();
        spawn_local(async move {
            let prepared = Sound::prepare(link.worker(), &devices).await;
            match (prepared, self.sound.get_untracked()) {
                (Ok(sound), SoundState::Starting) => self.open_microphone(sound, devices).await,
                (Ok(sound), SoundState::Preparing) => {
                    self.running.set_value(Some(sound));
                    self.sound.set(SoundState::Ready);
                }
                // The call ended while the browser worked.
                (Ok(sound), _) => sound.stop(),
                (Err(problem), SoundState::Starting) => {
                    self.sound.set(SoundState::Failed(problem));
                }
                // The answer tries again, and tells.
                (Err(_), _) => self.sound.set(SoundState::Off),
            }
        });
    }

    async fn open_microphone(self, mut sound: Sound, devices: Devices) {
        let opened = sound.open_microphone(&devices).await;
        match opened {
            // The call ended while the browser asked.
            _ if self.sound.get_untracked() != SoundState::Starting => sound.stop(),
            Ok(()) => {
                self.running.set_value(Some(sound));
                self.sound.set(SoundState::On);
                if devices != self.devices.get_untracked() {
                    self.sound_again();
                }
            }
            Err(problem) => self.sound.set(SoundState::Failed(problem)),
        }
    }

    /// A loudspeaker that stutters is opened anew, with longer bursts.
    pub fn hear_evenly(self) {
        let stutters = self.running.with_value(|sound| sound.as_ref().is_some_and(Sound::stutters));
        let long = self.devices.with_untracked(|d| d.long_bursts);
        if stutters && !long && self.sound.get_untracked() == SoundState::On {
            self.devices.update(|d| d.long_bursts = true);
            prefs::choose_devices(&self.devices.get_untracked());
            self.sound_again();
        }
    }

    /// Closes the devices.
    pub fn silence(self) {
        // A call that was just asked for is not in the view yet.
        if self.sound.get_untracked() == SoundState::Starting
            && !self.pressed.get_value()
            && self.phase.get_untracked() == crate::app::Phase::Open
        {
            return;
        }
        self.pressed.set_value(false);
        self.close_devices();
        self.sound.set(SoundState::Off);
    }

    fn close_devices(self) {
        if let Some(sound) = self.running.try_update_value(Option::take).flatten() {
            sound.stop();
        }
    }

    /// Takes another loudspeaker at once.
    pub fn play_on(self, device: Option<String>) {
        self.running.with_value(|sound| {
            if let Some(sound) = sound {
                sound.set_output(device.as_deref().unwrap_or_default());
            }
        });
    }

    /// Whether any call is under way, followed.
    #[must_use]
    pub fn calls_under_way(self) -> Memo<bool> {
        self.part(|v| v.calls.iter().any(|c| under_way(c.state)))
    }
}

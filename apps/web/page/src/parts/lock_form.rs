//! How the store is locked: passkey, passphrase, or nothing kept. For first use, and for changing the lock.

use leptos::prelude::*;
use protocol::LockChoice;
use wasm_bindgen_futures::spawn_local;

use crate::app::App;
use crate::parts::icon::{Icon, icon};
use crate::passkey;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Passkey,
    Passphrase,
    Nothing,
}

/// How hard a passphrase is to guess, roughly: what matters is length and variety.
#[must_use]
pub fn strength(secret: &str) -> usize {
    let letters = secret.chars().count();
    let words =
        secret.split(|c: char| !c.is_alphanumeric()).filter(|w| w.chars().count() > 2).count();
    let different = secret.chars().collect::<std::collections::HashSet<_>>().len();
    match (letters, words, different) {
        (20.., 4.., 8..) | (16.., _, 11..) => 2,
        (12.., 2.., 6..) | (10.., _, 7..) => 1,
        _ => 0,
    }
}

/// The form. `name` is for the passkey; `chosen` gets the choice.
pub fn lock_form(
    app: App,
    nothing_too: bool,
    button: &'static str,
    name: Signal<String>,
    chosen: impl Fn(LockChoice) + Copy + Send + Sync + 'static,
) -> AnyView {
    let t = app.t();
    let keeps = app.storable.get_untracked() || !nothing_too;
    let kind = RwSignal::new(if keeps && !app.fragment.get_untracked().keep_nothing {
        Kind::Passphrase
    } else {
        Kind::Nothing
    });
    let has_passkey = RwSignal::new(false);
    let failed = RwSignal::new(None::<&'static str>);
    let one = RwSignal::new(String::new());
    let two = RwSignal::new(String::new());
    let shown = RwSignal::new(false);
    spawn_local(async move {
        if keeps && passkey::offered().await {
            // The screen may be gone by now.
            let _ = has_passkey.try_set(true);
            if one.try_with_untracked(String::is_empty) == Some(true)
                && kind.try_get_untracked() == Some(Kind::Passphrase)
            {
                let _ = kind.try_set(Kind::Passkey);
            }
        }
    });
    let hard = Memo::new(move |_| strength(&one.get()));
    let usable = move || match kind.get() {
        Kind::Passphrase => hard.get() > 0 && one.get() == two.get(),
        _ => true,
    };
    let go = move |e: leptos::ev::SubmitEvent| {
        e.prevent_default();
        failed.set(None);
        match kind.get_untracked() {
            Kind::Nothing => chosen(LockChoice::Nothing),
            Kind::Passphrase => chosen(LockChoice::Passphrase { secret: one.get_untracked() }),
            Kind::Passkey => {
                app.busy.set(true);
                let name = name.get_untracked();
                spawn_local(async move {
                    match passkey::make(&name).await {
                        Ok(g) => chosen(LockChoice::Passkey {
                            secret: g.secret,
                            credential: g.credential,
                            salt: g.salt,
                        }),
                        Err(problem) => {
                            app.busy.set(false);
                            let no_prf = problem == passkey::Problem::NoPrf;
                            failed.set(Some(if no_prf {
                                t.passkey_no_prf
                            } else {
                                t.passkey_failed
                            }));
                            if no_prf {
                                kind.set(Kind::Passphrase);
                            }
                        }
                    }
                });
            }
        }
    };
    let choice = move |this: Kind, of: Icon, title: &'static str, body: &'static str| {
        view! {
            <label class="choice" class:chosen=move || kind.get() == this>
                <input type="radio" name="lock" prop:checked=move || kind.get() == this on:change=move |_| kind.set(this) />
                {icon(of)}
                <span><strong>{title}</strong><span class="hint">{body}</span></span>
            </label>
        }
    };
    let secret = move |label: &'static str, value: RwSignal<String>| {
        view! {
            <label class="field">
                <span>{label}</span>
                <input
                    type=move || if shown.get() { "text" } else { "password" }
                    autocomplete="new-password"
                    prop:value=move || value.get()
                    on:input=move |e| value.set(event_target_value(&e))
                />
            </label>
        }
    };
    view! {
        <form class="stack" on:submit=go>
            <fieldset class="stack">
                <legend>{t.keep_title}</legend>
                {move || has_passkey.get().then(|| choice(Kind::Passkey, Icon::Key, t.passkey, t.passkey_body))}
                {keeps.then(|| choice(Kind::Passphrase, Icon::Lock, t.passphrase, t.passphrase_body))}
                {nothing_too.then(|| choice(Kind::Nothing, Icon::Cross, t.nothing, t.nothing_body))}
            </fieldset>
            {move || (kind.get() == Kind::Passphrase).then(|| view! {
                <div class="stack">
                    {secret(t.passphrase_new, one)}
                    <p class=move || format!("strength s{}", if one.get().is_empty() { 3 } else { hard.get() }) role="status">
                        <span class="bars" aria-hidden="true"><i></i><i></i><i></i></span>
                        <span>{move || if one.get().is_empty() { "" } else { [t.weak, t.fair, t.strong][hard.get()] }}</span>
                    </p>
                    {secret(t.passphrase_again, two)}
                    {move || (!two.get().is_empty() && !one.get().starts_with(&two.get()))
                        .then(|| view! { <p class="problem" role="alert">{icon(Icon::Alert)}<span>{t.differ}</span></p> })}
                </div>
            })}
            {move || failed.get().map(|words| view! {
                <p class="problem" role="alert">{icon(Icon::Alert)}<span>{words}</span></p>
            })}
            <button class="primary wide" type="submit" disabled=move || !usable() || app.busy.get()>
                {move || if app.busy.get() { t.making } else { button }}
            </button>
        </form>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::strength;

    #[test]
    fn length_and_variety_count() {
        assert_eq!(strength("password"), 0);
        assert_eq!(strength("aaaaaaaaaaaaaaaaaaaaaa"), 0);
        assert_eq!(strength("river stone"), 1);
        assert_eq!(strength("river stone candle north"), 2);
    }
}

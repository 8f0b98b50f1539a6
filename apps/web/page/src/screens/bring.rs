//! Somebody is brought into a call: whom, as what, and who is expected.

use leptos::html;
use leptos::prelude::*;
use protocol::{Command, Precedence, Role};

use crate::app::App;
use crate::parts::icon::{Icon, icon};
use crate::parts::urgency::choose;
use crate::words;

/// The button, and the sheet that it opens.
pub fn bring(app: App, id: u32) -> AnyView {
    let t = app.t();
    let dialog = NodeRef::<html::Dialog>::new();
    let (whom, role) = (RwSignal::new(None::<u32>), RwSignal::new(Role::Principal));
    let expected = RwSignal::new(String::new());
    let urgency = RwSignal::new(Precedence::Routine);
    // As urgent as whoever is rung lets this person.
    let highest = app.part(move |v| {
        let chosen = whom.get();
        v.contacts.iter().find(|c| Some(c.id) == chosen).map(|c| c.may_claim).unwrap_or_default()
    });
    let choices = app.part(move |v| {
        let call = v.calls.iter().find(|c| c.id == id);
        let free = |c: &&protocol::ContactView| {
            words::callable(c) && call.is_some_and(|call| words::room::can_be_brought(call, c.id))
        };
        let named = |c: &protocol::ContactView| (c.id, format!("{} · {}", c.name, c.office));
        v.contacts.iter().filter(free).map(named).collect::<Vec<_>>()
    });
    let open = move |()| {
        whom.set(None);
        urgency.set(Precedence::Routine);
        expected.set(String::new());
        if let Some(dialog) = dialog.get_untracked() {
            // Open already: nothing to do.
            let _ = dialog.show_modal();
        }
    };
    Effect::new(move |_| {
        // Somebody was dropped on the call, or chosen for it.
        if let Some(who) = app.offered.get() {
            app.offered.set(None);
            open(());
            whom.set(Some(who));
        }
    });
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let go = move |e: leptos::ev::SubmitEvent| {
        e.prevent_default();
        let Some(contact) = whom.get_untracked() else { return };
        let (role, expected) = (role.get_untracked(), expected.get_untracked().trim().to_owned());
        let precedence = urgency.get_untracked().min(highest.get_untracked());
        app.want(Command::Bring { call: id, contact, role, expected, precedence }, close);
    };
    let means = move || match role.get() {
        Role::Principal => Some(t.bring_attends),
        listens if !listens.speaks() => Some(t.bring_listens),
        _ => None,
    };
    view! {
        <button id="key-bring" class="bring" aria-keyshortcuts="b" aria-haspopup="dialog" on:click=move |_| open(())>
            {icon(Icon::People)}<span>{t.bring}</span>
        </button>
        <dialog node_ref=dialog class="sheet" aria-labelledby="bring-title">
            <h2 id="bring-title">{t.bring}</h2>
            <form class="stack" on:submit=go>
                <label class="field">
                    <span>{t.bring_who}</span>
                    <select required on:change=move |e| whom.set(event_target_value(&e).parse().ok())>
                        <option value="" selected=move || whom.get().is_none()>
                            {move || if choices.get().is_empty() { t.bring_nobody } else { t.bring_choose }}
                        </option>
                        {move || choices.get().into_iter().map(|(id, name)| view! {
                            <option value=id.to_string() selected=move || whom.get() == Some(id)>{name}</option>
                        }).collect_view()}
                    </select>
                </label>
                <label class="field">
                    <span>{t.bring_as}</span>
                    <select aria-describedby="bring-means" on:change=move |e| {
                        let n: usize = event_target_value(&e).parse().unwrap_or_default();
                        role.set(Role::BROUGHT.get(n).copied().unwrap_or(Role::Principal));
                    }>
                        {Role::BROUGHT.iter().enumerate().map(|(n, of)| view! {
                            <option value=n.to_string() selected=move || role.get() == *of>{words::room::role(*of, t)}</option>
                        }).collect_view()}
                    </select>
                    <span id="bring-means" class="hint" role="status">{means}</span>
                </label>
                <label class="field">
                    <span>{t.bring_expected}</span>
                    <input type="text" maxlength="60" dir="auto" autocomplete="off" aria-describedby="bring-expected"
                        prop:value=move || expected.get() on:input=move |e| expected.set(event_target_value(&e)) />
                    <span id="bring-expected" class="hint">{t.bring_expected_body}</span>
                </label>
                {move || Some(highest.get()).filter(|of| *of > Precedence::Routine).map(|highest| {
                    choose(app, t.p_how, highest, urgency.into(), move |of| urgency.set(of))
                })}
                <div class="row end">
                    <button type="button" on:click=move |_| close()>{t.cancel}</button>
                    <button type="submit" class="go" disabled=move || whom.get().is_none()>
                        {icon(Icon::Phone)}<span>{t.bring_ring}</span>
                    </button>
                </div>
            </form>
        </dialog>
    }
    .into_any()
}

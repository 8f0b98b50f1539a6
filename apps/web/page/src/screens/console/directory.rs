//! Everybody who can be rung: the own office first. Arrows go from one to the next, Enter brings in or rings.

use leptos::html;
use leptos::prelude::*;
use protocol::{Command, ContactView, Direction, End, Precedence};
use wasm_bindgen::JsCast as _;

use super::{offer, takes};
use crate::app::App;
use crate::browser;
use crate::parts::avatar::avatar;
use crate::parts::icon::{Icon, icon};
use crate::parts::state::{spoken, state};
use crate::text::fill;
use crate::words::{self, Tone};

/// For how long a contact that is busy is rung again. Minutes.
const CAMP: u32 = 15;

/// The directory.
pub(super) fn directory(app: App) -> AnyView {
    let t = app.t();
    let wanted = RwSignal::new(String::new());
    let field = NodeRef::<html::Input>::new();
    let here = RwSignal::new(None::<u32>);
    let groups = app.part(move |v| {
        let wanted = wanted.get().to_lowercase();
        let fits = |c: &&ContactView| {
            let found = |text: &str| text.to_lowercase().contains(wanted.trim());
            words::callable(c) && (found(&c.name) || found(&c.office))
        };
        let mut found: Vec<_> = v.contacts.iter().filter(fits).collect();
        found.sort_by_key(|c| c.name.to_lowercase());
        let (own, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|c| c.own_office);
        [own, others].map(|list| list.iter().map(|c| c.id).collect::<Vec<_>>())
    });
    // One of them is reached by Tab: where one was, or the first.
    let stop = Memo::new(move |_| {
        groups.with(|[own, others]| {
            let all = || own.iter().chain(others).copied();
            here.get().filter(|id| all().any(|other| other == *id)).or_else(|| all().next())
        })
    });
    let group = move |n: usize, title: &'static str| {
        let ids = Memo::new(move |_| groups.with(|g| g[n].clone()));
        move || {
            (!ids.with(Vec::is_empty)).then(|| view! {
                <h3>{title}</h3>
                <ul class="rows">
                    <For each=move || ids.get() key=|id| *id children=move |id| row(app, id, stop, here) />
                </ul>
            })
        }
    };
    view! {
        <section class="directory" aria-label=t.con_directory on:keydown=move |e| arrows(&e)>
            <h2>{t.con_directory}</h2>
            <label class="search">
                {icon(Icon::Search)}
                <input id="key-find" type="search" placeholder=t.search aria-label=t.search aria-keyshortcuts="b" autocomplete="off"
                    prop:value=move || wanted.get() on:input=move |e| wanted.set(event_target_value(&e))
                    // What was looked for last gives way to what is typed now.
                    on:focus=move |_| if let Some(field) = field.get_untracked() { field.select() }
                    node_ref=field />
            </label>
            <div class="directory-list">
                {group(0, t.con_own)}
                {group(1, t.con_others)}
                {move || groups.with(|g| g.iter().all(Vec::is_empty)).then(|| view! { <p class="empty small">{t.none_found}</p> })}
            </div>
        </section>
    }
    .into_any()
}

/// Up and down go from person to person; from the search, to the first.
fn arrows(e: &leptos::ev::KeyboardEvent) {
    let step: i32 = match e.key().as_str() {
        "ArrowDown" => 1,
        "ArrowUp" => -1,
        _ => return,
    };
    let Ok(rows) = browser::document().query_selector_all(".dir-main") else { return };
    let element =
        |n: u32| rows.item(n).and_then(|node| node.dyn_into::<web_sys::HtmlElement>().ok());
    let active = browser::document().active_element();
    let is_active = |n: &u32| element(*n).map(web_sys::Element::from) == active;
    let next = match (0..rows.length()).find(is_active) {
        Some(at) => at.checked_add_signed(step),
        None if step > 0 => Some(0),
        None => return,
    };
    e.prevent_default();
    match next {
        // What cannot be focused is reached by Tab.
        Some(next) => drop(element(next).map(|row| row.focus())),
        None => drop(find().map(|field| field.focus())),
    }
}

fn find() -> Option<web_sys::HtmlElement> {
    browser::document().get_element_by_id("key-find")?.dyn_into().ok()
}

fn row(app: App, id: u32, stop: Memo<Option<u32>>, here: RwSignal<Option<u32>>) -> AnyView {
    let t = app.t();
    let contact = app.contact(id);
    let name = Memo::new(move |_| contact.get().map(|c| c.name).unwrap_or_default());
    let tab = move || if stop.get() == Some(id) { "0" } else { "-1" };
    let claims = Memo::new(move |_| contact.get().map(|c| c.may_claim).unwrap_or_default());
    let brings = Memo::new(move |_| takes(app).is_some());
    let does = move || fill(if brings.get() { t.con_bring } else { t.call_who }, &name.get());
    let camp = app.part(move |v| {
        let with =
            |h: &&protocol::HistoryView| h.contact == id && h.direction == Direction::Outgoing;
        let busy = v.history.iter().find(with).is_some_and(|h| h.end == End::Busy);
        (v.camps.iter().find(|c| c.contact == id).copied(), busy)
    });
    let camped = move || {
        let (camp, busy) = camp.get();
        match camp {
            Some(camp) => {
                let until = browser::clock(camp.until_ms, app.tag());
                let said = if camp.rings { t.con_camp_rings.to_owned() } else { fill(t.con_camping, &until) };
                view! {
                    <div class="camp">
                        {spoken(Icon::Refresh, Tone::Calm, said)}
                        <button class="small" tabindex=tab on:click=move |_| app.command(Command::EndCamp { contact: id })>{t.con_stop}</button>
                    </div>
                }.into_any()
            }
            None if busy => view! {
                <div class="camp">
                    {spoken(Icon::Block, Tone::Care, t.e_busy.to_owned())}
                    <button class="small" tabindex=tab on:click=move |_| app.command(Command::Camp { contact: id, minutes: CAMP })>{t.con_camp}</button>
                </div>
            }.into_any(),
            None => ().into_any(),
        }
    };
    view! {
        <li class="contact">
            <button class="contact-main dir-main" tabindex=tab draggable="true" title=does
                on:focus=move |_| here.set(Some(id))
                on:dragstart=move |e| {
                    if let Some(data) = e.data_transfer() {
                        // Some browsers drag nothing that carries nothing.
                        let _ = data.set_data("text/plain", &id.to_string());
                    }
                    app.dragged.set(Some(id));
                }
                on:dragend=move |_| app.dragged.set(None)
                on:click=move |_| offer(app, id)>
                {move || avatar(&name.get(), false)}
                <span class="contact-words">
                    <strong dir="auto">{move || name.get()}</strong>
                    <span class="hint" dir="auto">{move || contact.get().map(|c| c.office)}</span>
                    {move || contact.get().map(|c| state(match c.lamp {
                        Some(lamp) => words::lamp(lamp, t),
                        None => words::contact(&c, t),
                    }))}
                    <span class="unseen">{does}</span>
                </span>
                {move || icon(if brings.get() { Icon::People } else { Icon::Phone })}
            </button>
            {move || (claims.get() > Precedence::Routine).then(|| {
                let (highest, label) = (claims.get(), format!("{}: {}", t.p_call, name.get()));
                let all = Precedence::ALL.into_iter().filter(move |of| *of > Precedence::Routine && *of <= highest);
                view! {
                    <div class="urgent-keys" role="group" aria-label=label>
                        {all.map(|of| words::precedence(of, t).map(|(sign, word)| view! {
                            <button class="small" tabindex=tab aria-label=format!("{word}: {}", name.get_untracked()) title=word
                                on:click=move |_| app.call_as(id, of)>{sign}</button>
                        })).collect_view()}
                    </div>
                }
            })}
            {move || brings.get().then(|| {
                let label = fill(t.call_who, &name.get());
                view! {
                    <button class="round call-now" tabindex=tab aria-label=label.clone() title=label on:click=move |_| app.call_id(id)>
                        {icon(Icon::Phone)}
                    </button>
                }
            })}
            {camped}
        </li>
    }
    .into_any()
}

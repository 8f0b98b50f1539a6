//! The open handset: rows of screens, the contacts beside the screen in front, a call above all.
//!
//! ```text
//!  wide    rail │ contacts │ screen          narrow    screen or contacts
//!                                                      rail below
//! ```

use leptos::prelude::*;

use crate::app::{App, Route};
use crate::parts::banners::{banners, notice};
use crate::parts::heading::heading;
use crate::parts::icon::{Icon, icon};
use crate::screens::{
    call, card, cards, console, contact, contacts, give, history, incoming, settings, take, texts,
    transfer, verify,
};
use crate::words;

/// The open handset.
pub fn home(app: App) -> AnyView {
    let t = app.t();
    let here = move || match app.route.get() {
        Route::Contacts => "shell at-list",
        Route::Console => "shell at-console",
        _ => "shell at-screen",
    };
    let comes_in = app.incoming();
    // On the console they wait in its queue.
    let rings = Memo::new(move |_| comes_in.get().filter(|_| !app.at_console()));
    view! {
        <a class="skip" href="#screen" on:click=skip>{t.skip}</a>
        <div class=here inert=move || rings.get().is_some()>
            {rail(app)}
            <div class="above">{banners(app)}{transfer::beside(app)}{console::shift::comes(app)}{call_bar(app)}</div>
            {contacts::contacts(app)}
            <main id="screen" class="screen" tabindex="-1">
                {move || {
                    let route = app.route.get();
                    // Made once for each route: what changes in it follows its own signals.
                    untrack(|| screen(app, route))
                }}
            </main>
        </div>
        {notice(app)}
        {move || rings.get().map(|id| incoming::incoming(app, id))}
    }
    .into_any()
}

/// Without a fragment in the address, which the link's secret had.
fn skip(e: leptos::ev::MouseEvent) {
    e.prevent_default();
    use wasm_bindgen::JsCast as _;
    let screen = crate::browser::document().get_element_by_id("screen");
    if let Some(screen) = screen.and_then(|s| s.dyn_into::<web_sys::HtmlElement>().ok()) {
        // What cannot be focused is reached by the next Tab.
        let _ = screen.focus();
    }
}

fn screen(app: App, route: Route) -> AnyView {
    match route {
        Route::Contacts => nobody_chosen(app),
        Route::Contact(id) => contact::contact(app, id),
        Route::Verify(id) => verify::verify(app, id),
        Route::Texts(id) => texts::texts(app, id),
        Route::Cards => cards::cards(app),
        Route::Give { own } => give::give(app, own),
        Route::Card(id) => card::card(app, id),
        Route::Take => take::take(app),
        Route::History => history::history(app),
        Route::Settings => settings::settings(app),
        Route::Console => console::console(app),
        Route::Call => call::call(app),
    }
}

fn nobody_chosen(app: App) -> AnyView {
    let t = app.t();
    view! {
        <div class="empty">
            <span class="gate-icon">{icon(Icon::Phone)}</span>
            {heading(move || t.choose_title.to_owned())}
            <p>{t.choose_body}</p>
        </div>
    }
    .into_any()
}

fn rail(app: App) -> AnyView {
    let t = app.t();
    let missed = app.part(|v| v.missed);
    let position = app.part(|v| v.position.is_some());
    let waiting = app
        .part(|v| v.calls.iter().filter(|c| c.state == protocol::CallState::RingingHere).count());
    let here = move |to: Route| {
        let route = app.route.get();
        match to {
            Route::Contacts => matches!(
                route,
                Route::Contacts
                    | Route::Contact(_)
                    | Route::Verify(_)
                    | Route::Texts(_)
                    | Route::Call
            ),
            Route::Cards => {
                matches!(route, Route::Cards | Route::Give { .. } | Route::Card(_) | Route::Take)
            }
            other => route == other,
        }
    };
    let tab = move |to: Route,
                    of: Icon,
                    words: &'static str,
                    badge: Option<(Memo<usize>, &'static str)>| {
        view! {
            <button class="tab" class:here=move || here(to)
                aria-current=move || here(to).then_some("page")
                on:click=move |_| app.go_first(to)>
                <span class="tab-icon">{icon(of)}</span>
                <span>{words}</span>
                {badge.map(|(n, says)| move || (n.get() > 0).then(|| view! {
                    <span class="badge">
                        <span aria-hidden="true">{n.get()}</span>
                        <span class="unseen">{crate::text::fill(says, &n.get().to_string())}</span>
                    </span>
                }))}
            </button>
        }
        .into_any()
    };
    view! {
        <nav class="rail" aria-label="Hotline">
            {move || position.get().then(|| tab(Route::Console, Icon::Headset, t.console, Some((waiting, t.con_waiting_n))))}
            {tab(Route::Contacts, Icon::People, t.contacts, None)}
            {tab(Route::History, Icon::Clock, t.history, Some((missed, t.missed)))}
            {tab(Route::Cards, Icon::Card, t.cards, None)}
            {tab(Route::Settings, Icon::Settings, t.settings, None)}
        </nav>
    }
    .into_any()
}

/// The way back to a call that goes on behind another screen.
fn call_bar(app: App) -> AnyView {
    let t = app.t();
    let shown = app.shown_call();
    let facts = app.part(move |v| {
        let id = shown.get()?;
        let call = v.calls.iter().find(|c| c.id == id && crate::app::under_way(c.state))?;
        let of_room = call.room.as_ref().and_then(words::room::with_whom).map(|(name, _)| name);
        let of_contact =
            || v.contacts.iter().find(|c| c.id == call.contact).map(|c| c.name.clone());
        let name = of_room.or_else(of_contact);
        Some((name.unwrap_or_default(), words::room::state(call, t).0.words))
    });
    (move || {
        let (name, state) = facts.get().filter(|_| app.route.get() != Route::Call)?;
        Some(view! {
            <button class="call-bar" on:click=move |_| app.go(Route::Call)>
                {icon(Icon::Phone)}
                <span><strong>{name}</strong>" · "{state}</span>
                <span class="call-bar-go">{t.back_to_call}</span>
            </button>
        })
    })
    .into_any()
}

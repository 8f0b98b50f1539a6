//! Every word that the page says: one table a language, all of one type, so that a missing string does not compile.
//!
//! `{}` stands for what [`fill`] puts in: a name, a time, a number.

mod ar;
mod en;
mod es;
mod fr;
#[cfg(test)]
mod tests;

macro_rules! table {
    ($($name:ident,)*) => {
        /// The strings of one language, named for what they say in English.
        #[allow(missing_docs, reason = "the English table says each")]
        pub struct Text {
            $(pub $name: &'static str,)*
        }

        impl Text {
            /// Every string with its name, for tests.
            #[must_use]
            pub fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

table! {
    loading, cancel, back, close, done, save, copy, copied, retry, next, skip, contacts, history,
    cards, settings, back_to_call, elsewhere_title, elsewhere_body, unsupported_title,
    no_transport, insecure, broken_title, broken_body, reload, storage_refused, no_link_title,
    no_link_body, paste_link, bad_link, hello, hello_nobody, first_body, your_name,
    your_exchange, keep_title, passkey, passkey_body, passphrase, passphrase_body, nothing,
    nothing_body, passphrase_new, passphrase_again, differ, weak, fair, strong, start, making,
    passkey_failed, passkey_no_prf, already, unlock_title, unlock, unlock_passkey, wrong,
    opening, forgot, forgot_body, wipe, wipe_body, wipe_word, wipe_type, lock_now, line_up,
    line_connecting, line_down, not_enrolled, line_down_body, store_fails, clock_wrong, not_kept,
    refused_line, mail_waiting, update, update_now, notify_ask, notify_yes, notify_no, search,
    nobody_title, nobody_body, none_found, give_card, take_card, call, call_who, missed,
    choose_title, choose_body, s_alarmed, s_own, s_own_wants, s_redeeming, s_redeemed, s_refused,
    s_revoked, s_gone, s_blocked, s_unverified, s_pinned, s_verified, refused_body, waiting_body,
    used, unused, ready, not_ready, verify, texts, rename, new_name, policy, trusted,
    trusted_body, block, block_body, revoke, revoke_body, hand_card, hand_card_body,
    verify_title, verify_lead, your_words, their_words, none_matches, later, verified_title,
    verified_body, alarm_title, alarm_body, cards_none, card_hint, card_way, way_person,
    way_person_body, way_sent, way_sent_body, valid_for, hours_1, hours_24, hours_72, hours_168,
    make_card, card_title, card_body, card_code, card_until, save_file, share, withdraw,
    c_issuing, c_issued, c_used, c_expired, c_revoked, only_first, further, further_body, scan,
    stop_scan, scanning, paste_card, paste_card_body, open_file, take, take_person, yes_person,
    no_person, camera_refused, st_calling, st_reached, st_ringing, st_incoming, st_connecting,
    st_connected, st_held_me, st_held_other, st_reconnecting, x_calling, x_reached, x_ringing,
    x_connecting, x_held_me, x_held_other, x_reconnecting, e_by_me, e_by_other, e_cancelled,
    e_busy, e_declined, e_no_answer, e_unreachable, e_no_path, e_missed, e_declined_by_me,
    e_elsewhere, e_glare, e_lost, e_no_keys, e_moved, for_whom, answer, decline, ignore, ignore_body,
    hold_answer, silent, only_you, unknown_who, alarm_call, protection, mute, unmute, hold,
    resume, sound, end, controls, you, muted, microphone, speaker, default_device, text_beside,
    write, send, arrived, on_its_way, call_again, statistics, q_none, q_excellent, q_good,
    q_fair, q_poor, n_lost, n_rebuilt, n_delay, n_jitter, n_round_trip, n_cells, n_frames,
    n_sound, n_skipped, n_refused, mic_refused, mic_missing, mic_in_use, mic_other, h_none, h_in, h_out,
    h_missed, today, yesterday, seen, texts_none, card_in_text, set_you, set_name, set_office,
    set_handset, first_handset, other_handset, kept, devices, test_mic, stop_test, test_body,
    notifications, notify_on, notify_off, lock_title, change_lock, changed, language, appearance,
    light, dark, system, version, version_unknown, rec_title, rec_none,
    rec_here, rec_there, rec_both, rec_officer, rec_asked, rec_accept, rec_type, rec_mark, rec_doubt,
    rec_note, shortcuts,
    role_principal, role_attendant, role_interpreter, role_note_taker, role_records, role_duty,
    g_arranging, g_held, g_holding, g_handing, g_confirming, stages, stage_done, stage_now, stage_to_come,
    x_arrange, x_arranging, x_held, x_other_side, x_leaving, x_handing, x_confirming, st_left, x_left, x_left_early, room_title,
    room_hear, m_listens, m_closed, m_all_hear, m_some_hear, m_heard, m_not_heard, m_unknown,
    m_gone, m_record, v_forged_own, v_forged, v_dropped, v_late, b_called, b_rings, bring, bring_who, bring_choose, bring_as, bring_expected,
    bring_expected_body, bring_ring, bring_attends, bring_listens, bring_nobody, announce,
    announce_off, announce_body, connect, connect_body, connect_one, asked_as, asked_expected, behalf_of, behalf_says, behalf_mine,
    staff, staff_lamp, staff_lamp_body, lend, lend_body, lend_days, lend_go, lend_until, lend_over, lend_taken,
    lend_back, call_for, away, away_body, away_now, away_end,
    shortcuts_room,
    console, con_position, con_position_body, con_open, con_keys, con_directory, con_own,
    con_others, con_bring, con_camp, con_camping, con_camp_rings, con_stop, con_waiting,
    con_waiting_n, con_waiting_none, con_waits, con_arrived, con_parked, con_parked_none,
    con_parked_for, con_recall_in, con_recall_now, con_recall_after, con_park, con_park_why,
    con_call, con_no_call, con_no_call_body, ev_recall, ev_reminder, ev_camp_over, ln_title, ln_body,
    ln_tested, ln_works, ln_failing, ln_once, ln_in_use, ln_fails, ln_works_again,
    mv_to, mv_offered, mv_closed, mv_arriving, mv_moved, mv_stay, mv_offer, mv_continue,
    mv_leave, mv_elsewhere, mv_back, mv_failed, sh_title, sh_to, sh_note, sh_go, sh_what,
    sh_only, sh_appointments, sh_calls, sh_waiting, sh_offered, sh_under, sh_over, sh_not,
    sh_gone, sh_left, sh_parked, sh_stop, sh_comes, sh_take, sh_leave, sh_taking, sh_taken,
    sh_stopped, sh_note_was, sh_ev,
    ag_title,
    ag_none, ag_new, ag_change, ag_remove, ag_start, ag_seen, ag_due, ag_briefing, ag_with,
    ag_also, ag_when, ag_there, ag_theirs, ag_remind, ag_agenda, ag_note,
    lamp_unknown, lamp_free, lamp_away, lamp_rings, lamp_talks, p_routine, p_priority, p_immediate, p_flash, p_how, p_call, p_granted, p_granted_body,
    p_over, p_by_other, p_by_me, p_goes_back, p_vain, ng_title, ng_body, ng_since, ng_until, ng_until_off, ng_there, ng_call_instead, ng_hours, ng_hours_body, ng_days, ng_from, ng_to, ng_instead, ng_instead_body, ng_aloud, ng_aloud_none, ru_title, ru_body, ru_who, ru_direct, ru_hours_only, ru_days, ru_staff, ru_hours, ru_interpreter, ru_note_taker, ru_by, ru_theirs, ri_place, ri_receive, ri_screen, ri_join, ri_manage, re_screened, re_asked, re_passing, re_back, re_passed, re_comes, re_joins, re_no_call, re_by_rule, re_join, re_listen, re_ev, behalf_for, mg_title, mg_body, mg_list, mg_card_for, mg_card, mg_accepted, mg_done, mg_did_card, mg_did_redeem, mg_did_rename, mg_did_revoke, mg_open, mg_vain, mg_asked, mg_no_answer, mg_no_right, mg_not_yours, mg_known, mg_not_understood, mg_in_call, mg_ev, ev_night, ev_day, r_hours,
    r_store_foreign, r_storage,
    r_exchange, r_bad_card, r_expired, r_own, r_known, r_not_attached, r_not_now, r_too_long,
    r_too_many, r_call_full, r_gone, r_alarmed, r_other,
}

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the language of its name")]
pub enum Lang {
    English,
    French,
    Spanish,
    Arabic,
}

impl Lang {
    /// All that there are.
    pub const ALL: [Lang; 4] = [Lang::English, Lang::French, Lang::Spanish, Lang::Arabic];

    /// BCP 47, for `lang` and for dates.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Lang::English => "en",
            Lang::French => "fr",
            Lang::Spanish => "es",
            Lang::Arabic => "ar",
        }
    }

    /// In itself.
    #[must_use]
    pub fn own_name(self) -> &'static str {
        match self {
            Lang::English => "English",
            Lang::French => "Français",
            Lang::Spanish => "Español",
            Lang::Arabic => "العربية",
        }
    }

    /// `rtl` or `ltr`.
    #[must_use]
    pub fn direction(self) -> &'static str {
        if self == Lang::Arabic { "rtl" } else { "ltr" }
    }

    /// Its strings.
    #[must_use]
    pub fn text(self) -> &'static Text {
        match self {
            Lang::English => &en::EN,
            Lang::French => &fr::FR,
            Lang::Spanish => &es::ES,
            Lang::Arabic => &ar::AR,
        }
    }

    /// The first that is spoken here, of tags such as `fr-CH`.
    #[must_use]
    pub fn first_of<'a>(tags: impl IntoIterator<Item = &'a str>) -> Lang {
        let spoken = |tag: &str| {
            let first = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
            Lang::ALL.into_iter().find(|lang| lang.tag() == first)
        };
        tags.into_iter().find_map(spoken).unwrap_or(Lang::English)
    }
}

/// Puts `what` where `{}` stands.
#[must_use]
pub fn fill(pattern: &str, what: &str) -> String {
    pattern.replacen("{}", what, 1)
}

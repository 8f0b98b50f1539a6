//! The office's rules about its own lines: what they stop, what they do not, and who learns of them.

use wire::line::{Closure, LineDown, LineUp};
use wire::rows::Row;
use wire::{Leg, MailId, Rule, Text, Wall};

use super::world::{Disk, World, envelope, key, text};
use crate::{Command, Exchange, OfficeRule, Reply, RuleInfo, rows};

const LIFTS: &str = "Ada, room 12";

fn lifts() -> Text<64> {
    text(LIFTS)
}

/// Anna of office 0 and Boris of office 1, contacts; Anna's colleague Clara has Anna's address 3.
fn world() -> (World, usize, usize, usize) {
    let mut w = World::new(2);
    let (a, b) = w.contacts();
    let c = w.enrolled(0, "clara", 13);
    w.bind(a, 3, &key(3));
    w.bind(c, 4, &key(4));
    (w, a, b, c)
}

fn trunk_legs(w: &World) -> u64 {
    w.exchange(1).metrics().legs
}

#[test]
fn a_call_against_a_rule_is_not_placed_and_the_handset_is_told_which_and_who_can_lift_it() {
    for (staff, rule) in [(true, Rule::ThroughStaff), (false, Rule::Hours)] {
        let (mut w, a, b, _) = world();
        w.rule("anna", staff);
        w.open(a, 1, 1, envelope(2, &key(1), 1, b"invite"));
        w.run(500);
        let told: Vec<_> = w.phones[a].inbox.drain(..).collect();
        let leg = Leg(1);
        let barred = LineDown::Barred { leg, rule, lifts: lifts() };
        assert_eq!(told, [barred, LineDown::Closed { leg, reason: Closure::Closed }]);
        assert_eq!((trunk_legs(&w), w.exchange(0).metrics().legs), (0, 0), "no leg is used");
        assert_eq!(w.exchange(0).metrics().calls_barred, 1);
        assert!(w.phones[b].inbox.is_empty(), "nothing reaches the other office");
        // The leg is free again, and mail goes as ever.
        let office = w.reference(1);
        w.post(a, 9, &office, envelope(2, &key(1), 2, b"letter"));
        w.run(1_000);
        assert_eq!(w.phones[b].mail.len(), 2, "mail is no call");
        w.set_rule("anna", None);
        w.open(a, 1, 1, envelope(2, &key(1), 3, b"invite"));
        w.run(500);
        w.incoming(b);
    }
}

#[test]
fn no_exchange_is_dialled_for_a_call_against_a_rule() {
    let mut w = World::new(2);
    let a = w.enrolled(0, "anna", 11);
    w.rule("anna", true);
    w.open(a, 1, 1, envelope(2, &key(1), 1, b"invite"));
    w.run(500);
    assert_eq!((w.offices[0].dials, w.exchange(0).metrics().peers), (0, 0));
    assert!(w.got(a, |m| matches!(m, LineDown::Barred { .. })));
}

#[test]
fn a_call_of_another_office_against_a_rule_is_a_missed_call_with_the_rule() {
    for (staff, rule) in [(true, Rule::ThroughStaff), (false, Rule::Hours)] {
        let (mut w, a, b, _) = world();
        w.rule("anna", staff);
        let before = w.phones[a].mail.len();
        w.open(b, 1, 0, envelope(1, &key(2), 1, b"invite"));
        w.run(500);
        let told: Vec<_> = w.phones[a].inbox.drain(..).collect();
        let [
            LineDown::Withheld { seq, rule: said, lifts: who },
            LineDown::Deliver { seq: of, body, .. },
        ] = &told[..]
        else {
            panic!("{told:?}");
        };
        assert_eq!((seq, *said, who, body.as_bytes()), (of, rule, &lifts(), &b"invite"[..]));
        assert_eq!(w.phones[a].mail.len(), before + 1);
        assert!(w.phones[b].inbox.is_empty(), "the caller hears nothing");
        assert_eq!(w.exchange(0).metrics().calls_withheld, 1);
        // It rings out as any call that nobody takes.
        w.run(121_000);
        let closed = LineDown::Closed { leg: Leg(1), reason: Closure::Closed };
        assert!(w.got(b, |m| *m == closed));
        w.set_rule("anna", None);
        w.open(b, 3, 0, envelope(1, &key(2), 2, b"invite"));
        w.run(500);
        w.incoming(a);
    }
}

/// With both mailboxes full there is nowhere to put it: it rings no more than before.
#[test]
fn a_call_against_a_rule_does_not_ring_because_the_mailbox_is_full() {
    let (mut w, a, b, _) = world();
    w.rule("anna", true);
    w.phones[a].acks_mail = false;
    let office = w.reference(0);
    for n in 0..crate::limits::MAIL_PIECES + 8 {
        let e = envelope(1, &key(2), 10 + u64::from(n), b"letter");
        let mail = MailId([n as u8; 16]);
        w.send(b, &LineUp::Post { mail, exchange: office.clone(), envelope: e });
        w.run(60);
    }
    assert!(w.exchange(0).metrics().mail_full > 0, "full");
    w.open(b, 1, 0, envelope(1, &key(2), 1, b"invite"));
    w.run(500);
    assert!(!w.got(a, |m| matches!(m, LineDown::Incoming { .. })));
}

#[test]
fn calls_within_the_office_are_not_asked_about_and_can_be_joined_to_one_with_another_office() {
    let (mut w, a, b, c) = world();
    w.rule("anna", true);
    // Anna calls Clara, and Clara Anna.
    w.open(a, 1, 0, envelope(4, &key(4), 1, b"invite"));
    w.run(300);
    let leg = w.incoming(c);
    w.send(c, &LineUp::Close { leg });
    w.send(a, &LineUp::Close { leg: Leg(1) });
    w.run(300);
    // Clara's call with Boris, and Anna brought into it.
    w.bind(b, 5, &key(5));
    w.open(c, 1, 1, envelope(5, &key(5), 1, b"invite"));
    w.run(500);
    let there = w.incoming(b);
    w.send(b, &LineUp::Take { leg: there });
    w.open(c, 3, 0, envelope(3, &key(3), 1, b"bring"));
    w.run(500);
    let here = w.incoming(a);
    w.send(a, &LineUp::Take { leg: here });
    w.run(200);
    w.send(c, &LineUp::Join { leg: Leg(1), with: Leg(3) });
    w.run(200);
    w.send(c, &LineUp::Close { leg: Leg(1) });
    w.run(200);
    w.phones[b].talks = Some((there, 0xb0));
    w.run(300);
    assert!(w.phones[a].heard.iter().any(|(_, leg, voice)| (*leg, *voice) == (here, 0xb0)));
}

#[test]
fn calls_under_way_are_not_cut_and_those_that_ring_ring_on() {
    let (mut w, a, b, _) = world();
    w.open(a, 1, 1, envelope(2, &key(1), 1, b"invite"));
    w.run(500);
    let leg = w.incoming(b);
    w.open(b, 1, 0, envelope(1, &key(2), 1, b"invite"));
    w.run(500);
    let rings = w.incoming(a);
    w.rule("anna", true);
    w.send(b, &LineUp::Take { leg });
    w.send(a, &LineUp::Take { leg: rings });
    w.run(200);
    w.phones[a].talks = Some((Leg(1), 0xa0));
    w.run(500);
    assert!(w.phones[b].heard.iter().any(|(_, _, voice)| *voice == 0xa0));
    assert!(!w.got(a, |m| matches!(m, LineDown::Closed { .. } | LineDown::Barred { .. })));
    w.phones[a].talks = Some((rings, 0xa1));
    w.run(500);
    assert!(w.phones[b].heard.iter().any(|(_, _, voice)| *voice == 0xa1));
}

#[test]
fn hours_go_by_the_exchange_s_clock_call_by_call() {
    let (mut w, a, b, _) = world();
    w.rule("anna", false);
    let Reply::Rules(rules) = list(&mut w) else { panic!() };
    let hours = rules[0].rule.hours.unwrap();
    let day = w.wall.0 / 86_400 * 86_400;
    let from = Wall(day + u64::from(hours.from()) * 60);
    for (at, rings) in [(from.0 - 1, false), (from.0, true), (from.0 + 3_599, true)] {
        w.wall = Wall(at);
        let counter = at - day;
        w.open(a, 1, 1, envelope(2, &key(1), counter, b"invite"));
        w.run(500);
        assert_eq!(w.got(b, |m| matches!(m, LineDown::Incoming { .. })), rings, "{at}");
        assert_eq!(w.got(a, |m| matches!(m, LineDown::Barred { .. })), !rings, "{at}");
        w.send(a, &LineUp::Close { leg: Leg(1) });
        w.run(300);
        w.phones[a].inbox.clear();
        w.phones[b].inbox.clear();
    }
}

fn list(w: &mut World) -> Reply {
    w.offices[0].replies.clear();
    w.command(0, 901, Command::ListRules);
    w.run(50);
    w.offices[0].replies.pop().unwrap().1
}

#[test]
fn a_rule_is_listed_outlives_the_exchange_and_goes_with_its_principal() {
    let (mut w, a, b, _) = world();
    assert_eq!(list(&mut w), Reply::Rules(Vec::new()));
    w.rule("clara", false);
    w.rule("anna", true);
    let rules = list(&mut w);
    let info = |name: &str, staff, hours| RuleInfo {
        principal: text(name),
        rule: OfficeRule { staff, hours, lifts: lifts() },
    };
    let both = [info("anna", true, None), info("clara", false, Some(w.closed()))];
    assert_eq!(rules, Reply::Rules(both.to_vec()));
    w.kill(0);
    w.start(0);
    w.connect(a);
    w.run(2_000);
    assert_eq!(list(&mut w), rules);
    w.open(b, 1, 0, envelope(1, &key(2), 1, b"invite"));
    w.run(500);
    assert!(!w.got(a, |m| matches!(m, LineDown::Incoming { .. })));
    // Whoever gets the number of somebody who left has no rules of theirs.
    w.command(0, 902, Command::RevokePrincipal { principal: text("clara") });
    w.run(100);
    w.kill(0);
    w.start(0);
    w.enrolled(0, "dora", 14);
    assert_eq!(list(&mut w), Reply::Rules(vec![both[0].clone()]));
    w.offices[0].replies.clear();
    w.command(0, 903, Command::SetRule { principal: text("nobody"), rule: None });
    assert_eq!(w.offices[0].replies, [(903, Reply::NotFound)]);
}

#[test]
fn a_rule_is_acknowledged_when_it_is_on_disk_and_not_before() {
    let rule = || OfficeRule { staff: true, hours: None, lifts: lifts() };
    let set = || Command::SetRule { principal: text("anna"), rule: Some(rule()) };
    for written in [false, true] {
        let (mut w, ..) = world();
        let at = w.offices[0].batches + 1;
        w.offices[0].disk = Disk::Dies { at, written };
        w.offices[0].replies.clear();
        w.command(0, 900, set());
        w.run(1_000);
        assert!(w.offices[0].exchange.is_none() && w.offices[0].replies.is_empty());
        w.offices[0].disk = Disk::Writes;
        w.start(0);
        let Reply::Rules(rules) = list(&mut w) else { panic!() };
        assert_eq!(rules.len(), usize::from(written));
    }
    let (mut w, ..) = world();
    w.offices[0].disk = Disk::Fails;
    w.offices[0].replies.clear();
    w.command(0, 900, set());
    w.run(100);
    assert_eq!(w.offices[0].replies, [(900, Reply::Unavailable)]);
}

/// A handset that does not know the message takes its line down at it. It gets its mail all the same, on the next.
#[test]
fn the_rule_of_one_missed_call_is_told_to_a_line_once() {
    let (mut w, a, b, _) = world();
    w.rule("anna", true);
    w.phones[a].acks_mail = false;
    w.open(b, 1, 0, envelope(1, &key(2), 1, b"invite"));
    w.run(500);
    let withheld = |m: &LineDown| matches!(m, LineDown::Withheld { .. });
    assert!(w.got(a, withheld));
    w.phones[a].inbox.clear();
    w.connect(a);
    w.run(500);
    assert!(!w.got(a, withheld) && w.got(a, |m| matches!(m, LineDown::Deliver { .. })));
}

/// What kept a call from ringing is told after the rule was lifted, without anybody to ask; and after a restart.
#[test]
fn a_missed_call_keeps_the_rule_that_made_it_one() {
    let (mut w, a, b, _) = world();
    w.rule("anna", true);
    w.disconnect(a);
    w.open(b, 1, 0, envelope(1, &key(2), 1, b"invite"));
    w.run(500);
    w.set_rule("anna", None);
    w.kill(0);
    w.start(0);
    w.connect(a);
    w.run(1_000);
    let (rule, lifts) = w.expect(a, |m| match m {
        LineDown::Withheld { rule, lifts, .. } => Some((*rule, lifts.clone())),
        _ => None,
    });
    assert_eq!((rule, lifts.as_str()), (Rule::ThroughStaff, ""));
}

#[test]
fn a_mailbox_from_before_there_were_rules_is_read() {
    let (mut w, a, b, _) = world();
    w.disconnect(a);
    let office = w.reference(0);
    w.post(b, 7, &office, envelope(1, &key(2), 1, b"letter"));
    w.run(500);
    let o = &w.offices[0];
    let row = |((space, key), value): (&(u8, Vec<u8>), &Vec<u8>)| {
        let mut value = value.clone();
        if *space == rows::MAILBOX {
            assert_eq!(value.pop(), Some(0), "no rule");
        }
        Row { space: *space, key: key.clone(), value }
    };
    let before: Vec<Row> = o.rows.iter().map(row).collect();
    assert!(before.iter().any(|row| row.space == rows::MAILBOX));
    Exchange::new(o.config.clone(), o.key, [1; 32], before, w.now, w.wall).unwrap();
}

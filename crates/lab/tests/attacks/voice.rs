//! Voice in the hands of an exchange: sent back, from another call, played again, changed. Each is the doing of the own
//! exchange or of the other one: what arrives at the handset is the same.

use call::CallState;
use lab::middle::{To, What};
use lab::world::World;
use phone::{Command, Event};
use wire::Leg;
use wire::line::{LineDown, LineUp};

use crate::kit::*;
use crate::support::*;

const FRAME: core::time::Duration = core::time::Duration::from_millis(20);

/// Anna, whose line is in her exchange's hand, is in a call with Boris; she calls him.
fn talking(seed: u64) -> (World, Grip, Leg) {
    let mut world = World::new(2, seed);
    let grip = Grip::on_line(&mut world, A);
    world.hire("Anna", 0);
    world.hire("Boris", 1);
    lines_up(&mut world);
    meet(&mut world, A, B, true);
    let leg = connects(&mut world, &grip);
    (world, grip, leg)
}

fn connects(world: &mut World, grip: &Grip) -> Leg {
    grip.forget();
    connect(world, A, B);
    let leg = |m| match m {
        LineUp::Open { leg, .. } => Some(leg),
        _ => None,
    };
    grip.ups().into_iter().filter_map(leg).next_back().unwrap()
}

fn refused(world: &mut World, party: usize) -> u64 {
    let now = world.now;
    world.parties[party].view(now).voice_refused
}

/// Plays frames to Anna on a leg, at the rate of speech; how loud she hears it (dB), how many were refused.
fn plays(world: &mut World, leg: Leg, frames: &[[u8; 128]]) -> (f32, u64) {
    let before = refused(world, A);
    world.parties[A].heard = Some(Vec::new());
    for frame in frames {
        world.meddle(A, To::Near, What::Voice(leg, *frame));
        world.run(FRAME);
    }
    world.run(secs(1));
    let heard = world.parties[A].heard.take().unwrap();
    let power: f32 = heard.iter().map(|x| x * x).sum::<f32>() / heard.len() as f32;
    (10.0 * power.max(1e-12).log10(), refused(world, A) - before)
}

fn frames(voice: Vec<(Leg, [u8; 128])>) -> Vec<[u8; 128]> {
    voice.into_iter().map(|(_, frame)| frame).collect()
}

#[test]
fn the_own_voice_sent_back_is_not_the_other_s() {
    let (mut world, grip, leg) = talking(201);
    world.parties[A].tone = Some(220.0);
    world.run(secs(3));
    assert!(hears(&mut world, B, secs(1)) > -40.0, "she speaks, he hears");
    let own = frames(grip.voice(To::Far));
    assert!(own.len() > 150);
    let (loud, refused) = plays(&mut world, leg, &own[..150]);
    assert!(loud < -60.0, "Anna hears herself in Boris' place: {loud} dB");
    assert_eq!(refused, 150);
    assert_eq!(state(&mut world, A), Some(CallState::Connected));
}

#[test]
fn own_words_sent_back_are_not_the_other_s() {
    let (mut world, grip, leg) = talking(202);
    let id = call(&mut world, A);
    for command in [
        Command::Mute { on: true },
        Command::Say { call: id, text: "said by Anna".into() },
        Command::Note { contact: 1, text: "written by Anna".into() },
        Command::Hold { call: id, on: true },
        Command::Hold { call: id, on: false },
    ] {
        world.command(A, command).unwrap();
        world.run(secs(1));
    }
    for message in grip.ups() {
        let sent_back = match message {
            LineUp::LegData { body, .. } => LineDown::LegData { leg, body },
            LineUp::Post { envelope, .. } => {
                let (address, body) = (mine(&grip), envelope.body);
                LineDown::Deliver { seq: 9_999, address, at: world.wall(), body }
            }
            _ => continue,
        };
        world.meddle(A, To::Near, What::Message(sent_back.encode()));
        world.run(secs(1));
        assert_eq!(state(&mut world, A), Some(CallState::Connected));
    }
    let now = world.now;
    let view = world.parties[A].view(now);
    let call = view.calls.last().unwrap();
    assert!(!call.muted_by_other);
    assert_eq!(call.texts, [(true, "said by Anna".to_owned(), true)], "once, and mine");
    assert_eq!(view.notes.len(), 1);
}

/// Where Boris reaches Anna, as her exchange sees it.
fn mine(grip: &Grip) -> wire::Address {
    let at = grip.downs().into_iter().find_map(|m| match m {
        LineDown::Deliver { address, .. } => Some(address),
        _ => None,
    });
    at.unwrap_or(wire::Address([0; 16]))
}

#[test]
fn voice_and_words_of_another_call_do_not_open() {
    let (mut world, grip, _) = talking(203);
    world.parties[B].tone = Some(150.0);
    world.run(secs(3));
    let old = frames(grip.voice(To::Near));
    assert!(old.len() > 140);
    part(&mut world, B, A);
    world.run(secs(10));
    let words: Vec<_> = grip
        .downs()
        .into_iter()
        .filter_map(|m| match m {
            LineDown::LegData { body, .. } => Some(body),
            _ => None,
        })
        .collect();
    assert!(words.len() >= 2, "an answer and a farewell at least");
    world.parties[B].tone = None;
    let leg = connects(&mut world, &grip);
    // Frame numbers go on from call to call: what was said before comes again as if it were new.
    let (loud, refused) = plays(&mut world, leg, &old);
    assert!(loud < -60.0, "Anna hears what Boris said in another call: {loud} dB");
    assert_eq!(refused, old.len() as u64);
    for body in words {
        let data = LineDown::LegData { leg, body };
        world.meddle(A, To::Near, What::Message(data.encode()));
    }
    world.run(secs(3));
    assert_eq!(state(&mut world, A), Some(CallState::Connected), "nobody hung up in this call");
}

#[test]
fn voice_played_again_is_refused() {
    let (mut world, grip, leg) = talking(204);
    world.parties[B].tone = Some(150.0);
    world.run(secs(3));
    let said = frames(grip.voice(To::Near));
    world.parties[B].tone = None;
    world.run(secs(1));
    let (loud, refused) = plays(&mut world, leg, &said);
    assert!(loud < -60.0, "{loud} dB");
    assert_eq!(refused, said.len() as u64);
    // Each frame twice, as it comes: each is taken once.
    let before = self::refused(&mut world, A);
    grip.does(|_, to, what| match (to, &what) {
        (To::Near, What::Voice(..)) => vec![(to, what.clone()), (to, what)],
        _ => vec![(to, what)],
    });
    world.parties[B].tone = Some(150.0);
    assert!(hears(&mut world, A, secs(2)) > -40.0);
    let twice = self::refused(&mut world, A) - before;
    assert!((80..=105).contains(&twice), "{twice} of some 100 copies were refused");
}

#[test]
fn voice_with_a_bit_changed_is_refused() {
    let (mut world, grip, _) = talking(205);
    world.parties[B].tone = Some(150.0);
    let mut bit = 0;
    grip.swaps(To::Near, move |what| match what {
        What::Voice(leg, frame) => {
            let mut frame = *frame;
            bit = (bit + 37) % 1_024;
            frame[bit / 8] ^= 1 << (bit % 8);
            Some(What::Voice(*leg, frame))
        }
        What::Message(_) => None,
    });
    world.run(secs(1));
    let before = refused(&mut world, A);
    assert!(hears(&mut world, A, secs(3)) < -60.0);
    assert!(refused(&mut world, A) - before > 140);
}

/// Two calls, one of them held: the exchange crosses their legs.
#[test]
fn the_legs_of_two_calls_crossed_carry_nothing() {
    let mut world = World::new(2, 206);
    let grip = Grip::on_line(&mut world, A);
    world.hire("Anna", 0);
    world.hire("Boris", 1);
    let clara = world.hire("Clara", 1);
    lines_up(&mut world);
    meet(&mut world, A, B, true);
    meet(&mut world, A, clara, true);
    connect(&mut world, A, B);
    let first = call(&mut world, A);
    world.command(A, Command::Hold { call: first, on: true }).unwrap();
    world.command(A, Command::Call { contact: 2 }).unwrap();
    world.until(clara, secs(10), |e| matches!(e, Event::Incoming { .. }));
    answer(&mut world, clara);
    let so = world.run_until(secs(5), |w| state(w, A) == Some(CallState::Connected));
    assert!(so);
    let legs: Vec<Leg> = grip
        .ups()
        .into_iter()
        .filter_map(|m| match m {
            LineUp::Open { leg, .. } => Some(leg),
            _ => None,
        })
        .collect();
    let [with_boris, with_clara] = legs[..] else { panic!("{legs:?}") };
    let crossed = move |leg: Leg| match leg {
        leg if leg == with_boris => with_clara,
        leg if leg == with_clara => with_boris,
        leg => leg,
    };
    // Down only: what they say changes places. Boris speaks on, although he is held.
    grip.swaps(To::Near, move |what| match what {
        What::Voice(leg, frame) => Some(What::Voice(crossed(*leg), *frame)),
        What::Message(_) => match down(what)? {
            LineDown::LegData { leg, body } => {
                Some(What::Message(LineDown::LegData { leg: crossed(leg), body }.encode()))
            }
            _ => None,
        },
    });
    world.parties[clara].tone = Some(150.0);
    world.run(secs(1));
    let before = refused(&mut world, A);
    assert!(hears(&mut world, A, secs(2)) < -60.0, "Clara is heard in Boris' call");
    assert!(refused(&mut world, A) > before + 90);
    let id = call(&mut world, clara);
    world.command(clara, Command::Say { call: id, text: "for whom?".into() }).unwrap();
    hang_up(&mut world, clara);
    world.run(secs(3));
    let now = world.now;
    let calls = world.parties[A].view(now).calls;
    let held = calls.iter().find(|c| c.id == first).unwrap();
    assert!(held.texts.is_empty(), "her words stand in no other call");
    assert_eq!(held.state, CallState::HeldByMe, "her farewell ends no other call");
}

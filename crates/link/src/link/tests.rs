use super::*;

fn pair() -> (Link, Link) {
    (Link::new(Shape::OFFICE_HANDSET, Time(1_000)), Link::new(Shape::OFFICE_EXCHANGE, Time(7_000)))
}

fn cells(link: &mut Link) -> Vec<Vec<u8>> {
    core::iter::from_fn(|| link.poll_cell().map(<[u8]>::to_vec)).collect()
}

fn events(link: &mut Link) -> Vec<Event> {
    core::iter::from_fn(|| link.poll_event()).collect()
}

/// Ticks both ends `n` times with nothing lost, and gives what came out at each.
fn run(a: &mut Link, b: &mut Link, n: usize) -> (Vec<Event>, Vec<Event>) {
    let (mut at_a, mut at_b) = (vec![], vec![]);
    for _ in 0..n {
        let now = a.next_tick();
        a.tick(now);
        for cell in cells(a) {
            b.handle_cell(now, &cell).unwrap();
        }
        at_b.extend(events(b));
        let now = b.next_tick();
        b.tick(now);
        for cell in cells(b) {
            a.handle_cell(now, &cell).unwrap();
        }
        at_a.extend(events(a));
    }
    (at_a, at_b)
}

#[test]
fn messages_and_voice_arrive() {
    let (mut a, mut b) = pair();
    let long = vec![7; wire::limits::MESSAGE_MAX];
    a.queue(Channel::Signal, &[1, 2, 3]).unwrap();
    a.queue_voice(Leg(1), &[9; VOICE_LEN]);
    b.queue(Channel::Bulk, &long).unwrap();
    let (at_a, at_b) = run(&mut a, &mut b, 200);
    assert!(at_a == [Event::Message(long)]);
    assert!(
        at_b == [
            Event::Voice { leg: Leg(1), payload: [9; VOICE_LEN] },
            Event::Message(vec![1, 2, 3])
        ]
    );
    assert_eq!((a.backlog(Channel::Signal), b.backlog(Channel::Bulk)), (0, 0));
    assert_eq!((a.stats().voice_sent, b.stats().voice_received), (1, 1));
    assert_eq!((a.stats().cells_sent, b.stats().cells_received), (200, 200));
    assert_eq!((b.stats().cells_lost, b.stats().bytes_resent), (0, 0));
    assert_eq!(a.stats().round_trip, Some(Duration::from_micros(6_000)));
}

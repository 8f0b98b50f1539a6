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

/// A cell for the exchange's end of an office line, written by whoever.
fn forge(number: u32, write: impl FnOnce(&mut CellWriter<'_>)) -> Vec<u8> {
    let mut cell = vec![0; 224];
    write(&mut CellWriter::new(&mut cell, number));
    cell
}

fn ack(largest: u32, bitmap: u64) -> impl FnOnce(&mut CellWriter<'_>) {
    move |cell| assert!(cell.ack(Ack { largest, bitmap }))
}

#[test]
fn lengths_other_than_the_shapes_are_refused() {
    let (mut a, mut b) = pair();
    a.tick(Time(1_000));
    let cell = cells(&mut a).remove(0);
    for len in (0..cell.len()).chain([225, 480, 65_536]) {
        let mut other = cell.clone();
        other.resize(len, 0);
        let error = LinkError::Length { got: len, expected: 224 };
        assert_eq!(b.handle_cell(Time(0), &other), Err(error));
    }
    b.handle_cell(Time(0), &cell).unwrap();
}

#[test]
fn replayed_and_old_cells_change_nothing() {
    let (mut a, mut b) = pair();
    let mut all = vec![];
    for i in 0..100 {
        a.queue(Channel::Signal, &[i; 40]).unwrap();
        a.queue_voice(Leg(3), &[i; VOICE_LEN]);
        a.tick(a.next_tick());
        all.extend(cells(&mut a));
    }
    all.iter().for_each(|cell| b.handle_cell(Time(0), cell).unwrap());
    assert!(events(&mut b).len() > 100);
    let before = b.stats();
    all.iter().chain(all.iter().rev()).for_each(|cell| b.handle_cell(Time(0), cell).unwrap());
    assert_eq!(events(&mut b), []);
    assert_eq!(b.stats(), Stats { cells_stale: 200, ..before });
}

#[test]
fn acknowledgements_of_what_was_never_sent_are_refused() {
    let (_, mut b) = pair();
    let never = |number| Err(LinkError::NeverSent { number });
    assert_eq!(b.handle_cell(Time(0), &forge(0, ack(0, 0))), never(0));
    for _ in 0..10 {
        b.tick(b.next_tick());
    }
    assert_eq!(b.handle_cell(Time(0), &forge(0, ack(9, 0x1ff))), Ok(()));
    assert_eq!(b.handle_cell(Time(0), &forge(1, ack(10, 0))), never(10));
    assert_eq!(b.handle_cell(Time(0), &forge(1, ack(u32::MAX, u64::MAX))), never(u32::MAX));
    assert_eq!(b.handle_cell(Time(0), &forge(1, ack(9, 0x200))), never(9));
}

#[test]
fn what_is_not_made_of_frames_is_refused() {
    let malformed = |bytes: &[u8]| {
        let (_, mut b) = pair();
        let mut cell = vec![0; 224];
        cell[4..4 + bytes.len()].copy_from_slice(bytes);
        matches!(b.handle_cell(Time(0), &cell), Err(LinkError::Malformed(_)))
    };
    assert!(malformed(&[4]), "frame type");
    assert!(malformed(&[3, 2]), "channel");
    assert!(malformed(&[3, 0, 0, 0, 0, 0, 0, 0, 0, 211]), "a frame longer than the cell");
    let mut late = [0; 220];
    (late[0], late[131]) = (2, 2);
    assert!(malformed(&late), "a voice frame longer than the cell");
    assert!(!malformed(&[3, 0, 0, 0, 0, 0, 0, 0, 0, 210]));
}

#[test]
fn control_that_breaks_the_rules_is_refused() {
    let refused = |offset, bytes: &[u8]| {
        let (_, mut b) = pair();
        let cell = forge(0, |cell| {
            assert_eq!(cell.control(Channel::Bulk, offset, bytes), bytes.len());
        });
        b.handle_cell(Time(0), &cell).unwrap_err()
    };
    let channel = Channel::Bulk;
    assert_eq!(refused(0, &[0, 0]), LinkError::Message { channel, len: 0 });
    assert_eq!(refused(0, &[255, 255]), LinkError::Message { channel, len: 65_535 });
    assert!(matches!(refused(65_535, &[1, 2]), LinkError::Window { ahead: 65_537, .. }));
    assert!(matches!(refused(OFFSET_END - 1, &[1, 2]), LinkError::Window { .. }));
    let (_, mut b) = pair();
    let mut empty = vec![0; 224];
    empty[4] = 3;
    assert_eq!(b.handle_cell(Time(0), &empty), Err(LinkError::Empty { channel: Channel::Signal }));
}

#[test]
fn flipped_bits_do_no_harm() {
    let (mut a, mut b) = pair();
    a.queue(Channel::Signal, &[1; 50]).unwrap();
    a.queue_voice(Leg(1), &[5; VOICE_LEN]);
    b.tick(b.next_tick());
    a.handle_cell(Time(0), &cells(&mut b)[0]).unwrap();
    a.tick(a.next_tick());
    let cell = cells(&mut a).remove(0);
    let mut refused = 0;
    for bit in 0..cell.len() * 8 {
        let (_, mut b) = pair();
        b.tick(b.next_tick());
        let mut flipped = cell.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        refused += usize::from(b.handle_cell(Time(0), &flipped).is_err());
        events(&mut b);
        assert!(b.poll_cell().is_some());
    }
    // Number, payload and leg can be anything; types, offsets, lengths and acknowledgements cannot.
    assert!(refused > 64, "{refused} of {} are refused", cell.len() * 8);
}

#[test]
fn a_link_ends_before_its_numbers_do() {
    let (mut a, mut b) = pair();
    let chaff = |number| forge(number, |cell| assert!(cell.voice(Leg::CHAFF, &CHAFF)));
    assert_eq!(b.handle_cell(Time(0), &chaff(u32::MAX - NUMBERS_LEFT)), Ok(()));
    let late = chaff(u32::MAX - NUMBERS_LEFT + 1);
    assert_eq!(b.handle_cell(Time(0), &late), Err(LinkError::Exhausted));
    // Whoever does not listen still never wraps.
    a.next_number = u32::MAX - 2;
    for expected in [1, 1, 0, 0] {
        a.tick(a.next_tick());
        assert_eq!(cells(&mut a).len(), expected);
    }
    assert_eq!(a.next_tick(), Time::NEVER);
    assert_eq!(a.next_number, u32::MAX);
}

#[test]
fn what_is_on_its_way_is_bounded() {
    // The short pieces of the one meet the first bound, the long ones of the other the second.
    for shape in [Shape::OFFICE_HANDSET, Shape::trunk(8)] {
        let mut a = Link::new(shape, Time(0));
        while a.queue(Channel::Bulk, &[1; 1_000]).is_ok() {}
        for _ in 0..1_000 {
            a.tick(a.next_tick());
        }
        assert!(a.flying.len() <= FLYING_MAX);
        assert!(a.bulk_out.next() <= crate::outbox::WINDOW);
    }
}

#[test]
fn what_could_not_be_kept_is_not_acknowledged() {
    let (_, mut b) = pair();
    let piece = |i: u32| {
        forge(i, |cell| {
            assert_eq!(cell.control(Channel::Bulk, 1 + 2 * u64::from(i), &[1]), 1);
        })
    };
    for i in 0..1_026 {
        b.handle_cell(Time(0), &piece(i)).unwrap();
    }
    assert_eq!(b.seen.ack().map(|ack| ack.largest), Some(1_023));
    // Once the gap is filled there is room, and the same cell is taken.
    let fill = forge(1_026, |cell| assert_eq!(cell.control(Channel::Bulk, 0, &[0]), 1));
    b.handle_cell(Time(0), &fill).unwrap();
    b.handle_cell(Time(0), &piece(1_025)).unwrap();
    assert_eq!(b.stats().cells_received, 1_026);
    assert_eq!(b.stats().cells_stale, 0);
}

#[test]
fn chaff_fills_what_voice_leaves_and_is_not_heard() {
    let (mut a, mut b) = (Link::new(Shape::trunk(2), Time(0)), Link::new(Shape::trunk(2), Time(0)));
    for spoken in 0..=16 {
        for leg in 1..=spoken {
            a.queue_voice(Leg(leg), &[1; VOICE_LEN]);
        }
        a.tick(a.next_tick());
        let mut frames = 0;
        for cell in cells(&mut a) {
            let mut reader = CellReader::new(&cell).unwrap();
            while let Some(frame) = reader.frame().unwrap() {
                frames += usize::from(matches!(frame, Frame::Voice { .. }));
            }
            b.handle_cell(Time(0), &cell).unwrap();
        }
        assert_eq!(frames, 16);
        assert_eq!(events(&mut b).len(), usize::from(spoken));
    }
}

#[test]
fn signal_goes_before_bulk_and_both_beside_voice() {
    let (mut a, mut b) = pair();
    a.queue(Channel::Bulk, &[2; 10]).unwrap();
    a.queue(Channel::Signal, &[1; 10]).unwrap();
    a.queue_voice(Leg(1), &[0; VOICE_LEN]);
    a.tick(a.next_tick());
    b.handle_cell(Time(0), &cells(&mut a)[0]).unwrap();
    let bytes: Vec<_> = events(&mut b)
        .into_iter()
        .map(|event| match event {
            Event::Voice { .. } => 0,
            Event::Message(m) => m[0],
        })
        .collect();
    assert_eq!(bytes, [0, 1, 2]);
}

#[test]
fn types() {
    fn send<T: Send>() {}
    send::<Link>();
    assert!(size_of::<Event>() <= 136);
    assert!(size_of::<Link>() <= 1_024, "{}", size_of::<Link>());
    let event = Event::Message(b"secret".to_vec());
    assert_eq!(format!("{event:?}"), "Message(6 bytes)");
    let event = Event::Voice { leg: Leg(3), payload: [77; VOICE_LEN] };
    assert_eq!(format!("{event:?}"), "Voice(Leg(3))");
}

#[test]
fn memory_goes_back_when_queues_are_empty() {
    let (mut a, mut b) = pair();
    for _ in 0..40 {
        a.queue(Channel::Bulk, &[1; 2_000]).unwrap();
    }
    let (_, heard) = run(&mut a, &mut b, 1_000);
    assert_eq!(heard.len(), 40);
    assert!(a.memory() <= 8 * 1024, "{} bytes", a.memory());
    assert!(b.memory() <= 8 * 1024, "{} bytes", b.memory());
}

/// Runs the body of the fuzz target on made-up operations.
#[test]
fn operations_of_many_seeds() {
    let mut state = 1u64;
    for len in (0..600).step_by(5) {
        let data: Vec<u8> = (0..len)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        crate::fuzz::operations(&data);
        // And without forged cells, so that what is said is checked.
        let honest: Vec<u8> = data.into_iter().filter(|b| b >> 1 & 7 != 7).collect();
        crate::fuzz::operations(&honest);
    }
}

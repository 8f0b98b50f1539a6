use super::*;

/// Keys of one epoch as a group would export them: base key, own leaf, members 0 to 255.
fn keys(base: u8, epoch: u64, own: u32) -> EpochKeys {
    EpochKeys::new(Zeroizing::new([base; 32]), epoch, own, (0..256).collect(), true)
}

fn pair(epoch: u64, leaf: u32) -> (Sealer, Opener) {
    let mut keys = keys(1, epoch, leaf);
    (Sealer::new(&mut keys).unwrap(), Opener::new(&keys, leaf).unwrap())
}

#[test]
fn one_length_at_every_counter_and_key_id() {
    let numbers = (0..32).flat_map(|b| [(1u32 << b) - 1, 1 << b]).chain([u32::MAX]);
    let numbers: BTreeSet<u32> = numbers.collect();
    for epoch in [0, 1, 7, 8, 255, 256, u64::MAX] {
        for leaf in [0, 1, 7, 8, 127, 128, 255] {
            let (mut sealer, mut opener) = pair(epoch, leaf);
            for number in &numbers {
                let frame = sealer.seal(*number, &[9; PACKET_LEN], 5).unwrap();
                assert_eq!(frame.len(), VOICE_LEN);
                let opened = opener.open(&frame).unwrap();
                assert_eq!((opened.number, opened.flags), (*number, 5));
                assert_eq!(opened.packet, [9; PACKET_LEN]);
            }
        }
    }
}

#[test]
fn a_number_is_used_once() {
    let (mut sealer, _) = pair(1, 1);
    assert!(sealer.seal(5, &[0; PACKET_LEN], 0).is_ok());
    for number in [5, 4, 0] {
        let again = sealer.seal(number, &[0; PACKET_LEN], 0);
        assert_eq!(again, Err(VoiceError::FrameNumberUsed(number)));
    }
    assert!(sealer.seal(u32::MAX, &[0; PACKET_LEN], 0).is_ok());
    assert!(sealer.seal(u32::MAX, &[0; PACKET_LEN], 0).is_err());
}

#[test]
fn one_sender_is_not_another() {
    let mut a = Sealer::new(&mut keys(1, 3, 0)).unwrap();
    let mut b = Sealer::new(&mut keys(1, 3, 1)).unwrap();
    let mut b_ear = Opener::new(&keys(1, 3, 9), 1).unwrap();
    let frame = a.seal(1, &[1; PACKET_LEN], 0).unwrap();
    assert_eq!(b_ear.open(&frame), Err(VoiceError::OtherKey));
    let mut c = Sealer::new(&mut keys(1, 3, 2)).unwrap();
    let (of_b, of_c) =
        (b.seal(1, &[1; PACKET_LEN], 0).unwrap(), c.seal(1, &[1; PACKET_LEN], 0).unwrap());
    assert_eq!((&of_b[..3], &of_c[..3]), (&[0x91, 1, 3][..], &[0x91, 2, 3][..]));
    // c's voice under b's name: the name is authenticated, and the key is c's.
    let mut forged = of_c;
    forged[..3].copy_from_slice(&of_b[..3]);
    assert_eq!(b_ear.open(&forged), Err(VoiceError::Closed));
    assert!(b_ear.open(&of_b).is_ok());
}

#[test]
fn epochs_whose_key_ids_meet_have_other_keys() {
    // 256 epochs later the key id is the same; the exported base key is not.
    let mut sealer = Sealer::new(&mut keys(1, 2, 4)).unwrap();
    let frame = sealer.seal(1, &[1; PACKET_LEN], 0).unwrap();
    let mut later = Opener::new(&keys(2, 258, 0), 4).unwrap();
    assert_eq!(later.open(&frame), Err(VoiceError::Closed));
}

#[test]
fn bits_flipped_are_refused_and_change_nothing() {
    let (mut sealer, mut opener) = pair(3, 200);
    let frame = sealer.seal(70_000, &[7; PACKET_LEN], 1).unwrap();
    for bit in 0..VOICE_LEN * 8 {
        let mut bad = frame;
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(opener.open(&bad).is_err(), "bit {bit}");
    }
    for len in [0, 1, 16, 17, VOICE_LEN - 1] {
        assert_eq!(opener.open(&frame[..len]), Err(VoiceError::Malformed));
    }
    assert_eq!(opener.open(&[&frame[..], &[0]].concat()), Err(VoiceError::Malformed));
    assert!(opener.open(&frame).is_ok());
}

#[test]
fn late_frames_once_and_not_too_late() {
    let (mut sealer, mut opener) = pair(1, 1);
    let frames: Vec<_> =
        (0..200).map(|n| sealer.seal(n, &[n as u8; PACKET_LEN], 0).unwrap()).collect();
    assert!(opener.open(&frames[150]).is_ok());
    assert!(opener.open(&frames[23]).is_ok());
    assert_eq!(opener.open(&frames[22]), Err(VoiceError::Replayed));
    assert!(opener.open(&frames[199]).is_ok());
    assert_eq!(opener.open(&frames[150]), Err(VoiceError::Replayed));
    assert_eq!(opener.open(&frames[71]), Err(VoiceError::Replayed));
    assert_eq!(opener.open(&frames[72]).map(|o| o.number), Ok(72));
}

#[test]
fn dirty_padding_is_refused_once_and_for_all() {
    let id = key_id(1, 1).unwrap();
    let key = EncryptionKey::derive_from(SUITE, id, [1u8; 32]).unwrap();
    let mut opener = Opener::with(id, &[1; 32]).unwrap();
    let header = ::sframe::header::SframeHeader::new(key.key_id(), 9).len();
    let mut plain = vec![0; VOICE_LEN - TAG_LEN - header];
    *plain.last_mut().unwrap() = 1;
    let mut once = SingleUseCounter::new(9);
    let frame = MediaFrameView::try_new(&mut once, &plain).unwrap();
    let mut out = Vec::new();
    let sealed = frame.encrypt_into(&key, &mut out).unwrap().sframe_cipher_text().to_vec();
    assert_eq!(opener.open(&sealed), Err(VoiceError::Malformed));
    assert_eq!(opener.open(&sealed), Err(VoiceError::Replayed));
}

#[test]
fn chaff_looks_and_works_like_voice_and_opens_for_nobody_else() {
    let mut chaff = Chaff::new(&Zeroizing::new([3; 32])).unwrap();
    let frame = chaff.seal(4, &[2; PACKET_LEN]).unwrap();
    assert_eq!(frame.len(), VOICE_LEN);
    assert_eq!(chaff.open(&frame).unwrap().packet, [2; PACKET_LEN]);
    assert!(chaff.open(&frame).is_err());
    let (_, mut opener) = pair(1, 1);
    assert_eq!(opener.open(&frame), Err(VoiceError::Closed));
}

#[test]
fn strangers_have_no_opener() {
    let keys = EpochKeys::new(Zeroizing::new([1; 32]), 1, 0, BTreeSet::from([0, 2]), true);
    assert!(Opener::new(&keys, 2).is_ok());
    assert_eq!(Opener::new(&keys, 1).err(), Some(VoiceError::NoMember(1)));
}

#[test]
fn debug_shows_no_voice() {
    let (mut sealer, mut opener) = pair(1, 1);
    let opened = opener.open(&sealer.seal(1, &[0xAB; PACKET_LEN], 0).unwrap()).unwrap();
    assert_eq!(format!("{opened:?}"), "Opened { number: 1, .. }");
}

/// SHA-256 of the label and the frame, as any tool makes it.
#[test]
fn the_tag_of_a_frame_is_the_head_of_its_hash() {
    assert_eq!(tag(&[7; VOICE_LEN]), [0xaa, 0x02, 0x45, 0xa5, 0x45, 0xd2]);
    let mut other = [7; VOICE_LEN];
    other[127] ^= 1;
    assert_ne!(tag(&other), tag(&[7; VOICE_LEN]));
}

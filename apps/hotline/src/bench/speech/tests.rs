use super::*;

#[test]
fn losses_are_as_many_and_as_long_as_said_and_always_the_same() {
    for (percent, bursts, run) in [(5, false, 1.05), (30, false, 1.43), (30, true, 4.0)] {
        let lost = losses(percent, bursts, 100_000);
        let count = lost.iter().filter(|lost| **lost).count();
        let runs = lost.windows(2).filter(|pair| !pair[0] && pair[1]).count();
        assert!((count as f64 / 1_000.0 - f64::from(percent)).abs() < 1.0, "{count}");
        assert!((count as f64 / runs as f64 - run).abs() < 0.15, "{count} in {runs}");
        assert_eq!(lost, losses(percent, bursts, 100_000));
    }
    assert!(losses(0, true, 1_000).iter().all(|lost| !lost));
}

#[test]
fn redundancy_beats_the_others_when_much_is_lost_in_bursts() {
    let recordings: Vec<_> = SPEECH.iter().map(|wav| read(wav).unwrap()).collect();
    let said: Vec<&[f32]> = (0..4).map(|i| recordings[i % 2].as_slice()).collect();
    let coded = Coded::new(&said).unwrap();
    let lost = losses(30, true, coded.ours.len());
    let row = row(&said, &coded, 30, true, &lost).unwrap();
    assert!(row.dred.pesq > row.fec.pesq && row.dred.pesq > row.plc.pesq, "{row:?}");
    assert!(row.dred.stoi > row.fec.stoi + 0.03 && row.dred.stoi > row.plc.stoi + 0.03, "{row:?}");
    assert!(row.rebuilt_percent > 60.0, "{row:?}");
    let report = SpeechReport::new(vec![row], 12);
    assert!(report.table().contains("30 % bursts"));
    assert!(report.json().starts_with("{\"packet_bytes\":100"));
    let svg = plot::svg(&report);
    assert_eq!(svg.matches("<circle").count(), 6);
    assert!(svg.ends_with("</svg>\n"));
}

//! Which cells have arrived: the highest number and the 64 before it, as acknowledgements tell them.

use wire::cell::Ack;

/// Cells before the highest one that are remembered.
pub(crate) const SPAN: u32 = 64;

/// The receiver's memory of cell numbers.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    ack: Option<Ack>,
    count: u64,
}

impl Seen {
    /// Is this cell news? Not if it was here before, nor if it is too old to tell.
    pub(crate) fn is_new(&self, number: u32) -> bool {
        let Some(Ack { largest, bitmap }) = self.ack else { return true };
        match largest.checked_sub(number) {
            None => true,
            Some(0) => false,
            Some(back) => back <= SPAN && bitmap >> (back - 1) & 1 == 0,
        }
    }

    /// Remembers a cell that is news.
    pub(crate) fn insert(&mut self, number: u32) {
        self.count += 1;
        self.ack = Some(match self.ack {
            None => Ack { largest: number, bitmap: 0 },
            Some(Ack { largest, bitmap }) if number > largest => {
                let ahead = number - largest;
                let shifted = bitmap.checked_shl(ahead).unwrap_or(0);
                let previous = 1u64.checked_shl(ahead - 1).unwrap_or(0);
                Ack { largest: number, bitmap: shifted | previous }
            }
            Some(Ack { largest, bitmap }) => {
                let back = largest - number;
                let bit = back.checked_sub(1).and_then(|i| 1u64.checked_shl(i)).unwrap_or(0);
                Ack { largest, bitmap: bitmap | bit }
            }
        });
    }

    /// What to tell the other end.
    pub(crate) fn ack(&self) -> Option<Ack> {
        self.ack
    }

    /// How many different cells arrived.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// How many cells numbered so far did not arrive, or not in time to tell.
    pub(crate) fn missing(&self) -> u64 {
        self.ack.map_or(0, |ack| (u64::from(ack.largest) + 1).saturating_sub(self.count))
    }
}

/// What an acknowledgement says about one cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Arrived,
    Lost,
    Open,
}

/// Reads `ack` on cell `number`: lost is what is missing three or more before the highest one.
pub(crate) fn fate(ack: Ack, number: u32) -> Fate {
    match ack.largest.checked_sub(number) {
        None => Fate::Open,
        Some(0) => Fate::Arrived,
        Some(back) if back > SPAN => Fate::Lost,
        Some(back) if ack.bitmap >> (back - 1) & 1 == 1 => Fate::Arrived,
        Some(back) if back >= 3 => Fate::Lost,
        Some(_) => Fate::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_like_a_set() {
        let numbers = [5u32, 3, 4, 9, 9, 3, 70, 6, 69, 5, 7, 200, 136, 135, 199];
        let (mut seen, mut set) = (Seen::default(), std::collections::BTreeSet::new());
        for n in numbers {
            let newest = set.last().copied().unwrap_or(0);
            let expect = !set.contains(&n) && n + SPAN >= newest;
            assert_eq!(seen.is_new(n), expect, "{n}");
            if expect {
                seen.insert(n);
                set.insert(n);
            }
            let ack = seen.ack().unwrap();
            for back in 1..=SPAN.min(ack.largest) {
                let told = fate(ack, ack.largest - back) == Fate::Arrived;
                assert_eq!(told, set.contains(&(ack.largest - back)));
            }
        }
        assert_eq!(seen.count(), set.len() as u64);
        assert_eq!(seen.missing(), 201 - set.len() as u64);
    }

    #[test]
    fn fates() {
        let ack = Ack { largest: 100, bitmap: 0b1001 };
        assert_eq!(fate(ack, 101), Fate::Open);
        assert_eq!(fate(ack, 100), Fate::Arrived);
        assert_eq!(fate(ack, 99), Fate::Arrived);
        assert_eq!(fate(ack, 98), Fate::Open);
        assert_eq!(fate(ack, 97), Fate::Lost);
        assert_eq!(fate(ack, 96), Fate::Arrived);
        assert_eq!(fate(ack, 36), Fate::Lost);
        assert_eq!(fate(ack, 35), Fate::Lost);
    }
}

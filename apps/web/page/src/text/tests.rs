//! Tables are complete, and have their gaps in the same places.

use super::{Lang, fill};

#[test]
fn every_language_says_everything() {
    let english = Lang::English.text().all();
    for lang in Lang::ALL {
        for ((name, here), (_, there)) in lang.text().all().into_iter().zip(&english) {
            assert!(!here.trim().is_empty(), "{lang:?} does not say {name}");
            assert_eq!(here.matches("{}").count(), there.matches("{}").count(), "{lang:?} {name}");
        }
    }
}

#[test]
fn long_texts_are_translated() {
    let english = Lang::English.text().all();
    for lang in [Lang::French, Lang::Spanish, Lang::Arabic] {
        for ((name, here), (_, there)) in lang.text().all().into_iter().zip(&english) {
            assert!(here.len() < 14 || here != *there, "{lang:?} {name} is English");
        }
    }
}

#[test]
fn the_browsers_first_language_that_is_spoken_is_taken() {
    assert_eq!(Lang::first_of(["de-DE", "fr-CH", "en"]), Lang::French);
    assert_eq!(Lang::first_of(["ar"]), Lang::Arabic);
    assert_eq!(Lang::first_of(["tlh"]), Lang::English);
}

#[test]
fn a_gap_is_filled_once() {
    assert_eq!(fill("Call {}", "Ana {}"), "Call Ana {}");
}

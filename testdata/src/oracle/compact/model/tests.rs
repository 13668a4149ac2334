use super::{Family, Model, STEP, TRUST};
use crate::oracle::compact::class::Class;

#[test]
fn tables_follow_their_formulas() {
    for s in 0..16 {
        assert_eq!(STEP[s as usize], 1_048_576 / (20 + 16 * s));
        assert_eq!(TRUST[s as usize], if s == 0 { 0 } else { i64::from(170 * (4 * s + 3) / (4 * s + 5)) });
    }
}

const FAMILIES: [Family; 10] =
    [Family::Line, Family::Unit, Family::Hit, Family::Plain, Family::Miss, Family::Literal, Family::Start, Family::Number, Family::Call, Family::Target];

/// The vector `decisions.txt`: 600 decisions of all families out of a made-up payload, in the classes of 8 KiB and of 256 KiB. A line is
/// `family a b contexts -> probability decision`; the payload's bytes are `37 i + 11` modulo 256 for `i` from 0. Numbers but the contexts are decimal.
#[test]
fn decisions_do_not_change() {
    let payload: Vec<u8> = (0..400_u32).map(|i| (37 * i + 11) as u8).collect();
    let mut trace = String::new();
    for ram_log2 in [13, 18] {
        let mut model = Model::new(&Class::of(ram_log2), &payload);
        let mut state = 1_u32;
        let mut next = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        for _ in 0..300 {
            let family = FAMILIES[next(10) as usize];
            let contexts: Vec<u32> = (0..if matches!(family, Family::Number) { 3 } else { 6 }).map(|_| next(5) * 0x0101_0101).collect();
            let sets = [next(12), next(5)];
            if matches!(family, Family::Target) {
                let opinion = i64::from(next(2000)) - 1000;
                model.decide_with(family, &contexts, sets, opinion);
                model.trace.insert_str(model.trace.len() - 1, &format!(" opinion {opinion}"));
            } else {
                model.decide(family, &contexts, sets);
            }
        }
        trace.push_str(&format!("ram_log2 {ram_log2}\n{}", model.trace));
    }
    let path = crate::vectors::compact_directory().join("decisions.txt");
    if std::env::var_os("SEALIFT_WRITE_VECTORS").is_some_and(|value| value == "1") {
        std::fs::write(&path, &trace).unwrap();
    }
    assert!(std::fs::read_to_string(path).unwrap() == trace, "the model changed, or its vector");
}

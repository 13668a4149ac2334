//! Numbers as people read them. Whole-number arithmetic, so that they are the same everywhere.

use std::fmt;

use crate::html::Grouped;

/// Bytes, rounded, in the unit that leaves two to four digits: 812 B, 13.2 kB, 1.4 MB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size(pub(super) u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
        if self.0 < 1000 {
            return write!(f, "{} B", self.0);
        }
        let mut unit = 1_u128;
        for (number, name) in UNITS.iter().enumerate() {
            unit *= 1000;
            let tenths = (u128::from(self.0) * 10 + unit / 2) / unit;
            let whole = (u128::from(self.0) + unit / 2) / unit;
            if whole < 1000 || number + 1 == UNITS.len() {
                return match tenths {
                    0..1000 => write!(f, "{}.{} {name}", tenths / 10, tenths % 10),
                    _ => write!(f, "{whole} {name}"),
                };
            }
        }
        Ok(())
    }
}

/// A part of a whole in percent: two decimals below one percent, else one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Percent {
    pub(super) part: u64,
    pub(super) whole: u64,
}

impl Percent {
    /// In hundredths of a percent, rounded.
    pub(super) fn hundredths(self) -> u128 {
        let whole = u128::from(self.whole.max(1));
        (u128::from(self.part) * 10_000 + whole / 2) / whole
    }

    /// A number for the width of a bar, at most 100.
    pub(super) fn width(self) -> String {
        let hundredths = self.hundredths().min(10_000);
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = self.hundredths();
        match hundredths {
            0..100 => write!(f, "0.{hundredths:02} %"),
            _ => {
                let tenths = (hundredths + 5) / 10;
                write!(f, "{}.{} %", tenths / 10, tenths % 10)
            }
        }
    }
}

/// `1 key`, `2 keys`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{} {what}{}", Grouped(number as u64), if number == 1 { "" } else { "s" })
}

/// Milliseconds as seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seconds(pub(super) u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} s", self.0 / 1000, self.0 % 1000 / 100)
    }
}

/// A bar beside a number that says the same: for the eye only. An attribute of a picture, since styles inside elements are not allowed here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bar(pub(super) Percent);

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<svg class=\"bar\" aria-hidden=\"true\" focusable=\"false\" viewBox=\"0 0 100 1\" preserveAspectRatio=\"none\"><rect width=\"{}\" height=\"1\"/></svg>",
            self.0.width()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Percent, Seconds, Size, count};

    #[test]
    fn sizes_have_few_digits() {
        let sizes = [0, 999, 1000, 13_249, 99_949, 99_950, 999_499, 999_950, 1_400_000, u64::MAX].map(|size| Size(size).to_string());
        assert_eq!(sizes, ["0 B", "999 B", "1.0 kB", "13.2 kB", "99.9 kB", "100 kB", "999 kB", "1.0 MB", "1.4 MB", "18447 PB"]);
    }

    #[test]
    fn percents_counts_and_seconds() {
        let percents = [(363, 41_068), (1, 3), (3, 2), (5, 0), (9_995, 1_000_000), (99_996, 10_000_000)].map(|(part, whole)| Percent { part, whole });
        assert_eq!(percents.map(|percent| percent.to_string()), ["0.88 %", "33.3 %", "150.0 %", "500.0 %", "1.0 %", "1.0 %"]);
        assert_eq!(percents.map(Percent::width), ["0.88", "33.33", "100.00", "100.00", "1.00", "1.00"]);
        assert_eq!((count(1, "key"), count(1200, "cut")), ("1 key".into(), "1,200 cuts".into()));
        assert_eq!(Seconds(1960).to_string(), "1.9 s");
    }
}

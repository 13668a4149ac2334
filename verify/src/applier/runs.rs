//! Runs of the new image: what a segment covers, and what is between segments (SPEC section 2.3).

use sealift_formats::patch::Segment;

/// A run of the new image, within one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Offset in the new image, in bytes.
    pub start: u64,
    /// Bytes, at least 1.
    pub length: u64,
    /// Offset of the source in the old image; `None`: literals.
    pub source: Option<u64>,
}

/// Which of the runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Bytes in no segment.
    Literal,
    /// Bytes in a segment.
    Predicted,
}

/// A place in the new image, with the segment that covers it or comes next. Plain data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    at: u64,
    segment: usize,
}

impl Cursor {
    /// Offset in the new image, in bytes.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// Goes `length` bytes on.
    pub(super) fn advance(&mut self, length: u64) {
        self.at = self.at.saturating_add(length);
    }

    /// The segment of the predicted run that was found last.
    pub(super) fn segment(&self, segments: &[Segment]) -> Option<Segment> {
        segments.get(self.segment).copied()
    }

    /// The run from here to where the kind of bytes changes, or `end`; `None` at `end`.
    pub(super) fn run(&mut self, segments: &[Segment], end: u64) -> Option<Run> {
        while segments.get(self.segment).is_some_and(|segment| segment.new_end() <= self.at) {
            self.segment = self.segment.saturating_add(1);
        }
        let (run_end, source) = match segments.get(self.segment) {
            None => (end, None),
            Some(segment) => match self.at.checked_sub(segment.new_start) {
                None => (segment.new_start.min(end), None),
                Some(within) => (segment.new_end().min(end), Some(segment.old_start.saturating_add(within))),
            },
        };
        let length = run_end.checked_sub(self.at).filter(|&length| length > 0)?;
        Some(Run { start: self.at, length, source })
    }

    /// The next run of a kind, from here on: the cursor goes to its start, or to `end`.
    pub(super) fn run_of(&mut self, kind: Kind, segments: &[Segment], end: u64) -> Option<Run> {
        loop {
            let run = self.run(segments, end)?;
            if run.source.is_some() == (kind == Kind::Predicted) {
                return Some(run);
            }
            self.advance(run.length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGMENTS: [Segment; 3] = [
        Segment { old_start: 50, new_start: 0, length: 4 },
        Segment { old_start: 7, new_start: 4, length: 2 },
        Segment { old_start: 90, new_start: 10, length: 5 },
    ];

    #[test]
    fn runs_end_at_segments_and_at_groups() {
        let mut runs = alloc::vec::Vec::new();
        for end in [3, 12, 20] {
            let mut cursor = runs.last().map_or(Cursor::default(), |&(cursor, _)| cursor);
            while let Some(run) = cursor.run(&SEGMENTS, end) {
                cursor.advance(run.length);
                runs.push((cursor, run));
            }
        }
        let runs: alloc::vec::Vec<_> = runs.iter().map(|(_, run)| (run.start, run.length, run.source)).collect();
        let expected = [(0, 3, Some(50)), (3, 1, Some(53)), (4, 2, Some(7)), (6, 4, None), (10, 2, Some(90)), (12, 3, Some(92)), (15, 5, None)];
        assert_eq!(runs, expected);
    }

    #[test]
    fn runs_of_one_kind_skip_the_others() {
        let mut cursor = Cursor::default();
        assert_eq!(cursor.run_of(Kind::Literal, &SEGMENTS, 20), Some(Run { start: 6, length: 4, source: None }));
        assert_eq!(cursor.run_of(Kind::Predicted, &SEGMENTS, 20).map(|run| run.start), Some(10));
        assert_eq!(cursor.run_of(Kind::Literal, &SEGMENTS, 14), None);
        assert_eq!(cursor.at(), 14);
    }
}

//! Where the bytes of a package's patch went, in whole numbers.

use serde::{Deserialize, Serialize};

use crate::html::map::{self, Cell};
use crate::inspect::anatomy::{self, ByteKind};

/// A patch, taken apart: what `sealift inspect --old` tells, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anatomy {
    /// Whether the kinds of bytes are known, or only which bytes lie in a segment (patches in place).
    pub exact: bool,
    /// Stretches copied from the old image.
    pub segments: u64,
    /// What was spent, in the order of the patch. Their sum is the patch's size but for the coder's rounding.
    pub causes: Vec<Cause>,
    /// Bytes of the new image by what they were made from.
    pub new_image: Kinds,
    /// How often references were predicted right (profile `compact`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Reference>,
    /// The new image from its beginning to its end.
    pub map: Map,
}

/// What a cause cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The cause.
    pub name: String,
    /// Bits of the patch.
    pub bits: u64,
    /// Decisions coded for it; absent where nothing is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decisions: Option<u64>,
}

/// Bytes of the new image by what they were made from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kinds {
    /// From the old image, as predicted; where not [`exact`](Anatomy::exact): in a segment.
    pub predicted: u64,
    /// Predicted from the old image, wrong, and corrected.
    pub corrected: u64,
    /// From the patch alone; where not [`exact`](Anatomy::exact): in no segment.
    pub literal: u64,
    /// Part of a run of one byte that cost nothing.
    pub erased: u64,
}

/// References of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The kind's name.
    pub kind: String,
    /// The prediction was right, the old bytes as they are were not.
    pub fixed: u64,
    /// The old bytes were right, the prediction was not.
    pub broken: u64,
    /// Neither was right.
    pub both_wrong: u64,
    /// Both were right.
    pub both_right: u64,
}

/// The map of the new image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Map {
    /// Bytes of the new image in a cell; the last one may have fewer.
    pub cell: u64,
    /// The cells as runs of letters with their length before them: p predicted, e erased, a b c corrected (a little, some, most),
    /// x y z literal (a little, some, most).
    pub cells: String,
}

impl Map {
    /// The cells; none where the text is none of ours.
    #[must_use]
    pub fn read(&self) -> Vec<Cell> {
        map::read(&self.cells, MOST_CELLS).unwrap_or_default()
    }
}

impl Kinds {
    /// Bytes of one kind.
    #[must_use]
    pub fn of(&self, kind: ByteKind) -> u64 {
        match kind {
            ByteKind::Predicted => self.predicted,
            ByteKind::Corrected => self.corrected,
            ByteKind::Literal => self.literal,
            ByteKind::Erased => self.erased,
        }
    }
}

/// The largest image that a report draws, in bytes: a patch is decoded twice for it, and a release has hundreds.
pub const LARGEST_IMAGE: u64 = 16 << 20;
/// Cells of a map, at most.
pub const MOST_CELLS: usize = 2048;

/// Takes a patch apart that makes `new_size` bytes from `old`.
///
/// # Errors
/// Why this patch is not taken apart, in words for the report.
pub fn of_patch(patch: &[u8], old: &[u8], new_size: u64) -> Result<Anatomy, String> {
    let size = new_size.max(old.len() as u64);
    if size > LARGEST_IMAGE {
        return Err(format!("images of more than {} MiB are not drawn here: `sealift inspect PACKAGE --old OLD --html FILE` does it", LARGEST_IMAGE >> 20));
    }
    anatomy::read(patch, Some(old)).map(|found| in_short(&found)).map_err(|error| error.to_string())
}

fn in_short(found: &anatomy::Anatomy) -> Anatomy {
    let [predicted, corrected, literal, erased] = found.totals;
    let cell = found.kinds.len().div_ceil(MOST_CELLS).max(1).next_power_of_two();
    let cells: Vec<Cell> = found.kinds.chunks(cell).map(Cell::of).collect();
    Anatomy {
        exact: found.exact,
        segments: found.segment_count as u64,
        causes: found.costs.iter().map(|cost| Cause { name: cost.name.to_owned(), bits: whole_bits(cost.bytes), decisions: cost.decisions }).collect(),
        new_image: Kinds { predicted, corrected, literal, erased },
        references: found
            .references
            .iter()
            .map(|kind| Reference {
                kind: kind.name.to_owned(),
                fixed: kind.fixed,
                broken: kind.broken,
                both_wrong: kind.both_wrong,
                both_right: kind.both_right,
            })
            .collect(),
        map: Map { cell: cell as u64, cells: map::write(&cells) },
    }
}

/// Costs are exact sums (`inspect::anatomy::cost`): rounding them gives the same everywhere.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a patch has less than 2^50 bits, and none below zero")]
fn whole_bits(bytes: f64) -> u64 {
    (bytes * 8.0).round() as u64
}

#[cfg(test)]
mod tests {
    use sealift_delta::{Options, Profile, RamClass};

    use super::{LARGEST_IMAGE, MOST_CELLS, of_patch};

    #[test]
    fn the_parts_add_up() {
        let (old, new): (&[u8], &[u8]) = (include_bytes!("../../../../testdata/images/app-1.0.bin"), include_bytes!("../../../../testdata/images/app-2.0.bin"));
        for profile in [Profile::Fast, Profile::Compact] {
            let ram = (profile == Profile::Compact).then(|| RamClass::fitting(64 << 10).unwrap());
            let patch = sealift_delta::generate(old, new, &Options { profile, ram, ..Options::default() }).unwrap().bytes;
            let anatomy = of_patch(&patch, old, new.len() as u64).unwrap();
            assert!(anatomy.exact && anatomy.segments > 0);
            let kinds = anatomy.new_image;
            assert_eq!(kinds.predicted + kinds.corrected + kinds.literal + kinds.erased, new.len() as u64);
            let bits: u64 = anatomy.causes.iter().map(|cause| cause.bits).sum();
            assert!(bits.abs_diff(patch.len() as u64 * 8) <= 48, "{bits} bits of {} bytes", patch.len());
            let cells = anatomy.map.read();
            assert_eq!(cells.len() as u64, (new.len() as u64).div_ceil(anatomy.map.cell));
            assert!(cells.len() <= MOST_CELLS);
        }
    }

    #[test]
    fn large_images_are_not_drawn_and_the_reason_is_said() {
        assert!(of_patch(&[], &[], LARGEST_IMAGE + 1).unwrap_err().contains("16 MiB"));
    }
}

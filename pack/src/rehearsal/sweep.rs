//! Power cuts: the device's life is lived once without any; at each operation the flash is copied, the operation is torn on the copy, and the
//! copy lives on from there. On its way it may be cut again.

use std::cell::RefCell;

use rayon::prelude::*;
use sealift_sim::{Part, Random, Tear};
use sealift_verify::storage::Region;

use super::chips::{Observer, Operation, SimulatedChips};
use super::life::{Brick, Life};

/// Which operations are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cuts {
    /// Every one, between operations and at several points inside.
    All,
    /// So many, chosen by chance from the seed.
    Some(u64),
    /// Every one on the journal, and so many of the others, chosen by chance from the seed.
    Journal(u64),
    /// None.
    None,
}

/// What one sweep came to.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    /// Erases and programs of the life without a cut.
    pub operations: u64,
    /// Lives that were cut once.
    pub cuts: u64,
    /// Lives that were cut twice: the recovery too.
    pub double_cuts: u64,
    /// What went wrong, with where it was cut.
    pub bricks: Vec<(Path, Brick)>,
    /// Most bytes of the patch that a life needed in all.
    pub most_patch_bytes: u64,
}

/// The cuts of a life: number of the operation, counted from the start or from the cut before, and how far the operation came.
pub type Path = Vec<(u64, Tear)>;

/// A copy of the flash after a cut.
pub(super) struct Fork {
    path: Path,
    parts: Vec<Part>,
}

/// How a sweep is made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Depth<'d> {
    /// Operations and points in them that are cut.
    pub(super) first: &'d dyn Choice,
    /// The same in the life after the first cut.
    pub(super) second: &'d dyn Choice,
}

/// Chooses where to cut.
pub(super) trait Choice: std::fmt::Debug + Sync {
    /// Points at which operation `number` is cut, in a life that was cut before at `path`.
    fn tears(&self, number: u64, path: &[(u64, Tear)], operation: &Operation<'_>) -> Vec<Tear>;
}

/// Cuts every operation: before it, and at several points inside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Everywhere {
    pub(super) seed: u64,
}

impl Choice for Everywhere {
    fn tears(&self, number: u64, _: &[(u64, Tear)], operation: &Operation<'_>) -> Vec<Tear> {
        let mut random = Random::new(self.seed ^ number.wrapping_mul(0x9E37_79B9));
        let middle = random.word();
        let mut inside = |bytes| Tear::Inside { bytes, seed: random.word() };
        match operation.programs() {
            None => vec![Tear::Before, inside(0), inside(0), Tear::After],
            Some(bytes) => {
                let middle = usize::try_from(middle % bytes.max(1) as u64).expect("below a length");
                vec![Tear::Before, inside(0), inside(middle), inside(bytes.saturating_sub(1)), Tear::After]
            }
        }
    }
}

/// Cuts one operation in `one_in`, and all in one place, each at one point.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sometimes {
    pub(super) seed: u64,
    pub(super) one_in: u64,
    pub(super) always: Option<Region>,
}

impl Choice for Sometimes {
    fn tears(&self, number: u64, path: &[(u64, Tear)], operation: &Operation<'_>) -> Vec<Tear> {
        let place = path.iter().fold(number, |place, (before, _)| place.wrapping_mul(0xD134_2543_DE82_EF95).wrapping_add(*before));
        let mut random = Random::new(self.seed ^ place.wrapping_mul(0xD134_2543_DE82_EF95));
        let always = self.always.is_some_and(|region| operation.is_in(&region));
        let chosen = self.one_in > 0 && random.word().is_multiple_of(self.one_in);
        if !always && !chosen {
            return Vec::new();
        }
        let points = Everywhere { seed: random.word() }.tears(number, path, operation);
        vec![points[random.below(points.len())]]
    }
}

/// Cuts nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Never;

impl Choice for Never {
    fn tears(&self, _: u64, _: &[(u64, Tear)], _: &Operation<'_>) -> Vec<Tear> {
        Vec::new()
    }
}

/// Copies that live on at the same time; more would only need memory.
const AT_ONCE: usize = 64;

/// A device and an update for it, which can be lived through again and again.
pub(super) trait Lives: Sync {
    /// Lives until the update is done, or taken back where the new images do not confirm themselves. `observer` sees every operation.
    fn live<'o>(&self, parts: Vec<Part>, observer: Option<Observer<'o>>) -> Result<(Life, SimulatedChips<'o>), Brick>;

    /// Lives, and cuts. Returns the life without a cut too, and its flash.
    fn sweep(&self, parts: &[Part], depth: Depth<'_>) -> Result<(Sweep, Life, Vec<Part>), Brick> {
        let mut sweep = Sweep::default();
        let (life, chips) = self.live_after(0, parts.to_vec(), None)?;
        sweep.operations = chips.operations();
        let worn = chips.parts;
        sweep.most_patch_bytes = life.patch_bytes;
        let mut from = 0;
        while from < sweep.operations {
            let (forks, next) = self.forks(parts, &[], depth.first, from)?;
            let outcomes: Vec<Sweep> = forks.into_par_iter().map(|fork| self.after_cut(fork, depth)).collect();
            for outcome in outcomes {
                sweep.cuts += 1;
                sweep.double_cuts += outcome.double_cuts;
                sweep.most_patch_bytes = sweep.most_patch_bytes.max(outcome.most_patch_bytes);
                sweep.bricks.extend(outcome.bricks);
            }
            from = next;
        }
        Ok((sweep, life, worn))
    }

    /// The life of a copy after its first cut, and of the copies that are cut again.
    fn after_cut(&self, fork: Fork, depth: Depth<'_>) -> Sweep {
        let mut sweep = Sweep::default();
        let mut from = 0;
        loop {
            let (forks, next) = match self.forks(&fork.parts, &fork.path, depth.second, from) {
                Ok(forks) => forks,
                Err(brick) => {
                    sweep.bricks.push((fork.path, brick));
                    return sweep;
                }
            };
            for again in forks {
                sweep.double_cuts += 1;
                match self.live_after(2, again.parts, None) {
                    Ok((life, _)) => sweep.most_patch_bytes = sweep.most_patch_bytes.max(life.patch_bytes),
                    Err(brick) => sweep.bricks.push((again.path, brick)),
                }
            }
            if next == u64::MAX {
                return sweep;
            }
            from = next;
        }
    }

    /// Lives on from `parts` and copies the flash at the chosen operations from `from` on, until there are enough copies. Returns them, and
    /// the operation to go on from (`u64::MAX` after the last one).
    fn forks(&self, parts: &[Part], path: &[(u64, Tear)], choice: &dyn Choice, from: u64) -> Result<(Vec<Fork>, u64), Brick> {
        let collected = RefCell::new((Vec::new(), u64::MAX));
        let observer = |number: u64, parts: &[Part], operation: &Operation<'_>| {
            let (forks, next) = &mut *collected.borrow_mut();
            if number < from || *next != u64::MAX {
                return;
            }
            if forks.len() >= AT_ONCE {
                *next = number;
                return;
            }
            for tear in choice.tears(number, path, operation) {
                let path = path.iter().copied().chain([(number, tear)]).collect();
                forks.push(Fork { path, parts: operation.torn(parts, tear) });
            }
        };
        self.live_after(path.len(), parts.to_vec(), Some(Box::new(observer)))?;
        Ok(collected.into_inner())
    }

    /// Lives on after so many cuts, each of which may cost the new image a trial.
    fn live_after<'o>(&self, cuts: usize, parts: Vec<Part>, observer: Option<Observer<'o>>) -> Result<(Life, SimulatedChips<'o>), Brick> {
        let (life, chips) = self.live(parts, observer)?;
        if usize::try_from(life.taken_back).is_ok_and(|times| times <= cuts) {
            Ok((life, chips))
        } else {
            Err(Brick(format!("the new image was taken back {} times after {cuts} cuts", life.taken_back)))
        }
    }
}

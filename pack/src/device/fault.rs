//! Faults that are asked for: **a simulation, for tests and trials**. A device without any behaves as well as its surroundings.

use std::cell::Cell;
use std::str::FromStr;

/// What is to go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// `power-cut-at=N`: the power fails before the Nth write to storage, counted from 1.
    PowerCutAt(u64),
    /// `corrupt=N`: byte N of a package is changed on its way, counted from 0.
    Corrupt(u64),
    /// `drop=BYTESxTIMES`: a download's connection breaks after so many bytes, so many times.
    Drop {
        /// Bytes that still arrive.
        after: u64,
        /// How often.
        times: u32,
    },
    /// `no-boot`: a new image starts and fails its own test.
    NoBoot,
    /// `abort`: the device gives a download up.
    Abort,
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let number = |value: &str| value.parse::<u64>().map_err(|_| format!("`{value}` is no number"));
        match name {
            "power-cut-at" => Ok(Self::PowerCutAt(number(value)?)),
            "corrupt" => Ok(Self::Corrupt(number(value)?)),
            "drop" => {
                let (after, times) = value.split_once('x').unwrap_or((value, "1"));
                Ok(Self::Drop { after: number(after)?, times: times.parse().map_err(|_| format!("`{times}` is no number"))? })
            }
            "no-boot" => Ok(Self::NoBoot),
            "abort" => Ok(Self::Abort),
            _ => Err(format!("`{name}`, expected power-cut-at=N, corrupt=N, drop=BYTESxTIMES, no-boot or abort")),
        }
    }
}

/// The power failed: nothing after this reached the storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the power failed (simulated)")]
pub struct PowerCut;

/// What is to go wrong, and what has.
#[derive(Debug, Default)]
pub struct Faults {
    power_cut_at: Option<u64>,
    corrupt: Option<u64>,
    drop: Cell<Option<(u64, u32)>>,
    no_boot: bool,
    abort: bool,
    writes: Cell<u64>,
}

impl Faults {
    /// All of a list.
    #[must_use]
    pub fn new(faults: &[Fault]) -> Self {
        let mut all = Self::default();
        for fault in faults {
            match *fault {
                Fault::PowerCutAt(at) => all.power_cut_at = Some(at),
                Fault::Corrupt(at) => all.corrupt = Some(at),
                Fault::Drop { after, times } => all.drop.set(Some((after, times))),
                Fault::NoBoot => all.no_boot = true,
                Fault::Abort => all.abort = true,
            }
        }
        all
    }

    /// To be called before each write that is to last.
    ///
    /// # Errors
    /// The power fails now.
    pub fn write(&self) -> Result<(), PowerCut> {
        self.writes.set(self.writes.get() + 1);
        // Once it has failed it does not come back in this process.
        if self.power_cut_at.is_some_and(|at| self.writes.get() >= at) { Err(PowerCut) } else { Ok(()) }
    }

    /// Writes so far.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.writes.get()
    }

    /// Bytes that arrive before a connection breaks; `None`: it holds.
    pub(super) fn connection(&self) -> Option<u64> {
        let (after, times) = self.drop.get()?;
        self.drop.set((times > 1).then_some((after, times - 1)));
        Some(after)
    }

    /// Damages a piece of a package that begins at `at`.
    pub(super) fn damage(&self, at: u64, piece: &mut [u8]) {
        let offset = self.corrupt.and_then(|byte| byte.checked_sub(at)).and_then(|offset| usize::try_from(offset).ok());
        if let Some(byte) = offset.and_then(|offset| piece.get_mut(offset)) {
            *byte ^= 0x20;
        }
    }

    pub(super) fn boots(&self) -> bool {
        !self.no_boot
    }

    pub(super) fn aborts(&self) -> bool {
        self.abort
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_read_and_happen_as_often_as_said() {
        assert_eq!("drop=500x2".parse(), Ok(Fault::Drop { after: 500, times: 2 }));
        assert_eq!("no-boot".parse(), Ok(Fault::NoBoot));
        assert!("explode".parse::<Fault>().unwrap_err().contains("power-cut-at"));
        let faults = Faults::new(&[Fault::PowerCutAt(2), Fault::Drop { after: 5, times: 2 }, Fault::Corrupt(11)]);
        assert_eq!((faults.write(), faults.write(), faults.write()), (Ok(()), Err(PowerCut), Err(PowerCut)));
        assert_eq!((faults.connection(), faults.connection(), faults.connection()), (Some(5), Some(5), None));
        let mut piece = [0; 4];
        faults.damage(8, &mut piece);
        faults.damage(12, &mut piece);
        assert_eq!(piece, [0, 0, 0, 0x20]);
    }
}

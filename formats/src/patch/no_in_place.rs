//! In the place of `in_place` where it is left out: what nobody can have, so that the compiler drops the code that would use it.
#![allow(clippy::must_use_candidate, missing_docs, reason = "nothing here can be called, or it says nothing")]

use core::convert::Infallible;
use core::iter::Empty;
use core::marker::PhantomData;

/// No layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InPlace<'a>(Infallible, PhantomData<&'a [u8]>);

/// No kept bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    pub old: u32,
    pub length: u32,
    pub place: u32,
}

/// No sectors.
pub type Sectors<'a> = Empty<u32>;

/// No kept ranges.
#[derive(Clone, Copy, Debug)]
pub struct KeptRanges<'a>(PhantomData<&'a [u8]>);

impl KeptRanges<'_> {
    pub const NONE: Self = Self(PhantomData);
}

impl Iterator for KeptRanges<'_> {
    type Item = Kept;

    fn next(&mut self) -> Option<Kept> {
        None
    }
}

impl<'a> InPlace<'a> {
    pub fn sector_log2(&self) -> u8 {
        match self.0 {}
    }

    pub fn sector_size(&self) -> u64 {
        match self.0 {}
    }

    pub fn batch_sectors(&self) -> u32 {
        match self.0 {}
    }

    pub fn listed(&self) -> u32 {
        match self.0 {}
    }

    pub fn kept_size(&self) -> u32 {
        match self.0 {}
    }

    pub fn kept(&self) -> KeptRanges<'a> {
        match self.0 {}
    }

    pub fn sectors(&self) -> Sectors<'a> {
        match self.0 {}
    }
}

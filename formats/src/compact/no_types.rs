//! In the place of `types` where it is left out: what nobody can have, so that the compiler drops the code that would use it.
#![allow(clippy::missing_errors_doc, clippy::must_use_candidate, missing_docs, reason = "nothing here can be called")]

use core::convert::Infallible;
use core::marker::PhantomData;

use super::arithmetic::Coder;
use super::body::BodyError;
use super::model::Model;
use super::old_image::{OldImage, OldWindow};
use super::plan::Cause;

/// No question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {}

/// No state.
#[derive(Clone, Copy, Debug, Default)]
pub struct State;

/// No section.
#[derive(Debug)]
pub struct Section<'a>(Infallible, PhantomData<&'a mut State>);

impl Section<'_> {
    pub fn start(&self) -> Option<u32> {
        match self.0 {}
    }

    pub fn end(&self) -> u32 {
        match self.0 {}
    }

    pub fn cause(&self) -> Cause {
        match self.0 {}
    }

    pub fn done(&self) -> bool {
        match self.0 {}
    }

    pub fn step<C: Coder, O: OldImage>(&mut self, _: &mut C, _: &mut Model<'_>, _: &mut OldWindow<'_, O>, _: &mut [u8]) -> Result<usize, BodyError> {
        match self.0 {}
    }

    pub fn prepare<C: Coder, O: OldImage>(&mut self, _: &mut C, _: &mut Model<'_>, _: &mut OldWindow<'_, O>, _: u32) -> Result<bool, BodyError> {
        match self.0 {}
    }
}

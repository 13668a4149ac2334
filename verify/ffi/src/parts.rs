//! What lies in the opaque words of an update.

use core::cell::RefCell;

use sealift_verify::decompress::NoDecompressor;
use sealift_verify::update;

use crate::flash::Callbacks;

pub(crate) type Running = update::Update<'static, 'static, 'static, Callbacks, NoDecompressor>;

/// `device` borrows from `chips` and `running` from `device`, so none may move, and each is reached by a pointer of its own, never through a
/// reference to the whole.
pub(crate) struct Parts {
    pub(crate) chips: RefCell<Callbacks>,
    pub(crate) device: update::Device<'static, Callbacks>,
    pub(crate) running: Running,
}

//! An update on its way into the device.

use core::cell::RefCell;
use core::mem::{MaybeUninit, align_of, size_of};

use sealift_verify::Error;
use sealift_verify::applier::Decompressors;
use sealift_verify::decompress::NoDecompressor;
use sealift_verify::update::{self, Wants};

use crate::device::Device;
use crate::error::{Code, Outcome, code, reason};
use crate::goal::Goal;
use crate::memory;
use crate::parts::{Parts, Running};

/// The state of an update, in the caller's memory. Before `sealift_update_begin` it must be zero for any other call. It stays where it is, and is not
/// copied, while an update goes on.
#[repr(C)]
#[derive(Debug)]
pub struct Update {
    /// The library's own mark of an update that goes on.
    pub mark: u32,
    /// The library's own.
    pub opaque: MaybeUninit<[u64; UPDATE_WORDS]>,
}

/// Words of `opaque` in an update.
#[cfg(target_pointer_width = "32")]
pub const UPDATE_WORDS: usize = UPDATE_WORDS_32;
/// Words of `opaque` in an update.
#[cfg(not(target_pointer_width = "32"))]
pub const UPDATE_WORDS: usize = UPDATE_WORDS_64;

/// The same on 32-bit machines.
pub const UPDATE_WORDS_32: usize = 336;
/// The same on 64-bit machines.
pub const UPDATE_WORDS_64: usize = 400;

/// The mark of an update that goes on.
const RUNNING: u32 = 0x5EA1_6040;

const _: () = assert!(size_of::<Parts>() <= size_of::<[u64; UPDATE_WORDS]>() && align_of::<Parts>() <= align_of::<u64>());

impl Update {
    /// Where the parts are.
    fn parts(state: *mut Self) -> *mut Parts {
        // SAFETY: computes an address within the state, which the caller of every function here has checked to be one.
        unsafe { (&raw mut (*state).opaque).cast::<Parts>() }
    }

    /// The update that goes on.
    ///
    /// # Safety
    ///
    /// Null, or a state that is in no other call.
    unsafe fn running<'s>(state: *mut Self) -> Outcome<&'s mut Running> {
        if state.is_null() {
            return Err(Error::NullPointer);
        }
        // SAFETY: not null, hence a state, says the caller. A state that has the mark holds parts, which only `sealift_update_begin` makes.
        unsafe {
            if (&raw const (*state).mark).read() != RUNNING {
                return Err(Error::NotBegun);
            }
            Ok(&mut (*Self::parts(state)).running)
        }
    }
}

/// Begins the update of a verified package, or goes on with it after a reset; then `sealift_update_wants` says from where.
///
/// `memory` has at least `memory_size` bytes of the goal, at any address. State and memory are the library's until
/// `sealift_update_finish` or an error other than `SEALIFT_ERROR_FLASH`; then nothing needs to be freed. An update that goes on in `state` is given up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealift_update_begin(state: *mut Update, device: *const Device, goal: *const Goal, memory: *mut u8, memory_length: usize) -> Code {
    if state.is_null() || device.is_null() || goal.is_null() || memory.is_null() {
        return Error::NullPointer.code();
    }
    // SAFETY: checked not to be null, hence what their types say, says the header.
    code(unsafe { begin(state, &*device, &*goal, memory, memory_length) })
}

/// # Safety
///
/// `state` is one that is in no other call; `memory` has `length` bytes that nobody else uses.
unsafe fn begin(state: *mut Update, device: &Device, goal: &Goal, memory: *mut u8, length: usize) -> Outcome<()> {
    // SAFETY: a field of the state.
    unsafe { (&raw mut (*state).mark).write(0) };
    let goal = goal.inner()?;
    let (callbacks, layout, settings) = device.parts()?;
    // SAFETY: as the caller says; the memory is the library's until the update ends.
    let memory = unsafe { memory::cut(memory, length, &goal.expected)? };
    let parts = Update::parts(state);
    // SAFETY: the parts are written in the order in which they borrow from each other, each through a pointer of its own. They stay where they are as
    // long as the mark stands, says the header, and nothing reaches `chips` or `device` any more but through `running`.
    unsafe {
        let chips = &raw mut (*parts).chips;
        chips.write(RefCell::new(callbacks));
        let opened = update::Device::open(&*chips, layout, settings).map_err(reason)?;
        let device = &raw mut (*parts).device;
        device.write(opened);
        let decompressors = Decompressors { literal: NoDecompressor, residual: NoDecompressor };
        let running = &raw mut (*parts).running;
        running.write(update::Update::idle(&mut *device, memory, decompressors));
        (*running).start(&goal).map_err(reason)?;
        (&raw mut (*state).mark).write(RUNNING);
    }
    Ok(())
}

/// Which byte of the patch is needed next: `offset`, and the number of its chunk. `SEALIFT_ERROR_AFTER_END`: none, the whole patch was
/// taken. `chunk` and `offset` may be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealift_update_wants(state: *mut Update, chunk: *mut u32, offset: *mut u32) -> Code {
    // SAFETY: null or a state, says the header.
    let wants = unsafe { Update::running(state) }.and_then(|running| running.wants().ok_or(Error::AfterEnd));
    code(wants.map(|Wants { chunk: number, offset: next }| {
        let store = |to: *mut u32, value: u64| {
            if !to.is_null() {
                // SAFETY: not null, hence room for a number, says the header.
                unsafe { to.write(u32::try_from(value).unwrap_or(u32::MAX)) };
            }
        };
        store(chunk, number);
        store(offset, next);
    }))
}

/// Takes the next bytes of the patch: any number, cut anywhere. A call may last long: it may read the whole old image, and decode and program many
/// groups.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealift_update_data(state: *mut Update, bytes: *const u8, length: usize) -> Code {
    // SAFETY: null or a state, says the header.
    let running = match unsafe { Update::running(state) } {
        Ok(running) => running,
        Err(error) => return error.code(),
    };
    if length == 0 {
        return crate::OK;
    }
    if bytes.is_null() {
        return Error::NullPointer.code();
    }
    // SAFETY: not null, and so many bytes, says the header.
    let bytes = unsafe { core::slice::from_raw_parts(bytes, length) };
    code(running.update(bytes).map(|_| ()).map_err(reason))
}

/// Ends the update: the image in flash has matched its digest, and the journal says so. `sealift_boot` does the rest. State and memory are
/// the caller's again, whatever this returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealift_update_finish(state: *mut Update) -> Code {
    // SAFETY: null or a state, says the header.
    let running = match unsafe { Update::running(state) } {
        Ok(running) => running,
        Err(error) => return error.code(),
    };
    let ended = running.finish();
    // SAFETY: not null, or there would be no update; nobody uses the parts any more.
    unsafe { (&raw mut (*state).mark).write(0) };
    code(ended.map(|_| ()).map_err(reason))
}

//! Codes and their texts.

use sealift_formats::error::TABLE as FORMATS;
use sealift_verify::Error;
use sealift_verify::error::TABLE as DEVICE;
use sealift_verify::storage::Chips;
use sealift_verify::update::DeviceError;

use crate::flash::Callbacks;

/// 0, or one of `enum sealift_error`. Codes are stable: never renumbered, never reused.
pub type Code = u16;

/// What a function's body comes to.
pub(crate) type Outcome<T> = Result<T, Error>;

/// The code of an outcome.
pub(crate) fn code(outcome: Outcome<()>) -> Code {
    outcome.map_or_else(|error| error.code(), |()| crate::OK)
}

/// The reason without the flash driver's own number, which the driver knows.
pub(crate) fn reason(error: DeviceError<<Callbacks as Chips>::Error>) -> Error {
    error.reason()
}

/// What a code means, as a sentence that ends with NUL, cut to `size` bytes with it. Returns the length of the whole sentence without NUL; 0
/// for a code that there is not. `buffer` may be null when `size` is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sealift_error_text(code: Code, buffer: *mut u8, size: usize) -> usize {
    let entry = FORMATS.iter().chain(DEVICE).find(|(number, ..)| *number == code);
    let text = match entry {
        Some((_, _, text)) => text.trim(),
        None if code == crate::OK => "No error.",
        None => "",
    };
    if !buffer.is_null() && size > 0 {
        let length = text.len().min(size - 1);
        // SAFETY: the caller has `size` bytes at `buffer`, and `length` is below that; the text is in constant memory, so they do not overlap.
        unsafe {
            buffer.copy_from_nonoverlapping(text.as_ptr(), length);
            buffer.add(length).write(0);
        }
    }
    text.len()
}

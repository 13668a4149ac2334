//! PowerPC, 32 and 64 bit, big endian: relative branches. ADDIS with ADDI is relative to the table of contents and left alone.

use crate::isa::bits::{bit, extend, field, fits, low32, put};
use crate::isa::{Kind, Reference, ReferenceModel, Window};

const FORM_I: u8 = 0;
const FORM_B: u8 = 1;

/// `bcl 20, 31, $+4`: reads the program counter, refers to nothing.
const READ_COUNTER: u32 = 0x429f_0005;

/// The model of PowerPC code; it has no state.
#[derive(Clone, Debug, Default)]
pub struct PowerPc;

#[inline]
fn read(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().copied().map(u32::from_be_bytes)
}

#[inline]
fn write(bytes: &mut [u8], word: u32) -> bool {
    bytes.first_chunk_mut().map(|slot| *slot = word.to_be_bytes()).is_some()
}

impl ReferenceModel for PowerPc {
    #[inline]
    fn unit(&self) -> usize {
        4
    }

    #[inline]
    fn reset(&mut self) {}

    #[inline]
    fn scan(&mut self, address: u64, window: &Window<'_>) -> (usize, Option<Reference>) {
        let Some(word) = read(window.ahead()) else { return (4, None) };
        // The absolute forms (bit 1) are not relocated with the code.
        let found = match field(word, 26, 6) {
            18 if !bit(word, 1) => Some((if bit(word, 0) { Kind::Call } else { Kind::Jump }, FORM_I, extend(word & 0x03ff_fffc, 26))),
            16 if !bit(word, 1) && word != READ_COUNTER => Some((if bit(word, 0) { Kind::Call } else { Kind::Short }, FORM_B, extend(word & 0xfffc, 16))),
            _ => None,
        };
        let found = found.map(|(kind, form, offset)| Reference { kind, form, width: 4, target: address.wrapping_add(offset) });
        (4, found)
    }

    fn mask(&self, found: &Reference, bytes: &mut [u8]) {
        let Some(word) = read(bytes) else { return };
        write(bytes, word & if found.form == FORM_I { !0x03ff_fffc } else { !0xfffc });
    }

    #[inline]
    fn retarget(&self, found: &Reference, bytes: &mut [u8], address: u64, target: u64) -> bool {
        let Some(word) = read(bytes) else { return false };
        let delta = target.wrapping_sub(address);
        let count = if found.form == FORM_I { 24 } else { 14 };
        let reaches = delta & 3 == 0 && fits(delta, if found.form == FORM_I { 26 } else { 16 });
        reaches && write(bytes, put(word, 2, count, low32(delta).wrapping_shr(2)))
    }
}
